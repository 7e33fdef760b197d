package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.Supervise;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * Which processes a sandbox has besides the command's own: often none. One outside waits where
 * someone must: for a pid namespace, whose first process is a child, for a time limit, for the
 * caller's end, or because a process that leads a group cannot have a new session (setsid(2)). In a
 * pid namespace, another is its init.
 *
 * <p>A lifeline joins them: a pipe whose writing end only the waiting process has. Its end tells
 * that of the waiting process, however that came about. A signal on a parent's death would not do
 * for the caller, as that is one of a thread's (prctl(2), PR_SET_PDEATHSIG); the caller is watched
 * through a descriptor. Between the two processes here, which have one thread each, it serves where
 * there is no init to look at the lifeline (docs/adr/0012-init.md).
 */
public final class ProcessTree {
  private static final Slot LIFELINE = new Slot("lifeline");
  private static final Slot PARENT = new Slot("parent");
  private static final Slot PARENT_PROCESS = new Slot("parent_process");

  /** The first descriptor that is opened gets the first number that is free. */
  private static final int LIFELINE_FD = NativeProgram.STANDARD;

  private final SandboxSpec spec;

  public ProcessTree(SandboxSpec spec) {
    this.spec = spec;
  }

  /** Whether a process outside waits for the command. */
  public boolean waits() {
    return spec.namespaces().contains(Namespace.PID)
        || spec.processes().dieWithParent()
        || spec.processes().newSession()
        || spec.processes().timeout().isPresent();
  }

  /** Whether there is an init. */
  private boolean hasInit() {
    return spec.namespaces().contains(Namespace.PID) && !spec.processes().commandIsInit();
  }

  /** What to open before any other descriptor is. */
  public List<Instruction> prepare() {
    List<Instruction> steps = new ArrayList<>();
    if (waits()) {
      steps.add(openLifeline());
    }
    if (spec.processes().dieWithParent()) {
      steps.addAll(openParent());
    }
    return steps;
  }

  private static Call openLifeline() {
    return Call.of(
        SystemCall.PIPE2, new Operand.ResultAddress(LIFELINE), Operand.of(LinuxConstant.O_CLOEXEC));
  }

  /** Once it is open, a process id that is taken anew does no harm; before, it shows. */
  private static List<Instruction> openParent() {
    return List.of(
        Call.of(SystemCall.GETPPID).into(PARENT),
        Call.of(SystemCall.PIDFD_OPEN, Operand.of(PARENT), Operand.of(0))
            .into(PARENT_PROCESS)
            .hint(
                Errno.EINVAL,
                "--die-with-parent: the caller is outside of this pid namespace, where it cannot be"
                    + " watched")
            .hint(Errno.ESRCH, "--die-with-parent: the caller has ended already")
            .hint(Errno.ENOSYS, "--die-with-parent needs Linux 5.3 and no filter that hides it"),
        new Instruction.RequireParent(PARENT));
  }

  /** The sandbox and who waits for it. */
  public List<Instruction> sandbox(List<Instruction> inside) {
    if (!waits()) {
      return inside;
    }
    Supervise supervise = supervise(inside).waiting(stepBack());
    return List.of(hasInit() ? supervise : supervise.withLifeline(LIFELINE));
  }

  private Supervise supervise(List<Instruction> inside) {
    Supervise supervise = Supervise.of(inside);
    if (hasInit()) {
      supervise = supervise.relaying(LIFELINE);
    }
    if (spec.processes().dieWithParent()) {
      supervise = supervise.endingWith(PARENT_PROCESS);
    }
    if (spec.processes().timeout().isPresent()) {
      supervise = supervise.within(spec.processes().timeout().get());
    }
    return spec.processes().newSession() ? supervise.passingOnTheTerminals() : supervise;
  }

  /** The same where another program makes the sandbox, and so a process waits anyway. */
  public List<Instruction> prepareBehind() {
    List<Instruction> steps = new ArrayList<>();
    if (hasInit()) {
      steps.add(openLifeline());
    }
    if (spec.processes().dieWithParent()) {
      steps.addAll(openParent());
    }
    return steps;
  }

  /**
   * Waits for another program that makes the sandbox.
   *
   * @param lifeline the number at which what runs in the sandbox finds its end of the lifeline
   */
  public Instruction behind(
      int lifeline, Instruction.ExecuteProgram program, Supervise.Started started) {
    List<Instruction> child = new ArrayList<>();
    if (hasInit()) {
      child.add(
          Call.of(SystemCall.DUP3, Operand.of(LIFELINE), Operand.of(lifeline), Operand.of(0)));
    }
    child.add(program);
    // Its standard error it keeps, to say that the other failed.
    return supervise(child)
        .through(started)
        .waiting(List.of(hide(), Steps.close(0), Steps.close(1)));
  }

  /**
   * A process that waits shows nothing to the command, and holds nothing that others wait for the
   * end of, such as a pipe that is the command's output.
   */
  private static List<Call> stepBack() {
    List<Call> steps = new ArrayList<>(List.of(hide()));
    for (int number = 0; number < NativeProgram.STANDARD; number++) {
      steps.add(Steps.close(number));
    }
    return steps;
  }

  /** Its environment and memory are no business of processes with its ids (ptrace(2)). */
  private static Call hide() {
    return Credentials.prctl(LinuxConstant.PR_SET_DUMPABLE, 0);
  }

  /**
   * The command's process, which has no descriptor of the host's, and its init.
   *
   * @param last how it becomes the command
   * @param proc a descriptor of a /proc that shows this process, needed without close_range(2)
   */
  public List<Instruction> command(List<Instruction> last, Operand proc) {
    List<Instruction> steps = new ArrayList<>();
    if (!hasInit()) {
      if (waits()) {
        steps.add(Credentials.prctl(LinuxConstant.PR_SET_PDEATHSIG, LinuxConstant.SIGKILL));
        // From now on the signal would come; until now only this tells.
        steps.add(new Instruction.RequireLifeline(Operand.of(LIFELINE)));
      }
      steps.add(NativeProgram.closeDescriptors(NativeProgram.STANDARD, proc));
      steps.addAll(session());
      steps.addAll(last);
      return steps;
    }
    List<Instruction> child = new ArrayList<>(List.of(Steps.close(LIFELINE_FD)));
    child.addAll(session());
    child.addAll(last);
    steps.add(NativeProgram.closeDescriptors(LIFELINE_FD + 1, proc));
    // Who was killed while the sandbox was made shall not have its command started after that.
    steps.add(new Instruction.RequireLifeline(Operand.of(LIFELINE_FD)));
    // Before the command exists; execve(2) makes that one's memory its own again.
    steps.add(hide());
    steps.add(new Instruction.Init(child, Operand.of(LIFELINE_FD), stepBack()));
    return steps;
  }

  /** The same in a sandbox that another program made, with the lifeline at some number. */
  public List<Instruction> commandBehind(int lifeline, List<Instruction> last, Operand proc) {
    List<Instruction> steps = new ArrayList<>();
    if (hasInit()) {
      steps.add(
          Call.of(
              SystemCall.DUP3,
              Operand.of(lifeline),
              Operand.of(LIFELINE_FD),
              Operand.of(LinuxConstant.O_CLOEXEC)));
      steps.addAll(command(last, proc));
      return steps;
    }
    steps.add(NativeProgram.closeDescriptors(NativeProgram.STANDARD, proc));
    steps.addAll(session());
    steps.addAll(last);
    return steps;
  }

  private List<Instruction> session() {
    return spec.processes().newSession() ? List.of(Call.of(SystemCall.SETSID)) : List.of();
  }
}
