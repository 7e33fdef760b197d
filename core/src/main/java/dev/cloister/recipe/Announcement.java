package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.Reports;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Tells who asked for {@link Reports} which process is the first in the sandbox, and what its
 * namespaces are: the numbers of their files (namespaces(7)), in the form in which bubblewrap
 * writes them.
 *
 * <p>The process says so itself, before it becomes the command. What it is called outside it reads
 * in a {@code /proc} that was opened there: {@code self} in it has the number that the reader has
 * in the pid namespace of that procfs (proc(5)).
 */
final class Announcement {
  /** Behind standard error. */
  private static final int FIRST_OTHER = 3;

  private static final Slot EXECUTED = new Slot("executed");

  /** A pid has at most seven digits (proc_sys_kernel(5), pid_max). */
  private static final Buffer PID = new Buffer("child_pid", 16);

  private static final Slot PID_LENGTH = new Slot("child_pid_length");

  /** Seven members, the longest of 20 letters and a number of 20 digits. */
  private static final Buffer TEXT = new Buffer("report", 512);

  private static final Slot LENGTH = new Slot("report_length");

  private final SandboxSpec spec;

  private Announcement(SandboxSpec spec) {
    this.spec = spec;
  }

  /** In the process that becomes the command or its init, once it has all its namespaces. */
  static List<Instruction> of(SandboxSpec spec) {
    return spec.reports().any() ? new Announcement(spec).steps() : List.of();
  }

  private List<Instruction> steps() {
    List<Instruction> steps = new ArrayList<>();
    steps.add(
        Call.of(
                SystemCall.READLINKAT,
                Operand.of(Credentials.PROC),
                Operand.of("self"),
                Operand.of(PID),
                Operand.of(PID.size() - 1))
            .into(PID_LENGTH));
    steps.add(new Instruction.Terminate(PID, PID_LENGTH));
    for (String name : names()) {
      steps.add(
          Call.of(
              SystemCall.STATX,
              Operand.of(Credentials.PROC),
              Operand.of("self/ns/" + name),
              Operand.of(0),
              Operand.of(LinuxConstant.STATX_INO),
              Operand.of(number(name))));
    }
    OptionalInt info = spec.reports().info();
    OptionalInt status = spec.reports().status();
    if (info.isPresent()) {
      steps.addAll(write("--info-fd", info.getAsInt(), "{\n    ", ",\n    ", "\n}\n"));
    }
    if (status.isPresent()) {
      steps.addAll(write("--json-status-fd", status.getAsInt(), "{ ", ", ", " }\n"));
    }
    addClose(info, steps);
    if (!status.equals(info)) {
      addClose(status, steps);
    }
    return steps;
  }

  /**
   * Whoever asked may wait for the end of what is written before anything else goes on. A standard
   * descriptor stays: its number would become that of what is opened next.
   */
  private static void addClose(OptionalInt descriptor, List<Instruction> steps) {
    if (descriptor.isPresent() && descriptor.getAsInt() >= FIRST_OTHER) {
      steps.add(Steps.close(descriptor.getAsInt()));
    }
  }

  /** Those that are new, in alphabetical order, without the user namespace, as bubblewrap. */
  private List<String> names() {
    List<String> names = new ArrayList<>();
    addIfNew(names, Namespace.CGROUP);
    addIfNew(names, Namespace.IPC);
    names.add("mnt");
    addIfNew(names, Namespace.NET);
    addIfNew(names, Namespace.PID);
    addIfNew(names, Namespace.UTS);
    return names;
  }

  private void addIfNew(List<String> names, Namespace namespace) {
    if (spec.namespaces().contains(namespace)) {
      names.add(namespace.word());
    }
  }

  private static Buffer number(String name) {
    return new Buffer(name + "_namespace", LinuxStruct.STATX.size());
  }

  private List<Instruction> write(
      String option, int descriptor, String start, String between, String end) {
    List<Operand> parts = new ArrayList<>();
    parts.add(Operand.of(start + "\"child-pid\": "));
    parts.add(Operand.of(PID));
    for (String name : names()) {
      parts.add(Operand.of(between + "\"" + name + "-namespace\": "));
      parts.add(new Operand.Member(number(name), StructField.STATX_INO));
    }
    parts.add(Operand.of(end));
    return List.of(
        new Instruction.Compose(TEXT, parts, LENGTH),
        Call.of(SystemCall.WRITE, Operand.of(descriptor), Operand.of(TEXT), Operand.of(LENGTH))
            .hint(Errno.EBADF, option + " " + descriptor + " is not open for writing"));
  }

  /**
   * Where the process that becomes the command notes that it executes it, for the one that waits:
   * memory that both have, which execve(2) takes from the one. A filter of system calls has no say
   * in that.
   */
  static List<Instruction> prepare(SandboxSpec spec) {
    return spec.reports().status().isEmpty()
        ? List.of()
        : List.of(
            Call.of(
                    SystemCall.MMAP,
                    Operand.NULL,
                    Operand.of(Long.BYTES),
                    Operand.of(LinuxConstant.PROT_READ, LinuxConstant.PROT_WRITE),
                    Operand.of(LinuxConstant.MAP_SHARED, LinuxConstant.MAP_ANONYMOUS),
                    Operand.of(-1),
                    Operand.of(0))
                .into(EXECUTED));
  }

  /** That place, if there is one. */
  static Optional<Slot> executed(SandboxSpec spec) {
    return spec.reports().status().isPresent() ? Optional.of(EXECUTED) : Optional.empty();
  }

  /** How the process that waits says in the end how the command ended. */
  static Optional<Instruction.Supervise.ExitReport> exit(SandboxSpec spec) {
    return spec.reports().status().isPresent()
        ? Optional.of(
            new Instruction.Supervise.ExitReport(spec.reports().status().getAsInt(), EXECUTED))
        : Optional.empty();
  }
}
