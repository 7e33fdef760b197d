package dev.cloister.cli;

import dev.cloister.host.Workaround;
import dev.cloister.probe.Capability;
import dev.cloister.probe.Limit;
import dev.cloister.program.Listing;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Cause;
import dev.cloister.strategy.Assessment.Failure;
import dev.cloister.strategy.Guarantee;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A {@link ProbeReport} for a person. A cause that many rows share is said once, behind the
 * strategies, and has a number.
 */
final class ProbeTable {
  private static final String GREEN = "\u001b[32m";
  private static final String RED = "\u001b[31m";
  private static final String PLAIN = "\u001b[0m";

  /** Where rows start behind their verdict. */
  private static final int INDENT = 7;

  private final ProbeReport report;
  private final boolean colour;
  private final int width;
  private final StringBuilder text = new StringBuilder();
  private final Map<Cause, Note> notes = new LinkedHashMap<>();

  /**
   * A cause.
   *
   * @param failures of those that have it; shown if no strategy is among them
   */
  private record Note(int number, Cause cause, List<String> failures) {
    String mark() {
      return "[" + number + "]";
    }
  }

  private ProbeTable(ProbeReport report, boolean colour, int width) {
    this.report = report;
    this.colour = colour;
    this.width = width;
    report.strategies().forEach(strategy -> note(strategy.assessment()));
    // Those failures stand with the strategies.
    int said = notes.size();
    report.capabilities().values().forEach(this::note);
    report.limits().forEach(limit -> note(limit.assessment()));
    notes.values().stream().limit(said).forEach(note -> note.failures().clear());
  }

  private void note(Assessment verdict) {
    if (verdict instanceof Assessment.Unusable unusable) {
      Cause cause = key(unusable);
      Note note =
          notes.computeIfAbsent(cause, it -> new Note(notes.size() + 1, it, new ArrayList<>()));
      unusable.failure().ifPresent(failure -> note.failures().add(failure.toString()));
    }
  }

  /** Failures of unknown cause are the same only if they are. */
  private static Cause key(Assessment.Unusable unusable) {
    return unusable.cause().text().isEmpty()
        ? new Cause(unusable.reason(), unusable.remedy())
        : unusable.cause();
  }

  private Note noteOf(Assessment.Unusable unusable) {
    return java.util.Objects.requireNonNull(notes.get(key(unusable)));
  }

  /**
   * Everything.
   *
   * @param width of the terminal, in columns
   */
  static String of(ProbeReport report, boolean colour, int width) {
    ProbeTable table = new ProbeTable(report, colour, width);
    table.addHost();
    table.addStrategies();
    table.addNotes();
    table.addGroups();
    table.addAttachments();
    return table.text.toString();
  }

  /** One strategy: all steps of its trial, which failed, why, and what helps. */
  static String ofOne(ProbeReport report, boolean colour, int width) {
    ProbeTable table = new ProbeTable(report, colour, width);
    table.addHost();
    ProbeReport.Strategy strategy = report.strategies().getFirst();
    boolean usable = strategy.assessment() instanceof Assessment.Usable;
    table.addCell(usable, strategy.name() + remark(strategy, false));
    table.text.append('\n');
    if (usable) {
      table.addWrapped(INDENT, "guarantees: ", Guarantee.words(strategy.guarantees()));
      table.addOutOfReach(strategy);
      table.text.append('\n');
    }
    strategy.program().ifPresent(program -> table.addSteps(program, strategy.assessment()));
    table.addNotes();
    table.addAttachments();
    return table.text.toString();
  }

  private void addHost() {
    List<String> facts = new ArrayList<>();
    facts.add(report.evidence().kernel());
    facts.add("uid " + Long.toUnsignedString(report.caller().uid()));
    facts.add(capabilities(report.caller().capabilities()));
    facts.add(report.caller().seccomp() == 0 ? "no seccomp filter" : "a seccomp filter");
    if (report.caller().noNewPrivs()) {
      facts.add("no_new_privs");
    }
    if (!report.evidence().modules().isEmpty()) {
      facts.add("security modules " + String.join(" ", report.evidence().modules()));
    }
    report.evidence().label().ifPresent(label -> facts.add("labelled " + label));
    report.evidence().container().ifPresent(name -> facts.add("a container's traces: " + name));
    if (report.evidence().chroot().isPresent()) {
      facts.add("in a chroot");
    }
    addWrapped(0, "", String.join(", ", facts));
  }

  private static String capabilities(long bits) {
    if (bits == 0) {
      return "no capabilities";
    }
    // Every kernel that Cloister runs on has 38 of them at least, and none has holes.
    boolean all = Long.bitCount(bits) >= 38 && (bits & bits + 1) == 0;
    return all ? "all capabilities" : "capabilities " + Long.toHexString(bits);
  }

  private void addStrategies() {
    text.append("\nstrategies\n");
    int longest = report.strategies().stream().mapToInt(s -> s.name().length()).max().orElse(0);
    for (ProbeReport.Strategy strategy : report.strategies()) {
      String name = strategy.name();
      switch (strategy.assessment()) {
        case Assessment.Usable _ -> {
          boolean first = report.choice().equals(Optional.of(name));
          addCell(true, name + remark(strategy, first));
          text.append('\n');
          addOutOfReach(strategy);
        }
        case Assessment.Unusable unusable -> {
          String cell = pad(name, longest) + "  " + noteOf(unusable).mark();
          addCell(false, cell);
          addFailure(INDENT + cell.length(), unusable);
        }
      }
    }
  }

