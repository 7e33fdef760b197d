package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private final List<String> written = new ArrayList<>();
  private final ProgressBar bar = new ProgressBar(written::add, "at work");

  @Test
  void isWrittenOver() {
    bar.accept(0);
    bar.accept(0.5);
    bar.accept(1);
    assertEquals(
        List.of(
            "\rat work [........................................]   0 %",
            "\rat work [####################....................]  50 %",
            "\rat work [########################################] 100 %"),
        written);
  }

  /** The terminal's own work is not to be measured. */
  @Test
  void isWrittenOnlyIfItChanges() {
    for (int i = 0; i < 10_000; i++) {
      bar.accept(i / 10_000.0);
    }
    assertEquals(100, written.size());
  }

  @Test
  void goesWithoutATrace() {
    bar.accept(0.5);
    bar.close();
    String line = written.getFirst().substring(1);
    assertEquals("\r" + " ".repeat(line.length()) + "\r", written.getLast());
  }

  @Test
  void isNotThereBeforeTheBeginning() {
    bar.close();
    assertEquals(List.of(), written);
  }
}
