package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.CloseListed;
import dev.cloister.program.Instruction.CloseListed.Whose;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.Handover;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Which descriptors are open when: first those of the caller that something needs, together with
 * the program's own; in the end those that are the command's.
 *
 * <p>Whatever the program opens itself is closed on exec, and what the caller left open for it is
 * not, or it would not be here. So the two can be told apart where the command gets the caller's,
 * whatever their numbers. What is used of the caller's is made one of the program's own.
 */
public final class InheritedDescriptors {
  /**
   * The first of the program's own numbers that are known when it is compiled. High enough to be
   * free, unless the caller uses it, low enough for any usual limit.
   */
  static final int FIRST_KNOWN = 64;

  /** The last of them: no launcher needs a higher one, unless the caller uses some of these. */
  public static final int LAST_KNOWN = FIRST_KNOWN + 1;

  /** Behind standard error. */
  private static final int FIRST_OTHER = 3;

  private static final Slot LISTED = new Slot("descriptors");
  private static final Buffer NO_SIGNAL = new Buffer("no_signal", 8);
  private static final Operand END = new Operand.Literal(0xffff_ffffL, "~0U");

  private final CallerDescriptors descriptors;
  private final int first;

  InheritedDescriptors(Handover handover, CallerDescriptors descriptors) {
    this.descriptors = descriptors;
    this.first = handover.firstFree();
  }

  public InheritedDescriptors(SandboxSpec spec) {
    this(spec.handover(), spec.descriptors());
  }

  /** The number that the first descriptor gets which the program opens, unless it is inherited. */
  int firstOwn() {
    return descriptors.firstUnused(first, 1);
  }

  /** A number for one of the program's own that must be known when it is compiled. */
  int ownNumber(int wanted) {
    return descriptors.firstUnused(wanted, 1);
  }

  /** Gives a descriptor such a number, which must not be one that the command inherits. */
  List<Instruction> duplicate(Slot descriptor, int as) {
    List<Instruction> steps = new ArrayList<>(requireFree(as));
    steps.add(Steps.duplicate(descriptor, as));
    return steps;
  }

  /** Ends where the command is to inherit this one, which the program needs for itself here. */
  public List<Instruction> requireFree(int number) {
    Call look = Call.of(SystemCall.FCNTL, Operand.of(number), Operand.of(LinuxConstant.F_GETFD));
    return descriptors.inherited()
        ? List.of(
            new Instruction.ExpectFailure(
                look.tolerate(Errno.EBADF),
                "descriptor " + number + " cannot be inherited on this host: Cloister needs it"))
        : List.of();
  }

  /**
   * Closes at the start what is neither needed nor for the command.
   *
   * @param more what else to do where close_range(2) is missing
   */
  List<Instruction> closeOthers(List<Instruction> more) {
    if (descriptors.inherited()) {
      return List.of();
    }
    List<Integer> kept = descriptors.numbersFrom(first);
    List<Instruction> instead = new ArrayList<>();
    // A number for the directory, should every one below the limit be taken.
    instead.add(
        Call.of(SystemCall.CLOSE, Operand.of(firstOwn()))
            .tolerate(Errno.EBADF, Errno.EINTR, Errno.EIO, Errno.ENOSPC, Errno.EDQUOT));
    instead.add(openList(Operand.of(LinuxConstant.AT_FDCWD), "/proc/self/fd"));
    instead.add(new CloseListed(LISTED, first, Whose.ANYONES, operands(kept)));
    instead.addAll(more);
    return closeRanges(kept, List.copyOf(instead));
  }

  /**
   * Proves that those which are needed are open; of the standard ones, that they are none of what
   * takes the place of those that the caller had closed ({@code signalfd4(-1, [], 8, 0)}).
   *
   * @param leaveOpen whether another program, which this one executes, needs them; else they are
   *     the program's own from now on
   */
  public List<Instruction> require(boolean leaveOpen) {
    List<Instruction> steps = new ArrayList<>();
    for (CallerDescriptors.Use use : descriptors.uses()) {
      String otherwise = use + ": not an open descriptor";
      if (use.number() < FIRST_OTHER) {
        Call isPlaceholder =
            Call.of(
                SystemCall.SIGNALFD4,
                Operand.of(use.number()),
                Operand.of(NO_SIGNAL),
                Operand.of(NO_SIGNAL.size()),
                Operand.of(0));
        steps.add(
            new Instruction.ExpectFailure(
                isPlaceholder.tolerate(Errno.EINVAL, Errno.EBADF), otherwise));
      }
      Call look = leaveOpen && !descriptors.held().contains(use.number()) ? get(use) : own(use);
      steps.add(look.hint(Errno.EBADF, otherwise));
    }
    return steps;
  }

  private static Call get(CallerDescriptors.Use use) {
    return Call.of(SystemCall.FCNTL, Operand.of(use.number()), Operand.of(LinuxConstant.F_GETFD));
  }

  private static Call own(CallerDescriptors.Use use) {
    return own(use.number());
  }

