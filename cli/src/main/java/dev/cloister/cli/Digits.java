package dev.cloister.cli;

/**
 * Looks for digits. Regular expressions would do, but their classes would then be in the cache that
 * every start maps, and slow down each (docs/adr/0004-start-up.md).
 */
final class Digits {
  private Digits() {}

  static boolean is(char c) {
    return c >= '0' && c <= '9';
  }

  /** Whether there are from one to {@code most} digits and nothing else: no sign, no blanks. */
  static boolean only(String text, int most) {
    for (int i = 0; i < text.length(); i++) {
      if (!is(text.charAt(i))) {
        return false;
      }
    }
    return !text.isEmpty() && text.length() <= most;
  }
}
