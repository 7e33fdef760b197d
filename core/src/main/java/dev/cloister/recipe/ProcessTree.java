package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.Supervise;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Handover;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which processes a sandbox has besides the command's own: often none. One outside waits where
 * someone must: for a pid namespace, whose first process is a child, for a time limit, for the
 * caller's end, to remove a cgroup, to report how the command ended, or because a process that
 * leads a group cannot have a new session (setsid(2)). In a pid namespace, another is its init.
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

  private final SandboxSpec spec;
  private final Optional<Cgroup> cgroup;
  private final Channels channels;

  /** The first descriptor that is opened gets the first number that is free. */
  private final int lifelineNumber;

  public ProcessTree(SandboxSpec spec, Optional<Cgroup> cgroup) {
    this.spec = spec;
    this.channels = new Channels(spec.handover());
    this.lifelineNumber = spec.handover().firstFree();
    this.cgroup = cgroup;
  }

  /** Whether a process outside waits for the command. */
  private boolean waits() {
    return waits(spec);
  }

  /** Whether for such a sandbox a process outside waits for the command. */
  public static boolean waits(SandboxSpec spec) {
    return spec.namespaces().contains(Namespace.PID)
        || spec.processes().dieWithParent()
        || spec.processes().newSession()
        || spec.processes().timeout().isPresent()
        || spec.limits().needCgroup()
        || spec.given().pid().isPresent()
        || spec.reports().status().isPresent();
  }

  /** Whether there is an init. */
  boolean hasInit() {
    return spec.namespaces().contains(Namespace.PID) && !spec.processes().commandIsInit();
  }

  /** What to open before any other descriptor is. */
  public List<Instruction> prepare() {
    return prepare(waits());
  }

  /** The same where another program makes the sandbox, and so a process waits anyway. */
  public List<Instruction> prepareBehind() {
    return prepare(hasInit());
  }

  private List<Instruction> prepare(boolean lifeline) {
    List<Instruction> steps = new ArrayList<>();
    if (lifeline) {
      steps.add(openLifeline());
    }
    if (spec.processes().dieWithParent()) {
      steps.addAll(openParent());
    }
    steps.addAll(Announcement.prepare(spec));
    cgroup.ifPresent(own -> steps.addAll(own.open()));
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
    List<Instruction> child = new ArrayList<>(join());
    if (cgroup.isPresent() && spec.namespaces().contains(Namespace.CGROUP)) {
      child.add(Credentials.unshare(List.of(LinuxConstant.CLONE_NEWCGROUP)));
    }
    child.addAll(inside);
    if (spec.given().pid().isPresent() && spec.namespaces().contains(Namespace.PID)) {
      child = belowGiven(child);
    }
    List<Instruction> steps = new ArrayList<>(makeCgroup());
    if (hasInit()) {
      steps.add(supervise(child).waiting(stepBack(channels.closeAll())));
    } else {
      Supervise supervise = supervise(child).waiting(stepBack(channels.closeAllButStatus()));
      steps.add(supervise.withLifeline(LIFELINE).sayingOn(channels.status()));
    }
    return steps;
  }

  /**
   * Only a process that is in the given pid namespace can make one below it (pid_namespaces(7)), so
   * one more waits there: for the first in the new one, and until the one outside ends.
   */
  private List<Instruction> belowGiven(List<Instruction> child) {
    return List.of(
        Credentials.prctl(LinuxConstant.PR_SET_PDEATHSIG, LinuxConstant.SIGKILL),
        new Instruction.RequireLifeline(Operand.of(LIFELINE)),
        Credentials.unshare(List.of(LinuxConstant.CLONE_NEWPID)),
        Supervise.of(child).waiting(stepBack(channels.closeAll())));
  }

  /** The last thing before there is a process that will remove it, whatever happens. */
  private List<Instruction> makeCgroup() {
    return cgroup.map(Cgroup::make).orElse(List.of());
  }

  private List<Instruction> join() {
    return cgroup.map(Cgroup::join).orElse(List.of());
  }

  private Supervise supervise(List<Instruction> inside) {
    Supervise supervise = Supervise.of(inside);
    if (cgroup.isPresent()) {
      supervise = supervise.after(cgroup.get().remove());
    }
    if (hasInit()) {
      supervise = supervise.relaying(LIFELINE);
    }
    if (spec.processes().dieWithParent()) {
      supervise = supervise.endingWith(PARENT_PROCESS);
    }
    if (spec.processes().timeout().isPresent()) {
      supervise = supervise.within(spec.processes().timeout().get());
    }
    if (spec.handover().channels()) {
      supervise = supervise.killedBy(Handover.KILLER);
    }
    supervise = supervise.reporting(Announcement.exit(spec));
    return spec.processes().newSession() ? supervise.passingOnTheTerminals() : supervise;
  }

  /**
   * Waits for another program that makes the sandbox.
   *
   * @param lifeline the number at which what runs in the sandbox finds its end of the lifeline
   */
  public List<Instruction> behind(
      int lifeline, Instruction.ExecuteProgram program, Supervise.Started started) {
    List<Instruction> child = new ArrayList<>(join());
    if (hasInit()) {
      child.add(
          Call.of(SystemCall.DUP3, Operand.of(LIFELINE), Operand.of(lifeline), Operand.of(0)));
    }
    child.add(program);
    // Its standard error it keeps, to say that the other failed, unless it has a channel for that.
    List<Instruction> steps = new ArrayList<>(makeCgroup());
    List<Call> waiting = new ArrayList<>(List.of(hide(), Steps.close(0), Steps.close(1)));
    waiting.addAll(channels.reportOnStatus());
    steps.add(supervise(child).through(started).waiting(waiting));
    return steps;
  }

  /**
   * A process that waits shows nothing to the command, and holds nothing that others wait for the
   * end of, such as a pipe that is the command's output.
   */
  private static List<Call> stepBack(List<Call> closing) {
    List<Call> steps = new ArrayList<>(List.of(hide()));
    steps.addAll(closing);
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
    return command(last, proc, false);
  }

  /**
   * The same.
   *
   * @param shielded whether the init keeps a capability that protects it from the command, which
   *     {@code last} begins with taking from that
   */
  List<Instruction> command(List<Instruction> last, Operand proc, boolean shielded) {
    if (hasInit()) {
      return behindInit(last, proc, shielded);
    }
    List<Instruction> steps = new ArrayList<>();
    if (waits()) {
      steps.add(Credentials.prctl(LinuxConstant.PR_SET_PDEATHSIG, LinuxConstant.SIGKILL));
      // From now on the signal would come; until now only this tells.
      steps.add(new Instruction.RequireLifeline(Operand.of(LIFELINE)));
    }
    steps.addAll(alone(last, proc));
    return steps;
  }

  /** The same where nobody waits, and no descriptor is open that this program has opened. */
  public List<Instruction> inPlace(List<Instruction> last) {
    List<Instruction> steps = new ArrayList<>(channels.leaveWhatIsPassed());
    steps.addAll(last);
    return steps;
  }

  private List<Instruction> alone(List<Instruction> last, Operand proc) {
    List<Instruction> steps = new ArrayList<>();
    steps.add(NativeProgram.closeDescriptors(spec.handover().firstFree(), proc));
    steps.addAll(channels.leaveWhatIsPassed());
    steps.addAll(session());
    steps.addAll(last);
    return steps;
  }

  private List<Instruction> behindInit(List<Instruction> last, Operand proc, boolean shielded) {
    List<Instruction> steps = new ArrayList<>();
    List<Instruction> child = new ArrayList<>(List.of(Steps.close(lifelineNumber)));
    child.addAll(channels.leaveWhatIsPassed());
    child.addAll(session());
    child.addAll(last);
    steps.add(NativeProgram.closeDescriptors(lifelineNumber + 1, proc));
    // Who was killed while the sandbox was made shall not have its command started after that.
    steps.add(new Instruction.RequireLifeline(Operand.of(lifelineNumber)));
    List<Call> waiting = new ArrayList<>();
    if (shielded) {
      waiting.addAll(channels.closeAllButStatus());
      waiting.add(Credentials.keepShield());
    } else {
      // Before the command exists; execve(2) makes that one's memory its own again.
      steps.add(hide());
      waiting.addAll(stepBack(channels.closeAllButStatus()));
      // Those that were asked for are the command's.
      waiting.add(Credentials.setCapabilities(List.of()));
    }
    steps.add(new Instruction.Init(child, Operand.of(lifelineNumber), waiting, channels.status()));
    return steps;
  }

  /** The same in a sandbox that another program made, with the lifeline at some number. */
  public List<Instruction> commandBehind(int lifeline, List<Instruction> last, Operand proc) {
    if (!hasInit()) {
      return alone(last, proc);
    }
    List<Instruction> steps = new ArrayList<>();
    steps.add(
        Call.of(
            SystemCall.DUP3,
            Operand.of(lifeline),
            Operand.of(lifelineNumber),
            Operand.of(LinuxConstant.O_CLOEXEC)));
    steps.addAll(behindInit(last, proc, false));
    return steps;
  }

  private List<Instruction> session() {
    return spec.processes().newSession() ? List.of(Call.of(SystemCall.SETSID)) : List.of();
  }
}
