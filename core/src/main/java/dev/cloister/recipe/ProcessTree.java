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
import java.util.Set;

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
  private static final Slot HOLDER = new Slot("holder");
  private static final Slot PARENT = new Slot("parent");
  private static final Slot PARENT_PROCESS = new Slot("parent_process");

  private final SandboxSpec spec;
  private final Optional<Cgroup> cgroup;
  private final Channels channels;
  private final InheritedDescriptors descriptors;
  private final Locks locks;

  /**
   * The first descriptor that is opened gets the first number that is free. Where the command
   * inherits the caller's, nobody knows which that is.
   */
  private final int lifelineNumber;

  public ProcessTree(SandboxSpec spec, Optional<Cgroup> cgroup) {
    this.spec = spec;
    this.channels = new Channels(spec);
    this.descriptors = new InheritedDescriptors(spec);
    this.locks = new Locks(spec.processes().locks());
    this.lifelineNumber = descriptors.firstOwn();
    this.cgroup = cgroup;
  }

  /** Whether a process outside waits for the command. */
  private boolean waits() {
    return waitsOutside(spec);
  }

  /** Whether for such a sandbox a process waits for the command. */
  public static boolean waits(SandboxSpec spec) {
    return waitsOutside(spec) || !spec.processes().locks().isEmpty();
  }

  private static boolean waitsOutside(SandboxSpec spec) {
    return spec.namespaces().contains(Namespace.PID)
        || spec.processes().dieWithParent()
        || spec.processes().newSession()
        || spec.processes().timeout().isPresent()
        || spec.limits().needCgroup()
        || !spec.descriptors().held().isEmpty()
        || spec.given().pid().isPresent()
        || spec.reports().status().isPresent();
  }

  /** Whether a process waits in the sandbox. */
  boolean waitsInside() {
    return hasInit() || locks.areHeld();
  }

  /** Whether there is an init. */
  private boolean hasInit() {
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
      steps.add(openPipe(LIFELINE));
    }
    if (spec.processes().dieWithParent()) {
      steps.addAll(openParent());
    }
    steps.addAll(Announcement.prepare(spec));
    cgroup.ifPresent(own -> steps.addAll(own.open()));
    return steps;
  }

  private static Call openPipe(Slot ends) {
    return Call.of(
        SystemCall.PIPE2, new Operand.ResultAddress(ends), Operand.of(LinuxConstant.O_CLOEXEC));
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
      child.add(NewNamespaces.of(Set.of(Namespace.CGROUP)).unshare());
    }
    child.addAll(inside);
    if (spec.given().pid().isPresent() && spec.namespaces().contains(Namespace.PID)) {
      child = belowGiven(child);
    }
    List<Instruction> steps = new ArrayList<>(makeCgroup());
    if (hasInit()) {
      steps.add(supervise(child).waiting(stepBackOutside(channels.closeAll())));
    } else {
      Supervise supervise = supervise(child).withLifeline(LIFELINE);
      steps.add(
          locks.areHeld()
              ? supervise.waiting(stepBackOutside(channels.closeAll()))
              : supervise
                  .waiting(stepBackOutside(channels.closeAllButStatus()))
                  .sayingOn(channels.status()));
    }
    return steps;
  }

  /**
   * Only a process that is in the given pid namespace can make one below it (pid_namespaces(7)), so
   * one more waits there: for the first in the new one, and until the one outside ends.
   */
  private List<Instruction> belowGiven(List<Instruction> child) {
    List<Instruction> steps = new ArrayList<>(endWithWaiting());
    steps.add(NewNamespaces.of(Set.of(Namespace.PID)).unshare());
    steps.add(Supervise.of(child).waiting(stepBackOutside(channels.closeAll())));
    return steps;
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
    child.addAll(descriptors.leaveHeld());
    child.add(program);
    // Its standard error it keeps, to say that the other failed, unless it has a channel for that.
    List<Instruction> steps = new ArrayList<>(makeCgroup());
    List<Instruction> waiting = new ArrayList<>(stepBackOutside(channels.closeAllButErrors()));
    waiting.addAll(channels.reportOnStatus());
    steps.add(supervise(child).through(started).waiting(waiting));
    return steps;
  }

  /**
   * A process that waits shows nothing to the command, and holds nothing that others wait for the
   * end of, such as a pipe that is the command's output.
   */
  private List<Instruction> stepBackOutside(List<Call> closing) {
    List<Instruction> steps = new ArrayList<>(List.of(hide()));
    // Before what follows frees number 0, which would say that there is no list.
    steps.addAll(descriptors.list(Operand.of(Credentials.PROC)));
    steps.addAll(closing);
    steps.addAll(descriptors.closeInherited());
    return steps;
  }

  private List<Instruction> stepBackInside(boolean shielded) {
    List<Instruction> steps = new ArrayList<>();
    if (!shielded) {
      steps.add(hide());
    }
    steps.addAll(channels.closeAllButStatusInside());
    steps.addAll(descriptors.closeInherited());
    // Those that were asked for are the command's.
    steps.add(shielded ? PrivilegeDrop.takeAllButShield() : Credentials.setCapabilities(List.of()));
    return steps;
  }

  /** Its environment and memory are no business of processes with its ids (ptrace(2)). */
  private static Call hide() {
    return Prctl.set(LinuxConstant.PR_SET_DUMPABLE, 0);
  }

  /**
   * The lifeline of a process that would not hear signals while it waits for its caller's data, as
   * process 1 of a pid namespace.
   */
  static Optional<Operand> lifelineOfProcess1(SandboxSpec spec) {
    return spec.namespaces().contains(Namespace.PID)
        ? Optional.of(Operand.of(LIFELINE))
        : Optional.empty();
  }

  /**
   * Lets this process end with the one that waits, for as long as nobody watches the lifeline: what
   * it does next may take any time. Whatever changes ids or capabilities takes it back (prctl(2)).
   */
  public List<Instruction> endWithWaiting() {
    return waits()
        ? List.of(
            Prctl.set(LinuxConstant.PR_SET_PDEATHSIG, LinuxConstant.SIGKILL),
            // From now on the signal would come; until now only this tells.
            new Instruction.RequireLifeline(Operand.of(LIFELINE)))
        : List.of();
  }

  /**
   * The command's process, which has no descriptor of the host's, and its init.
   *
   * @param last how it becomes the command
   * @param proc a descriptor of a /proc that shows this process, needed without close_range(2) and
   *     where the command inherits descriptors
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
    List<Instruction> steps = new ArrayList<>(endWithWaiting());
    steps.addAll(locks.areHeld() ? behindHolder(last, proc, shielded) : alone(last, proc));
    return steps;
  }

  /** The same where nobody waits, and no descriptor is open that this program has opened. */
  public List<Instruction> inPlace(List<Instruction> last) {
    List<Instruction> steps = new ArrayList<>(channels.leaveWhatIsPassed());
    steps.addAll(descriptors.closeUsed());
    steps.addAll(last);
    return steps;
  }

  private List<Instruction> alone(List<Instruction> last, Operand proc) {
    List<Instruction> steps = new ArrayList<>(descriptors.closeOwn(proc, List.of()));
    steps.addAll(start(last));
    return steps;
  }

  /** The last of the process that becomes the command. */
  private List<Instruction> start(List<Instruction> last) {
    List<Instruction> steps = new ArrayList<>(channels.leaveWhatIsPassed());
    steps.addAll(session());
    steps.addAll(last);
    return steps;
  }

  private List<Instruction> behindInit(List<Instruction> last, Operand proc, boolean shielded) {
    Operand lifeline = lifeline();
    List<Instruction> child = new ArrayList<>(List.of(close(lifeline)));
    child.addAll(descriptors.closeList());
    child.addAll(locks.close());
    child.addAll(start(last));
    List<Instruction> steps = new ArrayList<>();
    steps.addAll(
        spec.descriptors().inherited()
            ? descriptors.closeOwnBut(LIFELINE, proc)
            : descriptors.closeOwn(proc, List.of(lifelineNumber)));
    // Who was killed while the sandbox was made shall not have its command started after that.
    steps.add(new Instruction.RequireLifeline(lifeline));
    steps.addAll(locks.take());
    if (!shielded) {
      // Before the command exists; execve(2) makes that one's memory its own again.
      steps.add(hide());
    }
    steps.add(new Instruction.Init(child, lifeline, stepBackInside(shielded), channels.status()));
    return steps;
  }

  private Operand lifeline() {
    return spec.descriptors().inherited() ? Operand.of(LIFELINE) : Operand.of(lifelineNumber);
  }

  private static Call close(Operand descriptor) {
    return Call.of(SystemCall.CLOSE, descriptor);
  }

  /**
   * The command in a child of a process that does nothing but hold locks: they are a process's
   * (fcntl(2)), and the command could let go of its own. Both see the same files.
   */
  private List<Instruction> behindHolder(List<Instruction> last, Operand proc, boolean shielded) {
    List<Instruction> child = new ArrayList<>();
    child.add(Prctl.set(LinuxConstant.PR_SET_PDEATHSIG, LinuxConstant.SIGKILL));
    child.add(new Instruction.RequireLifeline(Operand.of(HOLDER)));
    child.add(Steps.close(HOLDER));
    child.addAll(descriptors.closeList());
    child.addAll(locks.close());
    child.addAll(start(last));
    List<Instruction> steps = new ArrayList<>();
    steps.addAll(
        spec.descriptors().inherited()
            ? descriptors.closeOwnBut(HOLDER, proc)
            : descriptors.closeOwn(proc, List.of()));
    steps.addAll(locks.take());
    steps.add(openPipe(HOLDER));
    if (!shielded) {
      steps.add(hide());
    }
    steps.add(
        Supervise.of(child)
            .withLifeline(HOLDER)
            .waiting(stepBackInside(shielded))
            .sayingOn(channels.status()));
    return steps;
  }

  /** The same in a sandbox that another program made, with the lifeline at some number. */
  public List<Instruction> commandBehind(int lifeline, List<Instruction> last, Operand proc) {
    if (!hasInit()) {
      return locks.areHeld() ? behindHolder(last, proc, false) : alone(last, proc);
    }
    List<Instruction> steps = new ArrayList<>();
    Call own =
        Call.of(
                SystemCall.FCNTL,
                Operand.of(lifeline),
                Operand.of(LinuxConstant.F_DUPFD_CLOEXEC),
                Operand.of(0))
            .into(LIFELINE);
    Call move =
        Call.of(
            SystemCall.DUP3,
            Operand.of(lifeline),
            Operand.of(lifelineNumber),
            Operand.of(LinuxConstant.O_CLOEXEC));
    steps.add(spec.descriptors().inherited() ? own : move);
    steps.addAll(behindInit(last, proc, false));
    return steps;
  }

  private List<Instruction> session() {
    return spec.processes().newSession() ? List.of(Call.of(SystemCall.SETSID)) : List.of();
  }
}
