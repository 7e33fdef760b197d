package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.CgroupController;
import dev.cloister.host.CgroupPlace;
import dev.cloister.host.HostReport;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Limits;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A cgroup of the sandbox's own (cgroups(7)), which limits all its processes together.
 *
 * <p>It is two: the outer has the limits, the inner the processes. In a cgroup namespace of its own
 * the command could mount the hierarchy anew, with the cgroup it is in as the root, whose files are
 * its user's: those are not the ones with the limits.
 *
 * <p>The process that waits makes the outer one, which it never enters, and removes both in the
 * end; the other makes the inner one, and goes into it before anything else.
 */
public final class Cgroup {
  /** With the process id behind it, the name of a sandbox's cgroup. */
  public static final String NAME_PREFIX = "cloister-";

  private static final Slot PLACE = new Slot("cgroups");
  private static final Slot PID = new Slot("pid");
  private static final Slot OUTER_DIRECTORY = new Slot("cgroup");
  private static final Slot PROCESSES = new Slot("cgroup_procs");

  private static final String INNER_NAME = "sandbox";
  private static final Buffer OUTER = new Buffer("cgroup_name", 64);
  private static final Buffer INNER = new Buffer("inner_cgroup_name", 64);
  private static final Buffer INNER_PROCS = new Buffer("inner_cgroup_procs", 64);
  private static final Buffer KILL = new Buffer("cgroup_kill", 64);

  private static final Map<Errno, String> ENABLE_HINTS =
      Map.of(
          Errno.EACCES,
          "this user may not enable controllers in that cgroup",
          Errno.EBUSY,
          "a cgroup with processes in it can pass no controller on (cgroups(7))");

  private final Limits limits;
  private final CgroupPlace.Found place;

  private Cgroup(Limits limits, CgroupPlace.Found place) {
    this.limits = limits;
    this.place = place;
  }

  /**
   * The one that a sandbox needs, if it needs one.
   *
   * @throws PlanException if none can be made here
   */
  public static Optional<Cgroup> of(SandboxSpec spec, HostReport host) throws PlanException {
    Limits limits = spec.limits();
    if (!limits.needCgroup()) {
      return Optional.empty();
    }
    switch (host.allowance().cgroup(controllers(limits))) {
      case CgroupPlace.Refused refused ->
          throw new PlanException(
              "%s: %s (%s)".formatted(options(limits), refused.reason(), refused.remedy()));
      case CgroupPlace.Found found -> {
        return Optional.of(new Cgroup(limits, found));
      }
    }
  }

  /** Which controllers these limits need. */
  public static Set<CgroupController> controllers(Limits limits) {
    Set<CgroupController> controllers = EnumSet.noneOf(CgroupController.class);
    if (limits.memory().isPresent()) {
      controllers.add(CgroupController.MEMORY);
    }
    if (limits.pids().isPresent()) {
      controllers.add(CgroupController.PIDS);
    }
    if (limits.cpu().isPresent()) {
      controllers.add(CgroupController.CPU);
    }
    return controllers;
  }

  private static String options(Limits limits) {
    StringBuilder options = new StringBuilder();
    for (CgroupController controller : controllers(limits)) {
      options.append(options.isEmpty() ? "--" : ", --").append(controller.word());
    }
    return options.toString();
  }

  /** Finds the place and a name, before anything has another root. */
  List<Instruction> open() {
    List<Instruction> steps = new ArrayList<>();
    steps.add(Steps.openDirectory(place.directory(), PLACE));
    if (!place.missing().isEmpty()) {
      steps.addAll(
          Steps.writeFile(
              PLACE,
              "cgroup.subtree_control",
              CgroupController.words(place.missing(), "+"),
              ENABLE_HINTS));
    }
    steps.add(Call.of(SystemCall.GETPID).into(PID));
    steps.add(name(OUTER, ""));
    steps.add(name(INNER, "/" + INNER_NAME));
    steps.add(name(INNER_PROCS, "/" + INNER_NAME + "/cgroup.procs"));
    steps.add(name(KILL, "/cgroup.kill"));
    return steps;
  }

