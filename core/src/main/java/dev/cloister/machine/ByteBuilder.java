package dev.cloister.machine;

import java.util.Arrays;

/** A growing array of bytes, little-endian. */
final class ByteBuilder {
  private byte[] bytes = new byte[1024];
  private int size;

  int size() {
    return size;
  }

  ByteBuilder u8(int value) {
    reserve(1);
    bytes[size++] = (byte) value;
    return this;
  }

  ByteBuilder u16(int value) {
    return u8(value).u8(value >> 8);
  }

  ByteBuilder u32(int value) {
    reserve(4);
    patch32(bytes, size, value);
    size += 4;
    return this;
  }

  ByteBuilder u64(long value) {
    return u32((int) value).u32((int) (value >> 32));
  }

  ByteBuilder bytes(byte[] more) {
    reserve(more.length);
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
    return this;
  }

  /** Adds zeros until the size is a multiple of {@code alignment}, a power of two. */
  ByteBuilder align(int alignment) {
    int aligned = (size + alignment - 1) & -alignment;
    reserve(aligned - size);
    size = aligned;
    return this;
  }

  byte[] toArray() {
    return Arrays.copyOf(bytes, size);
  }

  private void reserve(int more) {
    if (size + more > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more, bytes.length * 2));
    }
  }

  /** Writes {@code value} over the four bytes at {@code position}. */
  static void patch32(byte[] code, int position, int value) {
    code[position] = (byte) value;
    code[position + 1] = (byte) (value >> 8);
    code[position + 2] = (byte) (value >> 16);
    code[position + 3] = (byte) (value >> 24);
  }
}
