package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.Handover;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.spec.SeccompFilter;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.PlanException;
import dev.cloister.strategy.SplitPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;

/**
 * The recipe of every strategy that makes the sandbox itself. They differ in one thing, how the new
 * root becomes the root.
 */
public final class NativeProgram {
  /** Where the new root is, until it is the root. */
  public static final String NEW_ROOT = NewRoot.PATH;

  private static final Buffer WORKING_DIRECTORY = new Buffer("working_directory", 4096);
  private static final Slot UMASK = new Slot("umask");
  private static final Buffer AWAITED = new Buffer("awaited", 1);
  private static final Slot MOUNT_NAMESPACE = new Slot("mount_namespace");
  private static final Slot CHROOT = new Slot("chroot");
  private static final Slot PID = new Slot("pid");

  private NativeProgram() {}

  /**
   * Plans a program.
   *
   * @param enterRoot steps that make the working directory the root, given how many mounts, the old
   *     root included, lie below it
   */
  public static SyscallProgram plan(
      String name, SandboxSpec spec, HostReport host, IntFunction<List<Instruction>> enterRoot)
      throws PlanException {
    Credentials credentials = new Credentials(host, spec);
    ProcessTree processes = new ProcessTree(spec, Cgroup.of(spec, host));
    List<Instruction> inside = new ArrayList<>();
    if (spec.given().mapped().isPresent()) {
      // Others may take any time to map its ids.
      inside.addAll(processes.endWithWaiting());
    }
    inside.addAll(makeMounts(credentials, spec, host, enterRoot, new Channels(spec).lendMounts()));
    inside.addAll(credentials.becomeCommandUser());
    inside.addAll(credentials.announce());
    inside.addAll(leaveAndBecomeCommand(credentials, spec, processes));
    List<Instruction> steps = new ArrayList<>();
    steps.addAll(startClean(spec));
    steps.addAll(processes.prepare());
    steps.addAll(ResourceLimits.raise(spec.limits(), host));
    steps.addAll(rememberDirectory(spec));
    // Directories get the modes they are made with; the caller's own mask is restored at the end.
    steps.add(Call.of(SystemCall.UMASK, Operand.of(0)).into(UMASK));
    steps.addAll(credentials.makeNamespaces());
    steps.addAll(processes.sandbox(inside));
    return new SyscallProgram(name, steps);
  }

  /**
   * Makes the new root and changes to it.
   *
   * @param early what else to do as soon as the mounts are this process's own
   */
  private static List<Instruction> makeMounts(
      Credentials credentials,
      SandboxSpec spec,
      HostReport host,
      IntFunction<List<Instruction>> enterRoot,
      List<Instruction> early)
      throws PlanException {
    MountPlanner.Result mounts = MountPlanner.plan(spec, host);
    List<Instruction> steps = new ArrayList<>(credentials.makeAsCommandUser());
    if (readsData(spec)) {
      // Whoever writes the data may take any time.
      steps.addAll(new ProcessTree(spec, Optional.empty()).endWithWaiting());
    }
    steps.addAll(makeNewRoot(host, mounts.early()));
    steps.addAll(early);
    steps.addAll(mounts.steps());
    steps.addAll(enterRoot.apply(mounts.coveringMounts()));
    return steps;
  }

  private static boolean readsData(SandboxSpec spec) {
    for (MountOperation mount : spec.mounts()) {
      if (mount instanceof MountOperation.DataFile || mount instanceof MountOperation.DataBind) {
        return true;
      }
    }
    return false;
  }

  private static List<Instruction> leaveAndBecomeCommand(
      Credentials credentials, SandboxSpec spec, ProcessTree processes) {
    List<Instruction> steps = new ArrayList<>();
    List<Instruction> last = new ArrayList<>();
    boolean shielded = processes.waitsInside() && credentials.shieldsInit();
    (shielded ? last : steps).addAll(credentials.leaveOnlyWhatIsAskedFor());
    steps.addAll(awaitCaller(spec, processes));
    steps.add(Call.of(SystemCall.UMASK, Operand.of(UMASK)));
    steps.add(new Instruction.FilterEnvironment(spec.environment()));
    last.addAll(becomeCommand(spec));
    steps.addAll(processes.command(last, Operand.of(Credentials.PROC), shielded));
    return steps;
  }

  /** Whatever can be read, or whatever keeps it from being read, ends the wait. */
  public static List<Instruction> awaitCaller(SandboxSpec spec, ProcessTree processes) {
    List<Instruction> steps = new ArrayList<>();
    if (spec.descriptors().awaited().isPresent()) {
      steps.addAll(processes.endWithWaiting());
      steps.addAll(awaitCallerBehind(spec, ProcessTree.lifelineOfProcess1(spec)));
    }
    return steps;
  }

