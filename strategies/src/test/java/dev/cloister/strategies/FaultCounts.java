package dev.cloister.strategies;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** How much was tried, for the summary of the build. */
final class FaultCounts {
  private final Set<String> strategies = new TreeSet<>();
  private final Set<String> users = new TreeSet<>();
  private int programs;
  private int steps;
  private int faults;
  private int kills;

  @Override
  public String toString() {
    return "steps=%d, faults=%d, kills=%d".formatted(steps, faults, kills);
  }

  void addCase(String strategy, String user) {
    strategies.add(strategy);
    users.add(user);
    programs++;
  }

  void addSteps(int count) {
    steps += count;
  }

  void addFault() {
    faults++;
  }

  void addKill() {
    kills++;
  }

  /** One line each: the summary of the build reads it. */
  void write(Path file) throws IOException {
    String text =
        "strategies=%d%nusers=%d%nprograms=%d%nsteps=%d%nfaults=%d%nkills=%d%n"
            .formatted(strategies.size(), users.size(), programs, steps, faults, kills);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    System.out.println("fault injection: " + text.strip().replace("\n", ", "));
  }
}