  /** What other options than {@code --strategy} cannot add. */
  private void addOutOfReach(ProbeReport.Strategy strategy) {
    if (!strategy.outOfReach().isEmpty()) {
      addWrapped(INDENT, "cannot guarantee: ", Guarantee.words(strategy.outOfReach()));
    }
  }

  /** What there is to say of a strategy that can be used. */
  private static String remark(ProbeReport.Strategy strategy, boolean first) {
    List<String> remarks = new ArrayList<>();
    if (first) {
      remarks.add("default");
    }
    if (!strategy.ownView()) {
      remarks.add("only access control: no file system of its own");
    }
    if (strategy.assessment() instanceof Assessment.Usable usable
        && !usable.workarounds().isEmpty()) {
      remarks.add("with " + Workaround.words(usable.workarounds()));
    }
    return remarks.isEmpty() ? "" : " (" + String.join("; ", remarks) + ")";
  }

  private void addFailure(int column, Assessment.Unusable unusable) {
    if (unusable.failure().isEmpty()) {
      text.append('\n');
      return;
    }
    Failure failure = unusable.failure().get();
    String step = failure.step() == 0 ? "" : "step " + failure.step() + ": ";
    text.append(' ');
    appendWrapped(column + 1, step + failure);
  }

  private void addNotes() {
    for (Note note : notes.values()) {
      text.append('\n');
      String indent = " ".repeat(note.mark().length() + 3);
      addWrapped(2, note.mark() + " because: ", note.cause().text());
      for (String failure : note.failures().stream().distinct().limit(1).toList()) {
        addWrapped(0, indent + "failed:  ", failure);
      }
      for (String where : note.cause().evidence()) {
        addWrapped(0, indent + "seen in: ", where);
      }
      String below = note.cause().attachment().isEmpty() ? "" : " (text below)";
      addWrapped(0, indent + "remedy:  ", note.cause().remedy() + below);
    }
  }

  private void addGroups() {
    for (Capability.Group group : Capability.Group.values()) {
      List<Cell> cells = new ArrayList<>();
      report
          .capabilities()
          .forEach(
              (capability, verdict) -> {
                if (capability.group() == group) {
                  cells.add(cell(capability.description(), verdict));
                }
              });
      if (group == Capability.Group.LIMITS) {
        for (Limit limit : report.limits()) {
          cells.add(cell(limit.name() + ": " + limit.value(), limit.assessment()));
        }
      }
      if (!cells.isEmpty()) {
        text.append('\n').append(group.name().toLowerCase(Locale.ROOT)).append('\n');
        addCells(cells);
      }
    }
  }

  /** A verdict and what it is about. */
  private record Cell(boolean usable, String text) {}

  private Cell cell(String description, Assessment verdict) {
    return switch (verdict) {
      case Assessment.Usable _ -> new Cell(true, description);
      case Assessment.Unusable unusable ->
          new Cell(false, description + " " + noteOf(unusable).mark());
    };
  }

  /** As many columns as fit; read downwards. */
  private void addCells(List<Cell> cells) {
    int cell = INDENT + cells.stream().mapToInt(c -> c.text().length()).max().orElse(0);
    int columns = Math.max(1, (width + 1) / (cell + 1));
    int rows = (cells.size() + columns - 1) / columns;
    for (int row = 0; row < rows; row++) {
      for (int i = row; i < cells.size(); i += rows) {
        boolean last = i + rows >= cells.size();
        String content = cells.get(i).text();
        addCell(cells.get(i).usable(), last ? content : pad(content, cell - INDENT));
      }
      text.append('\n');
    }
  }

  private void addCell(boolean usable, String content) {
    String word = usable ? "yes" : "no";
    text.append("  ").append(colour ? usable ? GREEN : RED : "").append(word);
    text.append(colour ? PLAIN : "").append(" ".repeat(INDENT - 2 - word.length()));
    text.append(content);
  }

  private static String pad(String word, int length) {
    return word + " ".repeat(Math.max(0, length - word.length()));
  }

  private void addSteps(SyscallProgram program, Assessment assessment) {
    Optional<Failure> failure =
        assessment instanceof Assessment.Unusable unusable ? unusable.failure() : Optional.empty();
    int failed = failure.map(Failure::step).orElse(0);
    for (String line : Listing.of(program, OsString.of("the trial's command"))) {
      boolean here = failed != 0 && line.startsWith("%4d  ".formatted(failed));
      text.append(here ? ">" + line.substring(1) : line).append('\n');
      if (here) {
        text.append(colour ? RED : "").append("      failed with ");
        text.append(failure.map(it -> it.errno() + " (" + it.errnoText() + ")").orElse(""));
        text.append(colour ? PLAIN : "").append('\n');
      }
    }
    if (failed == 0) {
      failure.ifPresent(it -> addWrapped(6, "failed: ", it.toString()));
    }
  }

  private void addAttachments() {
    for (Note note : notes.values()) {
      if (!note.cause().attachment().isEmpty()) {
        text.append('\n').append("for ").append(note.mark()).append(":\n");
        // Not wrapped, not indented: it is to be copied.
        note.cause().attachment().forEach(line -> text.append(line).append('\n'));
      }
    }
  }

  /** A paragraph that starts with {@code label}; further lines start below its end. */
  private void addWrapped(int indent, String label, String content) {
    text.append(" ".repeat(indent)).append(label);
    appendWrapped(indent + label.length(), content);
  }

  /** Goes on in a line that has {@code column} characters; further lines start below its end. */
  private void appendWrapped(int column, String content) {
    text.append(Paragraph.wrapped(column, content, width));
  }
}
