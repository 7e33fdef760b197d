package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What is done with what a {@link Handover} brings; without one, nothing. */
public final class Channels {
  private static final int STANDARD_ERROR = 2;
  private static final int STANDARD = 3;

  /** Which of the launcher's arguments is the command's working directory. */
  private static final int DIRECTORY = 1;

  private static final Slot MOUNT_NAMESPACE = new Slot("own_mounts");

  private final Handover handover;
  private final CallerDescriptors descriptors;

  Channels(SandboxSpec spec) {
    this.handover = spec.handover();
    this.descriptors = spec.descriptors();
  }

  private static OsString word(int number) {
    byte[] bytes = new byte[Integer.BYTES];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (number >> (8 * i));
    }
    return OsString.ofBytes(bytes);
  }

  /** On which descriptor the process that waits for the command says how that ended. */
  OptionalInt status() {
    return handover.channels() ? OptionalInt.of(handover.status()) : OptionalInt.empty();
  }

  /**
   * Lets the starter keep the sandbox's mounts for a moment after the command's end. The last who
   * has them takes them down, which costs about as much as a fourth of the whole sandbox; a command
   * would be seen to have ended only after that (namespaces(7), do_exit of the kernel).
   */
  List<Instruction> lendMounts() {
    if (!handover.channels()) {
      return List.of();
    }
    return List.of(
        Steps.open(Credentials.PROC, "self/ns/mnt", MOUNT_NAMESPACE)
            .tolerate(Errno.ENOENT, Errno.EACCES, Errno.EPERM),
        new Instruction.IfSet(
            MOUNT_NAMESPACE,
            List.of(
                new Instruction.SendDescriptor(
                    handover.report(), MOUNT_NAMESPACE, Handover.MOUNTS, false),
                Steps.close(MOUNT_NAMESPACE)),
            List.of()));
  }

  /** For a process outside of the sandbox that only waits. */
  List<Call> closeAll() {
    return closeAllButHeld(handover.firstFree());
  }

  /** The same for one that says how the command ended. */
  List<Call> closeAllButStatus() {
    return closeAllButHeld(end());
  }

  private int end() {
    return handover.channels() ? handover.status() : STANDARD;
  }

  /** The same for one that may have to say something on standard error. */
  List<Call> closeAllButErrors() {
    return closeAllButHeld(STANDARD_ERROR, STANDARD);
  }

  private List<Call> closeAllButHeld(int end) {
    return closeAllButHeld(end, end);
  }

  private List<Call> closeAllButHeld(int end, int firstUsed) {
    List<Call> steps = new ArrayList<>();
    for (int number = 0; number < end; number++) {
      closeUnlessHeld(number, steps);
    }
    for (int number : descriptors.numbersFrom(firstUsed)) {
      closeUnlessHeld(number, steps);
    }
    return steps;
  }

  private void closeUnlessHeld(int number, List<Call> steps) {
    if (!descriptors.held().contains(number)) {
      steps.add(Steps.close(number));
    }
  }

  /** For a process that waits in the sandbox, of the same. */
  List<Call> closeAllButStatusInside() {
    List<Call> steps = new ArrayList<>();
    for (int number = 0; number < end(); number++) {
      steps.add(Steps.close(number));
    }
    return steps;
  }

  /** For a process that waits for another program, of which nobody else can say that it failed. */
  List<Call> reportOnStatus() {
    if (!handover.channels()) {
      return List.of();
    }
    List<Call> steps = new ArrayList<>();
    for (int number = STANDARD_ERROR; number < handover.report(); number++) {
      steps.add(Steps.close(number));
    }
    steps.add(
        Call.of(
            SystemCall.DUP3,
            Operand.of(handover.status()),
            Operand.of(handover.report()),
            Operand.of(0)));
    return steps;
  }

  /** For the process that becomes the command: of what was handed over, the rest. */
  List<Instruction> leaveWhatIsPassed() {
    if (!handover.channels()) {
      return List.of();
    }
    List<Instruction> steps = new ArrayList<>();
    handover.gaps().forEach(number -> steps.add(Steps.close(number)));
    steps.add(Steps.close(handover.status()));
    for (int number = handover.firstNamespace(); number < handover.firstFree(); number++) {
      steps.add(Steps.close(number));
    }
    return steps;
  }

  /**
   * Gets the command, where it was not known at the start. Who waits may do so for long, beside
   * sandboxes of the same user that see its process: as one that may not be traced it gives its
   * memory and its socket to none (ptrace(2)). execve(2) makes the command's memory its own again.
   */
  static List<Instruction> receive(Handover handover) {
    if (!handover.waits()) {
      return List.of();
    }
    return List.of(
        Prctl.set(LinuxConstant.PR_SET_DUMPABLE, 0),
        say(handover, Handover.READY),
        new Instruction.AwaitCommand(handover.report()));
  }

  /** Goes where the starter wants the command to start, from the default place. */
  static List<Instruction> enterDirectory(Handover handover) {
    if (!handover.channels()) {
      return List.of();
    }
    Operand directory = new Operand.Argument(DIRECTORY);
    return List.of(
        new Instruction.IfArgument(
            DIRECTORY,
            List.of(
                Call.of(SystemCall.CHDIR, directory)
                    .hint(Errno.ENOENT, "the command's directory does not exist in the sandbox")
                    .hint(Errno.ENOTDIR, "what is to be the command's directory is none")
                    .hint(Errno.EACCES, "the command's user may not enter its directory"))));
  }

  /**
   * Says that the command comes next. What is closed then without another word was closed by
   * execve(2).
   */
  static List<Instruction> announce(Handover handover) {
    if (!handover.channels()) {
      return List.of();
    }
    return List.of(
        Call.of(
            SystemCall.FCNTL,
            Operand.of(handover.report()),
            Operand.of(LinuxConstant.F_SETFD),
            Operand.of(LinuxConstant.FD_CLOEXEC)),
        say(handover, Handover.EXECUTING));
  }

  static Call say(Handover handover, int number) {
    OsString word = word(number);
    return Call.of(
        SystemCall.WRITE,
        Operand.of(handover.report()),
        Operand.of(word),
        Operand.of(word.length()));
  }
}