  /** Makes the outer cgroup, in the process that waits. */
  List<Instruction> make() {
    Call mkdir = mkdir(OUTER);
    return List.of(
        mkdir
            .recover(Errno.EEXIST, removeStale(mkdir))
            .hint(Errno.EACCES, "no cgroup is delegated to this user there")
            .hint(Errno.EAGAIN, "cgroup.max.descendants or cgroup.max.depth is reached above"));
  }

  private static Instruction name(Buffer into, String after) {
    return new Instruction.Compose(
        into,
        List.of(Operand.of(NAME_PREFIX), Operand.of(PID), Operand.of(after)),
        new Slot("name_length"));
  }

  private static Call mkdir(Buffer name) {
    return Call.of(SystemCall.MKDIRAT, Operand.of(PLACE), Operand.of(name), Steps.mode(0755));
  }

  /** What a process that once had this number could not remove; if it is in use, EBUSY. */
  private static List<Instruction> removeStale(Call mkdir) {
    return List.of(removeDirectory(INNER).tolerate(Errno.ENOENT), removeDirectory(OUTER), mkdir);
  }

  private static Call removeDirectory(Buffer name) {
    return Call.of(
            SystemCall.UNLINKAT,
            Operand.of(PLACE),
            Operand.of(name),
            Operand.of(LinuxConstant.AT_REMOVEDIR))
        .hint(Errno.EBUSY, "processes of a sandbox whose launcher was killed are still in it");
  }

  /** Sets the limits and goes into the cgroup, in the process that becomes the sandbox. */
  List<Instruction> join() {
    List<Instruction> steps = new ArrayList<>();
    steps.add(
        Call.of(
                SystemCall.OPENAT,
                Operand.of(PLACE),
                Operand.of(OUTER),
                Operand.of(
                    LinuxConstant.O_PATH, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
            .into(OUTER_DIRECTORY));
    if (limits.memory().isPresent()) {
      steps.addAll(write("memory.max", Long.toString(limits.memory().getAsLong())));
      steps.addAll(write("memory.oom.group", "1"));
      steps.addAll(forbidSwap());
    }
    if (limits.pids().isPresent()) {
      steps.addAll(write("pids.max", Long.toString(limits.pids().getAsLong())));
    }
    if (limits.cpu().isPresent()) {
      Limits.Cpu cpu = limits.cpu().get();
      steps.addAll(write("cpu.max", cpu.quotaMicros() + " " + cpu.periodMicros()));
    }
    steps.add(mkdir(INNER));
    steps.add(
        Call.of(
                SystemCall.OPENAT,
                Operand.of(PLACE),
                Operand.of(INNER_PROCS),
                Operand.of(LinuxConstant.O_WRONLY, LinuxConstant.O_CLOEXEC))
            .into(PROCESSES));
    steps.add(
        Call.of(SystemCall.WRITE, Operand.of(PROCESSES), Operand.of("0"), Operand.of(1))
            .hint(
                Errno.EACCES,
                "a process goes from one cgroup to another only where its user may write to"
                    + " cgroup.procs of one above both"));
    steps.add(Steps.close(PROCESSES));
    steps.add(Steps.close(OUTER_DIRECTORY));
    steps.add(Steps.close(PLACE));
    return steps;
  }

  private static List<Instruction> write(String file, String text) {
    return Steps.writeFile(OUTER_DIRECTORY, file, text, Map.of());
  }

  /**
   * Memory that is swapped out is not counted. A kernel without swap accounts for none: the file is
   * missing, and what is opened in its place cannot be written to.
   */
  private static List<Instruction> forbidSwap() {
    Slot file = new Slot("memory_swap_max");
    Call instead = Steps.openDirectory("/", file);
    return List.of(
        Call.of(
                SystemCall.OPENAT,
                Operand.of(OUTER_DIRECTORY),
                Operand.of("memory.swap.max"),
                Operand.of(LinuxConstant.O_WRONLY, LinuxConstant.O_CLOEXEC))
            .into(file)
            .recover(Errno.ENOENT, List.of(instead)),
        Call.of(SystemCall.WRITE, Operand.of(file), Operand.of("0"), Operand.of(1))
            .tolerate(Errno.EBADF),
        Steps.close(file));
  }

  /** Ends what is left in the cgroup and removes it, in the process that waited. */
  List<Instruction> remove() {
    return List.of(new Instruction.RemoveCgroup(PLACE, KILL, INNER, OUTER));
  }
}
