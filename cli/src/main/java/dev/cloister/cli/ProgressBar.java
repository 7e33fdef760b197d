package dev.cloister.cli;

import java.util.function.Consumer;
import java.util.function.DoubleConsumer;

/** How far something is, in one line that is written over. */
final class ProgressBar implements DoubleConsumer, AutoCloseable {
  private static final int CELLS = 40;
  private static final int ALL = 100;

  private final Consumer<String> terminal;
  private final String label;
  private int shown = -1;

  /**
   * Not there before it is told for the first time.
   *
   * @param terminal where it is written
   * @param label what is done
   */
  ProgressBar(Consumer<String> terminal, String label) {
    this.terminal = terminal;
    this.label = label;
  }

  /**
   * Shows it, if that looks different now.
   *
   * @param done from 0 to 1
   */
  @Override
  public void accept(double done) {
    int percent = (int) (done * ALL);
    if (percent != shown) {
      terminal.accept("\r" + line(percent));
      shown = percent;
    }
  }

  private String line(int percent) {
    int full = percent * CELLS / ALL;
    String bar = "#".repeat(full) + ".".repeat(CELLS - full);
    return "%s [%s] %3d %%".formatted(label, bar, percent);
  }

  /** Removes it. With blanks: that works on any terminal. */
  @Override
  public void close() {
    if (shown >= 0) {
      terminal.accept("\r" + " ".repeat(line(shown).length()) + "\r");
    }
  }
}