  /** Lets another program have what is held here: something else may need that there. */
  List<Call> leaveHeld() {
    List<Call> steps = new ArrayList<>();
    for (int number : descriptors.held()) {
      steps.add(
          Call.of(
              SystemCall.FCNTL,
              Operand.of(number),
              Operand.of(LinuxConstant.F_SETFD),
              Steps.NO_FLAGS));
    }
    return steps;
  }

  /** Lets a descriptor that another program left open be closed on exec. */
  public static Call own(int number) {
    return Call.of(
        SystemCall.FCNTL,
        Operand.of(number),
        Operand.of(LinuxConstant.F_SETFD),
        Operand.of(LinuxConstant.FD_CLOEXEC));
  }

  /**
   * Leaves no descriptor but the standard ones and what is the command's. Some of those used so far
   * are of the host's directories, and a link planted in what is bound can name them: through
   * {@code /proc/self/fd/3} the command would start outside (CVE-2024-21626 was this in runc).
   *
   * @param proc a descriptor of a /proc that shows this process, needed without close_range(2) and
   *     where descriptors are inherited
   * @param kept the numbers of what else is left open
   */
  List<Instruction> closeOwn(Operand proc, List<Integer> kept) {
    return closeOwn(proc, kept, operands(kept));
  }

  /** The same for a process whose last of its own are the list and one with a number unknown. */
  List<Instruction> closeOwnBut(Slot kept, Operand proc) {
    return closeOwn(proc, List.of(), List.of(Operand.of(kept), Operand.of(LISTED)));
  }

  private List<Instruction> closeOwn(Operand proc, List<Integer> kept, List<Operand> listed) {
    List<Instruction> steps = new ArrayList<>();
    if (descriptors.inherited()) {
      steps.add(openList(proc, "self/fd"));
      steps.add(new CloseListed(LISTED, FIRST_OTHER, Whose.OWN, listed));
    } else {
      List<Instruction> instead =
          List.of(openList(proc, "self/fd"), new CloseListed(LISTED, first, Whose.ANYONES, listed));
      steps.addAll(closeRanges(kept, instead));
    }
    return steps;
  }

  /** The same where the program has opened none itself. */
  List<Instruction> closeUsed() {
    List<Instruction> steps = new ArrayList<>();
    for (int number : descriptors.numbersFrom(FIRST_OTHER)) {
      steps.add(Steps.close(number));
    }
    return steps;
  }

  /**
   * Closes what was used of the standard ones. Last of all: their numbers are free then for what is
   * opened next, and it is taken for a standard one.
   */
  List<Instruction> closeStandard() {
    List<Instruction> steps = new ArrayList<>();
    for (int number : descriptors.numbersFrom(0)) {
      if (number < FIRST_OTHER) {
        steps.add(Steps.close(number));
      }
    }
    return steps;
  }

  /** For a process that waits: closes what the command has inherited, of which it needs nothing. */
  List<Instruction> closeInherited() {
    return descriptors.inherited()
        ? List.of(
            new Instruction.IfSet(
                LISTED,
                List.of(new CloseListed(LISTED, FIRST_OTHER, Whose.CALLERS, List.of())),
                List.of()))
        : List.of();
  }

  /** What that needs, where no list was kept open for it. */
  List<Instruction> list(Operand proc) {
    return descriptors.inherited() ? List.of(openList(proc, "self/fd")) : List.of();
  }

  /** For the child of a process that keeps the list. */
  List<Instruction> closeList() {
    return descriptors.inherited() ? List.of(Steps.close(LISTED)) : List.of();
  }

  /**
   * EPERM is none of the errors of close_range(2): container runtimes' older seccomp filters say it
   * for every call they do not know.
   *
   * @param kept in ascending order, what lies between the ranges
   * @param without what closes all that without close_range(2); as one list for both errnos its
   *     code is written once
   */
  private List<Instruction> closeRanges(List<Integer> kept, List<Instruction> without) {
    List<Instruction> steps = new ArrayList<>();
    int start = first;
    for (int number : kept) {
      if (number > start) {
        steps.add(closeRange(start, Operand.of(number - 1), steps.isEmpty(), without));
      }
      start = number + 1;
    }
    steps.add(closeRange(start, END, steps.isEmpty(), without));
    return steps;
  }

  private static Call closeRange(int from, Operand to, boolean isFirst, List<Instruction> without) {
    Call close = Call.of(SystemCall.CLOSE_RANGE, Operand.of(from), to, Steps.NO_FLAGS);
    return isFirst
        ? close.recover(Errno.ENOSYS, without).recover(Errno.EPERM, without)
        : close.tolerate(Errno.ENOSYS, Errno.EPERM);
  }

  private static Call openList(Operand directory, String path) {
    return Call.of(
            SystemCall.OPENAT,
            directory,
            Operand.of(path),
            Operand.of(LinuxConstant.O_RDONLY, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
        .into(LISTED)
        .hint(
            Errno.ENOENT,
            "without close_range (Linux 5.9, or a filter that hides it) Cloister needs a /proc")
        .hint(Errno.EMFILE, "the limit of open files is too low (ulimit -n)");
  }

  private static List<Operand> operands(List<Integer> numbers) {
    List<Operand> operands = new ArrayList<>();
    for (int number : numbers) {
      operands.add(Operand.of(number));
    }
    return operands;
  }
}