  /**
   * The same in a sandbox that another program made, which sees to its own end.
   *
   * @param lifeline of process 1 of a pid namespace
   */
  public static List<Instruction> awaitCallerBehind(SandboxSpec spec, Optional<Operand> lifeline) {
    List<Instruction> steps = new ArrayList<>();
    if (spec.descriptors().awaited().isPresent()) {
      int awaited = spec.descriptors().awaited().getAsInt();
      lifeline.ifPresent(pipe -> steps.add(new Instruction.AwaitInput(awaited, pipe)));
      steps.add(
          Call.of(
                  SystemCall.READ,
                  Operand.of(awaited),
                  Operand.of(AWAITED),
                  Operand.of(AWAITED.size()))
              .retry(Errno.EINTR)
              .tolerate(Errno.EAGAIN, Errno.EIO, Errno.ECONNRESET));
    }
    return steps;
  }

  /**
   * Plans the same program in two.
   *
   * @return nothing where somebody waits for the command, or /proc is none of the host's
   */
  public static Optional<SplitPlan> split(
      String name, SandboxSpec spec, HostReport host, IntFunction<List<Instruction>> enterRoot)
      throws PlanException {
    if (ProcessTree.waits(spec)
        || spec.given().any()
        || spec.reports().any()
        || host.needs(Workaround.OWN_PROC)
        || host.needs(Workaround.LEAVE_CHROOT)) {
      return Optional.empty();
    }
    Credentials credentials = new Credentials(host, spec);
    Handover entering =
        Handover.entering(credentials.keptFirst().count() + credentials.keptLast().count());
    return Optional.of(
        new SplitPlan(
            setUp(name, spec.with(Handover.library(Set.of())), host, enterRoot),
            enter(name, spec.with(entering), host),
            entering));
  }

  private static SyscallProgram setUp(
      String name, SandboxSpec spec, HostReport host, IntFunction<List<Instruction>> enterRoot)
      throws PlanException {
    Credentials credentials = new Credentials(host, spec);
    List<Instruction> steps = new ArrayList<>(startClean(spec));
    steps.add(Call.of(SystemCall.UMASK, Operand.of(0)));
    steps.addAll(credentials.makeNamespaces());
    steps.addAll(makeMounts(credentials, spec, host, enterRoot, List.of()));
    steps.addAll(credentials.keptFirst().send(spec.handover()));
    steps.addAll(credentials.becomeCommandUser());
    steps.addAll(credentials.keptLast().send(spec.handover()));
    steps.add(Channels.say(spec.handover(), Handover.READY));
    steps.add(new Instruction.Exit());
    return new SyscallProgram(name, steps);
  }

  private static SyscallProgram enter(String name, SandboxSpec spec, HostReport host) {
    Credentials credentials = new Credentials(host, spec);
    KeptNamespaces first = credentials.keptFirst();
    int number = spec.handover().firstNamespace();
    List<Instruction> steps = new ArrayList<>(startClean(spec));
    steps.addAll(ResourceLimits.raise(spec.limits(), host));
    steps.addAll(rememberDirectory(spec));
    steps.add(Call.of(SystemCall.UMASK, Operand.of(0)).into(UMASK));
    steps.add(Credentials.openProc());
    // The root and the working directory are the sandbox's then.
    steps.addAll(first.enter(number));
    steps.addAll(credentials.becomeInCallersNamespace());
    steps.addAll(credentials.keptLast().enter(number + first.count()));
    ProcessTree processes = new ProcessTree(spec, Optional.empty());
    steps.addAll(leaveAndBecomeCommand(credentials, spec, processes));
    return new SyscallProgram(name, steps);
  }

  /** From a process without descriptors of the host's, where all that others look at is done. */
  public static List<Instruction> becomeCommand(SandboxSpec spec) {
    return becomeCommand(spec, List.of());
  }

  /**
   * The same.
   *
   * @param more what else to do before the filters, within the limits
   */
  public static List<Instruction> becomeCommand(SandboxSpec spec, List<Instruction> more) {
    List<Instruction> steps = new ArrayList<>(Channels.receive(spec.handover()));
    steps.addAll(new InheritedDescriptors(spec).closeStandard());
    steps.addAll(returnToPlace(spec));
    steps.addAll(ResourceLimits.set(spec.limits()));
    steps.addAll(more);
    steps.addAll(Channels.announce(spec.handover()));
    steps.addAll(installFilters(spec));
    steps.add(
        new Instruction.ExecuteCommand(
            Instruction.SearchPath.COMMAND, spec.processes().name(), Announcement.executed(spec)));
    return steps;
  }

