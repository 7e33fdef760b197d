package dev.cloister.cli;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The system calls of some processes, as {@code strace -f} writes them. */
final class Trace {
  private static final Pattern START = Pattern.compile("(\\d+) +(\\w+)\\((.*)");
  private static final Pattern RESUMED = Pattern.compile("(\\d+) +<\\.\\.\\. \\w+ resumed>(.*)");
  private static final Pattern FAILED = Pattern.compile(" = -1 (E\\w+)");

  /** One call; {@code text} is everything behind its name. */
  private record Entry(String name, String text) {
    boolean failed() {
      return FAILED.matcher(text).find();
    }

    boolean failed(String errno) {
      Matcher failure = FAILED.matcher(text);
      return failure.find() && failure.group(1).equals(errno);
    }

    boolean executes(String program) {
      return name.equals("execve") && !failed() && text.startsWith("\"" + program);
    }
  }

  private final Map<String, List<Entry>> processes;

  private Trace(Map<String, List<Entry>> processes) {
    this.processes = processes;
  }

  static Trace parse(String text) {
    Map<String, List<Entry>> processes = new HashMap<>();
    for (String line : text.lines().toList()) {
      Matcher start = START.matcher(line);
      Matcher resumed = RESUMED.matcher(line);
      if (start.lookingAt()) {
        processes
            .computeIfAbsent(start.group(1), _ -> new ArrayList<>())
            .add(new Entry(start.group(2), start.group(3)));
      } else if (resumed.lookingAt()) {
        List<Entry> calls = processes.getOrDefault(resumed.group(1), List.of());
        Entry unfinished = calls.removeLast();
        calls.add(new Entry(unfinished.name(), unfinished.text() + resumed.group(2)));
      }
    }
    return new Trace(processes);
  }

  /**
   * What the process did that executed {@code program}, from then on and as long as it was that:
   * names of calls, the next successful execve included.
   */
  List<String> callsOf(String program) {
    for (List<Entry> calls : processes.values()) {
      for (int i = 0; i < calls.size(); i++) {
        if (calls.get(i).executes(program)) {
          return names(calls.subList(i + 1, calls.size()));
        }
      }
    }
    throw new AssertionError("nobody executed " + program);
  }

  /** The same, and what each process did that this one, or one of those, started. */
  List<List<String>> callsOfEach(String program) {
    List<List<String>> each = new ArrayList<>(List.of(callsOf(program)));
    processes.entrySet().stream()
        .sorted(Comparator.comparingLong(entry -> Long.parseLong(entry.getKey())))
        .filter(entry -> entry.getValue().stream().noneMatch(call -> call.executes(program)))
        .forEach(entry -> each.add(names(entry.getValue())));
    return each;
  }

  /** What the process did that executed {@code program}, before that. */
  List<String> callsBefore(String program) {
    for (List<Entry> calls : processes.values()) {
      for (int i = 0; i < calls.size(); i++) {
        if (calls.get(i).executes(program)) {
          return names(calls.subList(0, i + 1));
        }
      }
    }
    throw new AssertionError("nobody executed " + program);
  }

  /**
   * Without what only the moment decides: commands tried along PATH (each miss is followed by a
   * look whether the file exists), calls repeated after EAGAIN, and a flag tried that old kernels
   * do not know.
   */
  private static List<String> names(List<Entry> calls) {
    List<String> names = new ArrayList<>();
    boolean searching = false;
    for (Entry call : calls) {
      boolean look = searching && call.name().equals("faccessat");
      boolean again = call.failed("EAGAIN");
      boolean oldKernel = call.name().equals("memfd_create") && call.failed();
      searching = (call.name().equals("execve") && call.failed()) || look;
      if (!searching && !again && !oldKernel) {
        names.add(call.name());
      }
      if (call.name().equals("execve") && !call.failed()) {
        break;
      }
    }
    return names;
  }

  /** Every program that was executed. */
  List<String> executed() {
    return processes.values().stream()
        .flatMap(List::stream)
        .filter(call -> call.name().equals("execve") && !call.failed())
        .map(call -> call.text().split("\"", 3)[1])
        .toList();
  }
}
