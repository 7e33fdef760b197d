package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;

/** A process that has ended, and what it wrote. */
record Ran(List<String> command, int status, String out, String err) {
  Ran {
    command = List.copyOf(command);
  }

  Ran exits(int expected) {
    assertEquals(expected, status, this::toString);
    return this;
  }

  /** Holds if it ended well and wrote just this. */
  Ran prints(String expected) {
    exits(0);
    assertEquals(expected, out, this::toString);
    return this;
  }

  /** The same on standard error, and nothing on the other. */
  Ran writes(String expected) {
    exits(0);
    assertEquals(expected, err, this::toString);
    assertEquals("", out, this::toString);
    return this;
  }

  List<String> lines() {
    return out.lines().toList();
  }

  boolean hasLine(String line) {
    return out.lines().anyMatch(line::equals);
  }

  void assertLine(String line) {
    assertTrue(hasLine(line), () -> "no line " + line + " in: " + this);
  }

  void assertNoLine(String line) {
    assertFalse(hasLine(line), () -> "unexpected line " + line + " in: " + this);
  }

  /**
   * Holds if Cloister ended with {@code expected}, said so in one line that contains every one of
   * {@code words} (a hint may follow), and wrote nothing else.
   */
  Ran refuses(int expected, String... words) {
    return refusesAs("cloister: ", expected, words);
  }

  /** The same for who speaks under another name. */
  Ran refusesAs(String prefix, int expected, String... words) {
    exits(expected);
    assertEquals("", out, this::toString);
    List<String> said = err.lines().toList();
    assertFalse(said.isEmpty(), this::toString);
    assertTrue(said.getFirst().startsWith(prefix), this::toString);
    assertTrue(
        said.stream().skip(1).allMatch(line -> line.startsWith("hint: ")) && said.size() <= 2,
        this::toString);
    for (String word : words) {
      assertTrue(said.getFirst().contains(word), () -> "does not name " + word + ": " + this);
    }
    return this;
  }

  @Override
  public String toString() {
    return "%s%nstatus %d%nout: %s%nerr: %s".formatted(command, status, out, err);
  }
}
