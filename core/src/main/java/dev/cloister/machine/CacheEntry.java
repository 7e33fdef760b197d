package dev.cloister.machine;

import dev.cloister.spec.OsString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A launcher as the cache keeps it: with what it was compiled for, and what must still be so.
 *
 * <p>It is no executable. {@link LookupProgram} writes the launcher to a file of its own, under the
 * name that is filled in where the launcher has this entry's, so that nothing ever runs from the
 * cache, and no process that runs leads to it.
 */
public final class CacheEntry {
  /** What is longer is not kept, and not read. */
  public static final int MAX_SIZE = 256 * 1024;

  /** How many digits of a launcher's name tell it from others. */
  public static final int DIGITS = 20;

  static final long MAGIC = 0x3152_5453_494f_4c43L; // "CLOISTR1"
  static final int SIZE_AT = 8;
  static final int KEY_LENGTH_AT = 16;
  static final int CONDITIONS_AT = 24;
  static final int IMAGE_AT = 32;
  static final int IMAGE_SIZE_AT = 40;
  static final int PLACES_AT = 48;
  static final int PLACES_COUNT_AT = 56;
  static final int KEY_AT = 64;

  private CacheEntry() {}

  /** What a launcher is found by. */
  public static final class Key {
    private final ByteBuilder bytes = new ByteBuilder();

    /**
     * A key.
     *
     * @param boot what {@code /proc/sys/kernel/random/boot_id} says; after a crash, files may lack
     *     what was written last, so those of an earlier boot are not looked at
     * @param directory the working directory
     * @param words the subcommand and its options, with {@code --} where it was given
     */
    public Key(byte[] boot, OsString build, OsString directory, List<OsString> words) {
      bytes.bytes(boot).bytes(build.bytes()).u8(0).bytes(directory.bytes()).u8(0);
      for (OsString word : words) {
        bytes.bytes(word.bytes()).u8(0);
      }
    }

    /** The name of the entry's file: 16 hexadecimal digits. */
    public String fileName() {
      long hash = 0;
      for (byte b : bytes.toArray()) {
        hash = hash * 33 + (b & 0xff);
      }
      StringBuilder name = new StringBuilder();
      for (int shift = 60; shift >= 0; shift -= 4) {
        name.append(Character.forDigit((int) (hash >> shift) & 15, 16));
      }
      return name.toString();
    }
  }

  /**
   * The file's bytes.
   *
   * @param digits the {@value #DIGITS} digits in the launcher's name, wherever it has that
   */
  public static byte[] encode(Key key, CacheConditions conditions, ElfImage image, String digits) {
    byte[] words = key.bytes.toArray();
    byte[] table = conditions.bytes();
    byte[] launcher = image.bytes();
    List<Integer> places = places(launcher, OsString.of(digits).bytes());
    int conditionsAt = aligned(KEY_AT + words.length);
    int placesAt = conditionsAt + aligned(table.length);
    int imageAt = placesAt + 8 * places.size();
    int size = imageAt + aligned(launcher.length) + 8;
    ByteBuffer entry = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    entry.putLong(MAGIC).putLong(size).putLong(words.length).putLong(conditionsAt);
    entry.putLong(imageAt).putLong(launcher.length).putLong(placesAt).putLong(places.size());
    entry.put(words).position(conditionsAt);
    entry.put(table).position(placesAt);
    for (int place : places) {
      entry.putLong(place);
    }
    entry.put(launcher);
    entry.putLong(size - 8, sum(entry, size - 8));
    return entry.array();
  }

  /** Against accidents, not against whoever may write here anyway: no two words differ unseen. */
  private static long sum(ByteBuffer entry, int end) {
    long sum = 0;
    for (int i = 0; i < end; i += 8) {
      sum = sum * 33 + entry.getLong(i);
    }
    return sum;
  }

  private static List<Integer> places(byte[] image, byte[] digits) {
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i + digits.length <= image.length; i++) {
      if (image[i] == digits[0]
          && Arrays.equals(image, i, i + digits.length, digits, 0, digits.length)) {
        places.add(i);
      }
    }
    return places;
  }

  private static int aligned(int size) {
    return size + 7 & -8;
  }
}
