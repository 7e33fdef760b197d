package dev.cloister.ffm;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/** Bytes for tests. */
final class Bytes {
  private Bytes() {}

  /** One byte for each character up to {@code \u00ff}. */
  static byte[] of(String latin1) {
    return latin1.getBytes(StandardCharsets.ISO_8859_1);
  }

  static List<byte[]> listOf(String... latin1) {
    return Stream.of(latin1).map(Bytes::of).toList();
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  static String readAll(Descriptor file) throws LinuxException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] buffer = new byte[4096];
    for (int count = file.read(buffer); count > 0; count = file.read(buffer)) {
      all.write(buffer, 0, count);
    }
    return text(all.toByteArray());
  }
}
