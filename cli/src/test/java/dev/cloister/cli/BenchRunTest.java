package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.cli.BenchReport.Measured;
import dev.cloister.cli.BenchSubject.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchRunTest {
  private static final int ROUNDS = 12;

  private final List<String> started = new ArrayList<>();

  private BenchSubject subject(String name, String... command) {
    return new BenchSubject(
        name,
        Kind.PEER,
        () -> {
          started.add(name);
          return new ProcessBuilder(command).start();
        });
  }

  private List<BenchSubject> subjects() {
    return List.of(subject("a", "true"), subject("b", "true"), subject("c", "true"));
  }

  @Test
  void takesOneOfEachInEveryRound() throws Exception {
    List<Double> progress = new ArrayList<>();
    List<Measured> measured = BenchRun.measure(subjects(), BenchPace.of(ROUNDS), progress::add);

    assertEquals(List.of("a", "b", "c"), measured.stream().map(Measured::name).toList());
    for (Measured subject : measured) {
      assertEquals(ROUNDS, subject.samples().count());
      assertTrue(subject.samples().min() > 0, subject::toString);
    }
    assertEquals(3 * ROUNDS, started.size());
    for (int i = 0; i < started.size(); i += 3) {
      assertEquals(3, new HashSet<>(started.subList(i, i + 3)).size(), started::toString);
    }
    assertEquals(ROUNDS, progress.size());
    assertEquals(1, progress.getLast());
  }

  /** Nobody always comes after the same one, which may leave work behind. */
  @Test
  void drawsTheOrderAnew() throws Exception {
    BenchRun.measure(subjects(), BenchPace.of(ROUNDS), _ -> {});

    HashSet<List<String>> orders = new HashSet<>();
    for (int i = 0; i < started.size(); i += 3) {
      orders.add(List.copyOf(started.subList(i, i + 3)));
    }
    assertTrue(orders.size() > 2, orders::toString);
  }

  @Test
  void namesWhoFailed() {
    List<BenchSubject> subjects = List.of(subject("good", "true"), subject("bad", "false"));
    IOException thrown =
        assertThrows(IOException.class, () -> BenchRun.measure(subjects, BenchPace.of(2), _ -> {}));
    assertEquals("bad: a start ended with status 1", thrown.getMessage());
  }
}
