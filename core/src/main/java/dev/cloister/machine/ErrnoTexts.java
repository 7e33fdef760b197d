package dev.cloister.machine;

import dev.cloister.ffm.Errno;
import java.nio.charset.StandardCharsets;

/**
 * What a launcher knows of errnos: for each number from 0 a text that ends with NUL, or nothing.
 */
public final class ErrnoTexts {
  private static final byte[] COMPLETE = table(/* nameToo= */ true, /* onlyOurs= */ false);

  private ErrnoTexts() {}

  /** How many numbers there are. */
  static int count() {
    int last = 0;
    for (Errno errno : Errno.values()) {
      last = Math.max(last, errno.number());
    }
    return last + 1;
  }

  /** Name and text of each. Making the table takes a JVM that has just started a while. */
  public static byte[] complete() {
    return COMPLETE.clone();
  }

  /** The same, but of what no call of a launcher's says the name alone. */
  static byte[] small() {
    return table(/* nameToo= */ true, /* onlyOurs= */ true);
  }

  /** As strerror(3) has them. */
  static byte[] plain() {
    return table(/* nameToo= */ false, /* onlyOurs= */ false);
  }

  private static byte[] table(boolean nameToo, boolean onlyOurs) {
    String[] texts = new String[count()];
    for (Errno errno : Errno.values()) {
      String text = errno.text();
      if (nameToo) {
        text = onlyOurs && isForeign(errno) ? errno.name() : errno.name() + " (" + text + ")";
      }
      texts[errno.number()] = text;
    }
    StringBuilder table = new StringBuilder();
    for (String text : texts) {
      table.append(text == null ? "" : text).append('\0');
    }
    return table.toString().getBytes(StandardCharsets.US_ASCII);
  }

  /**
   * Those of STREAMS, of shared libraries of other systems and of XENIX (errno(3)): no call of a
   * launcher's has them, so one that must be small says no more than their names.
   */
  static boolean isForeign(Errno errno) {
    int number = errno.number();
    return (number >= Errno.ECHRNG.number() && number <= Errno.EPROTO.number())
        || (number >= Errno.EDOTDOT.number()
            && number <= Errno.ESTRPIPE.number()
            && errno != Errno.EOVERFLOW)
        || (number >= Errno.ENOTNAM.number() && number <= Errno.EREMOTEIO.number());
  }
}
