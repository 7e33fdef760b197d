package dev.cloister.cli;

/** Text that fits into a terminal. */
final class Paragraph {
  private Paragraph() {}

  /**
   * Words that go on in a line which has {@code column} characters; further lines start below its
   * end. A word that is too long for a line is not broken.
   *
   * @param width of the terminal, in columns
   */
  static String wrapped(int column, String content, int width) {
    StringBuilder text = new StringBuilder();
    int used = column;
    boolean first = true;
    for (String word : content.split(" ", -1)) {
      if (!first && used + 1 + word.length() > width) {
        text.append('\n').append(" ".repeat(column));
        used = column;
      } else if (!first) {
        text.append(' ');
        used++;
      }
      text.append(word);
      used += word.length();
      first = false;
    }
    return text.append('\n').toString();
  }
}
