package dev.cloister.machine;

import java.util.Arrays;

/**
 * Makes texts small that a launcher seldom needs. It is LZ77 with an unpacker of few instructions
 * ({@link Unpacking}): bits, lowest first, in bytes that lie where the first of their bits is
 * wanted, and whole bytes between them.
 *
 * <pre>
 * item    = 0 literal byte | 1 match
 * match   = 0 high low length | 1 length        (1: the distance of the match before)
 * high    = gamma: ((distance + 255) / 256)     low = byte: the rest of that division
 * length  = gamma: (length - 1)                 at least 2 bytes
 * gamma   = (1 bit)* 0: the bits behind the leading one, highest first
 * </pre>
 *
 * <p>There is no mark at the end: who unpacks knows how many bytes there are.
 */
final class Compression {
  private static final int MIN_LENGTH = 2;

  /** Longer ones are several matches; nearly all are far shorter. */
  private static final int MAX_LENGTH = 128;

  /** Long enough that no farther place is tried. */
  private static final int ENOUGH = 64;

  /** How many earlier places are tried for each. */
  private static final int MAX_TRIES = 200;

  /** Added to a distance, so that its high part is never 0, which a gamma code cannot say. */
  static final int DISTANCE_BIAS = 255;

  private static final int LITERAL_BITS = 9;

  /** What each length takes; to compute that took a third of all time. */
  private static final int[] LENGTH_BITS = new int[MAX_LENGTH + 1];

  static {
    for (int size = MIN_LENGTH; size <= MAX_LENGTH; size++) {
      LENGTH_BITS[size] = gammaBits(size - 1);
    }
  }

  private final byte[] bytes;

  /** The nearest earlier place with the same two bytes, or -1. */
  private final int[] earlier;

  /** How many bits the cheapest way to each place takes, and the last step of that way. */
  private final int[] cost;

  private final int[] length;

  /** The distance of the last match on that way; 0 if there was none. */
  private final int[] distance;

  private Compression(byte[] bytes) {
    this.bytes = bytes;
    this.earlier = earlier(bytes);
    this.cost = new int[bytes.length + 1];
    this.length = new int[bytes.length + 1];
    this.distance = new int[bytes.length + 1];
  }

  static byte[] compress(byte[] bytes) {
    Compression compression = new Compression(bytes);
    compression.findCheapest();
    return compression.write();
  }

  private static int[] earlier(byte[] bytes) {
    int[] last = new int[1 << 16];
    Arrays.fill(last, -1);
    int[] earlier = new int[bytes.length];
    Arrays.fill(earlier, -1);
    for (int i = 0; i + 1 < bytes.length; i++) {
      int pair = ((bytes[i] & 0xff) << 8) | (bytes[i + 1] & 0xff);
      earlier[i] = last[pair];
      last[pair] = i;
    }
    return earlier;
  }

  private void findCheapest() {
    Arrays.fill(cost, Integer.MAX_VALUE);
    cost[0] = 0;
    for (int i = 0; i < bytes.length; i++) {
      improve(i, 1, distance[i], cost[i] + LITERAL_BITS);
      if (distance[i] > 0) {
        tryMatch(i, distance[i], MIN_LENGTH, 2);
      }
      tryEarlier(i);
    }
  }

  /** A farther place costs more and is worth that only for a longer match. */
  private void tryEarlier(int at) {
    int shortest = MIN_LENGTH;
    int place = earlier[at];
    for (int tries = 0; place >= 0 && shortest <= ENOUGH && tries < MAX_TRIES; tries++) {
      if (at + shortest > bytes.length) {
        return;
      }
      // Most places fail here, which takes a fraction of the time that a whole comparison does.
      if (bytes[at + shortest - 1] == bytes[place + shortest - 1]) {
        int far = at - place;
        int bits = 2 + gammaBits((far + DISTANCE_BIAS) >> 8) + 8;
        shortest = Math.max(shortest, tryMatch(at, far, shortest, bits) + 1);
      }
      place = earlier[place];
    }
  }

  /** The length of the match. */
  private int tryMatch(int at, int far, int shortest, int bits) {
    int longest = matching(at, far);
    int start = cost[at] + bits;
    for (int size = shortest; size <= longest; size++) {
      improve(at, size, far, start + LENGTH_BITS[size]);
    }
    return longest;
  }

  private int matching(int at, int far) {
    int limit = Math.min(bytes.length - at, MAX_LENGTH);
    int size = 0;
    while (size < limit && bytes[at + size] == bytes[at - far + size]) {
      size++;
    }
    return size;
  }

  private void improve(int from, int size, int far, int bits) {
    if (bits < cost[from + size]) {
      cost[from + size] = bits;
      length[from + size] = size;
      distance[from + size] = far;
    }
  }

  private static int gammaBits(int value) {
    return 2 * (31 - Integer.numberOfLeadingZeros(value)) + 1;
  }

  private byte[] write() {
    int[] ends = new int[bytes.length];
    int items = 0;
    for (int end = bytes.length; end > 0; end -= length[end]) {
      ends[items++] = end;
    }
    Bits bits = new Bits(bytes.length);
    while (--items >= 0) {
      write(bits, ends[items]);
    }
    return bits.toArray();
  }

  private void write(Bits bits, int end) {
    int start = end - length[end];
    if (length[end] == 1) {
      bits.bit(0);
      bits.whole(bytes[start]);
      return;
    }
    bits.bit(1);
    if (distance[end] == distance[start]) {
      bits.bit(1);
    } else {
      int biased = distance[end] + DISTANCE_BIAS;
      bits.bit(0);
      bits.gamma(biased >> 8);
      bits.whole(biased);
    }
    bits.gamma(length[end] - 1);
  }

  /** Bits and bytes in one stream. */
  private static final class Bits {
    private byte[] out;
    private int size;

    /** Where the byte is whose bits are being filled, and how many are. */
    private int position;

    private int filled = 8;

    Bits(int expected) {
      out = new byte[expected + 16];
    }

    void whole(int value) {
      if (size == out.length) {
        out = Arrays.copyOf(out, 2 * size);
      }
      out[size++] = (byte) value;
    }

    void bit(int value) {
      if (filled == 8) {
        position = size;
        filled = 0;
        whole(0);
      }
      out[position] |= (byte) (value << filled++);
    }

    void gamma(int value) {
      for (int i = 30 - Integer.numberOfLeadingZeros(value); i >= 0; i--) {
        bit(1);
        bit((value >> i) & 1);
      }
      bit(0);
    }

    byte[] toArray() {
      return Arrays.copyOf(out, size);
    }
  }
}