  /** What all sandboxes guarantee that {@link #plan} makes. */
  public static Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    Credentials credentials = new Credentials(host, spec);
    Set<Guarantee> given = credentials.guarantees();
    given.addAll(guaranteesOf(spec));
    if (!credentials.mountsAreLocked()) {
      given.remove(Guarantee.READ_ONLY_RECURSIVE);
    }
    given.add(Guarantee.NO_MOUNT_PROPAGATION);
    given.add(Guarantee.NO_SYMLINK_RACES);
    if (!ProcessTree.waits(spec)) {
      given.add(Guarantee.IN_PLACE);
    }
    return given;
  }

  /**
   * What a specification that is honoured guarantees by itself, where {@link #startClean} is the
   * first step and closing descriptors the last but the command.
   */
  public static Set<Guarantee> guaranteesOf(SandboxSpec spec) {
    Set<Guarantee> given = new TreeSet<>();
    if (!spec.descriptors().inherited()) {
      given.add(Guarantee.NO_INHERITED_DESCRIPTORS);
    }
    boolean mayUndoIt =
        spec.privileges().authority().isCallers() && !spec.privileges().capabilities().isEmpty();
    if (mayUndoIt) {
      // With capabilities over the host, all else is the command's to respect or not.
      return given;
    }
    given.add(Guarantee.READ_ONLY_RECURSIVE);
    if (spec.namespaces().contains(Namespace.NET)) {
      given.add(Guarantee.NETWORK_ISOLATION);
    }
    if (spec.namespaces().contains(Namespace.IPC)) {
      given.add(Guarantee.IPC_ISOLATION);
    }
    if (spec.namespaces().contains(Namespace.PID)) {
      given.add(Guarantee.PID_ISOLATION);
    }
    return given;
  }

  /**
   * Descriptors first: whoever holds the other end of an inherited pipe must not wait for this. An
   * ignored SIGCHLD would lose the status of every process the command starts.
   */
  public static List<Instruction> startClean(Handover handover) {
    return startClean(new InheritedDescriptors(handover, CallerDescriptors.NONE), List.of());
  }

  /** The same, and those that are needed are proven to be open. */
  public static List<Instruction> startClean(SandboxSpec spec) {
    InheritedDescriptors descriptors = new InheritedDescriptors(spec);
    List<Instruction> steps = new ArrayList<>(startClean(descriptors, List.of()));
    steps.addAll(descriptors.require(/* leaveOpen= */ false));
    return steps;
  }

  /**
   * The same where another program is executed that needs them, too.
   *
   * @param more what else to do where close_range(2) is missing
   */
  public static List<Instruction> startClean(SandboxSpec spec, List<Instruction> more) {
    InheritedDescriptors descriptors = new InheritedDescriptors(spec);
    List<Instruction> steps = new ArrayList<>(startClean(descriptors, more));
    steps.addAll(descriptors.require(/* leaveOpen= */ true));
    return steps;
  }

  private static List<Instruction> startClean(
      InheritedDescriptors descriptors, List<Instruction> more) {
    List<Instruction> steps = new ArrayList<>(descriptors.closeOthers(more));
    steps.add(
        Call.of(
            SystemCall.RT_SIGACTION,
            Operand.of(LinuxConstant.SIGCHLD),
            new Operand.Structure(
                LinuxStruct.KERNEL_SIGACTION,
                1,
                Map.of(StructField.KERNEL_SIGACTION_HANDLER, Operand.of(LinuxConstant.SIG_DFL))),
            Operand.NULL,
            Operand.of(8)));
    return steps;
  }

  /** A working directory that is gone or unreadable has no name to go back to. */
  public static List<Instruction> rememberDirectory(SandboxSpec spec) {
    if (spec.workingDirectory().isPresent()) {
      return List.of();
    }
    return List.of(
        Call.of(
                SystemCall.GETCWD,
                Operand.of(WORKING_DIRECTORY),
                Operand.of(WORKING_DIRECTORY.size()))
            .tolerate(Errno.ENOENT, Errno.EACCES, Errno.ERANGE, Errno.ENAMETOOLONG));
  }

  /** As bubblewrap: where the caller is, if that exists inside; else its home; else the root. */
  public static List<Instruction> returnToPlace(SandboxSpec spec) {
    List<Instruction> steps = new ArrayList<>(List.of(toDefaultPlace(spec)));
    steps.addAll(Channels.enterDirectory(spec.handover()));
    for (OsString variable : spec.environment().directories()) {
      steps.add(new Instruction.NameDirectory(variable));
    }
    return steps;
  }

  private static Call toDefaultPlace(SandboxSpec spec) {
    if (spec.workingDirectory().isPresent()) {
      OsString directory = spec.workingDirectory().get();
      return Steps.chdir(directory)
          .hint(Errno.ENOENT, "--chdir: there is no " + directory + " in the sandbox")
          .hint(Errno.ENOTDIR, "--chdir: " + directory + " in the sandbox is not a directory")
          .hint(Errno.EACCES, "--chdir: the command's user may not enter " + directory);
    }
    Call back = Call.of(SystemCall.CHDIR, Operand.of(WORKING_DIRECTORY));
    for (Errno errno :
        List.of(Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP, Errno.ENAMETOOLONG)) {
      back = back.recover(errno, List.of(new Instruction.EnterHome()));
    }
    return back;
  }

  /**
   * The last steps before the command: all that is done after them must pass the filters, as what
   * the command does. no_new_privs is set already, without which seccomp(2) says EACCES.
   */
  public static List<Instruction> installFilters(SandboxSpec spec) {
    List<Instruction> steps = new ArrayList<>();
    for (SeccompFilter filter : spec.privileges().filters()) {
      steps.add(Steps.installFilter(filter));
    }
    return steps;
  }

  /**
   * In a plain chroot directory the root is no mount and EINVAL. To go on would let the host's
   * later mounts into the sandbox, and those of a caller with privilege out of it.
   */
  private static Call makeMountsPrivate() {
    return Steps.makePrivate()
        .hint(Errno.EINVAL, "this process is in a chroot whose directory is not a mount point");
  }

  /**
   * An empty new root over the host's.
   *
   * @param early what to do before it covers that
   */
  public static List<Instruction> makeNewRoot(HostReport host, List<Instruction> early) {
    List<Instruction> steps = new ArrayList<>();
    if (host.needs(Workaround.LEAVE_CHROOT)) {
      steps.addAll(leaveChroot(host, early));
    } else {
      steps.add(makeMountsPrivate());
      if (host.needs(Workaround.OWN_PROC)) {
        steps.addAll(openOwnProc());
      }
      steps.addAll(early);
    }
    steps.addAll(coverRoot());
    return steps;
  }

  /**
   * Goes from a chroot to the root of the mount namespace, as the kernel gives user namespaces to
   * none whose root is another; setns(2) to the own mount namespace leads there. The mounts are
   * made private from there too, as a chroot's directory need not be a mount. Then once more into
   * the chroot, where what is bound has its name, and out for good.
   */
  private static List<Instruction> leaveChroot(HostReport host, List<Instruction> early) {
    Call leave = Steps.setns(MOUNT_NAMESPACE, LinuxConstant.CLONE_NEWNS);
    List<Instruction> steps = new ArrayList<>(openMountNamespace(host));
    steps.add(Steps.openDirectory("/", CHROOT));
    steps.add(leave);
    steps.add(Steps.makePrivate());
    if (host.needs(Workaround.OWN_PROC)) {
      steps.addAll(openOwnProc());
    }
    steps.add(Steps.fchdir(CHROOT));
    steps.add(Call.of(SystemCall.CHROOT, Operand.of(".")));
    steps.addAll(early);
    steps.add(leave);
    return steps;
  }

  /** Its file in /proc, or this process's descriptor, which setns(2) takes since Linux 5.8. */
  private static List<Instruction> openMountNamespace(HostReport host) {
    if (!host.needs(Workaround.OWN_PROC)) {
      return List.of(Steps.open(Credentials.PROC, "self/ns/mnt", MOUNT_NAMESPACE));
    }
    return List.of(
        Call.of(SystemCall.GETPID).into(PID),
        Call.of(SystemCall.PIDFD_OPEN, Operand.of(PID), Operand.of(0)).into(MOUNT_NAMESPACE));
  }

  /**
   * A /proc that is attached nowhere: mounted over the root for a moment, and held by a descriptor.
   * This process sees through to what is below, as for the new root.
   */
  private static List<Instruction> openOwnProc() {
    return List.of(
        Steps.mountProc(OsString.of("/")),
        Steps.openDirectory(NewRoot.PATH, Credentials.PROC),
        Call.of(
            SystemCall.UMOUNT2, Operand.of(NewRoot.PATH), Operand.of(LinuxConstant.MNT_DETACH)));
  }

  /**
   * The new root needs no directory of the host: it is mounted over the root, and hides nothing,
   * because this process's own root stays what it was.
   */
  private static List<Instruction> coverRoot() {
    return List.of(Steps.mountTmpfs(OsString.of("/"), "mode=0755"), Steps.chdir(NewRoot.PATH));
  }
}
