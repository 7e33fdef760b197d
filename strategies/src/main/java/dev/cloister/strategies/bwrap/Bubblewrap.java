package dev.cloister.strategies.bwrap;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.recipe.Cgroup;
import dev.cloister.recipe.Credentials;
import dev.cloister.recipe.InheritedDescriptors;
import dev.cloister.recipe.NativeProgram;
import dev.cloister.recipe.ProcessTree;
import dev.cloister.recipe.ResourceLimits;
import dev.cloister.recipe.Steps;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Lets bubblewrap make the mounts, where only it may.
 *
 * <p>Three processes: this launcher, which waits; bubblewrap, which waits too; and in the sandbox a
 * second, inner launcher, which becomes the command. bubblewrap says 1 for a set-up that failed,
 * for a command not found and for a command that says 1; the inner launcher tells them apart by
 * writing its process id to an eventfd as soon as it runs, and finds the command as the other
 * strategies do.
 */
public final class Bubblewrap implements IsolationStrategy {
  private static final int OTHERS_WRITE = 02;

  /** bubblewrap reads ids as signed 32-bit numbers. */
  private static final long MAX_ID = Integer.MAX_VALUE;

  private static final Slot STARTED = new Slot("started");
  private static final Slot LAUNCHER = new Slot("memory_file");
  private static final Slot PID = new Slot("pid");

  /** bubblewrap sets it whatever the environment should be. */
  private static final String PWD = "PWD";

  /**
   * Descriptors the inner launcher finds; fixed, as it is compiled before they are opened. None
   * that the outer one opens comes near them.
   *
   * @param input for standard input, if bubblewrap must find it under another number
   */
  private record Numbers(int started, int launcher, int proc, int lifeline, OptionalInt input) {
    private static final int DISTANCE = 7;

    /** Where the command inherits the caller's, so far up that hardly one has such a number. */
    private static final int BEHIND_INHERITED = 240;

    private static final int COUNT = 5;

    static Numbers of(SandboxSpec spec) {
      CallerDescriptors descriptors = spec.descriptors();
      int wanted =
          descriptors.inherited()
              ? BEHIND_INHERITED
              : spec.handover().firstFree() + descriptors.uses().size() + DISTANCE;
      int first = descriptors.firstUnused(wanted, COUNT);
      OptionalInt input =
          GivenArguments.takesInput(spec) ? OptionalInt.of(first + 4) : OptionalInt.empty();
      return new Numbers(first, first + 1, first + 2, first + 3, input);
    }

    /** What the command must not get, nor what this program may overwrite. */
    List<Integer> all() {
      List<Integer> all = new ArrayList<>(List.of(started, launcher, proc, lifeline));
      if (input.isPresent()) {
        all.add(input.getAsInt());
      }
      return all;
    }
  }

  @Override
  public String name() {
    return "bwrap";
  }

  @Override
  public Assessment assess(SandboxSpec spec, HostReport host) {
    if (host.bwrap().isEmpty()) {
      return new Assessment.Unusable(
          "there is no executable bwrap in PATH", "install the package bubblewrap");
    }
    Optional<String> link = PlantedLinks.find(spec.mounts(), host);
    if (link.isPresent()) {
      return new Assessment.Unusable(
          link.get() + ", which bubblewrap before 0.12.0 would follow (CVE-2026-87766)",
          "use --strategy pivot_root or chroot, or a destination without that link");
    }
    if (spec.privileges().authority().isCallers()) {
      return new Assessment.Unusable(
          "Cloister's bwrap strategy leaves a command nothing of what its caller may do",
          "ask for a user namespace, --unshare-user, or use --strategy pivot_root or chroot");
    }
    if (spec.processes().commandIsInit()) {
      return new Assessment.Unusable(
          "bubblewrap does not say which process of the host's process 1 is, so no signal could be"
              + " passed on to it",
          "leave out --as-pid-1, or use --strategy pivot_root or chroot");
    }
    Assessment status = assessGiven(spec, host);
    if (status instanceof Assessment.Unusable) {
      return status;
    }
    Optional<InnerLauncher> place = InnerLauncher.place(spec.mounts());
    if (place.isEmpty()) {
      return new Assessment.Unusable(
          "the sandbox has a root of its own but no /proc, so bwrap cannot start Cloister's inner"
              + " launcher in it",
          "add --proc /proc");
    }
    List<String> needed = new ArrayList<>(BwrapArguments.optionsOf(spec, host));
    needed.addAll(place.get().options());
    needed.addAll(GivenArguments.options(spec));
    if (!asRoot(host.caller())) {
      needed.addAll(privilegeOptions(spec).stream().filter(word -> word.startsWith("--")).toList());
    }
    Optional<String> missing = host.bwrap().get().lacks(needed);
    if (missing.isPresent()) {
      return new Assessment.Unusable(
          host.bwrap().get().path() + " has no option " + missing.get() + ", which this needs",
          "install a newer bubblewrap, or use --strategy pivot_root or chroot");
    }
    if (!asRoot(host.caller())) {
      return assessIds(spec.identity(), host.caller());
    }
    return makesForAnother(spec, host.caller())
        ? new Assessment.Unusable(
            "bubblewrap called by root makes what --tmpfs, --tmp-overlay, --dir and --file ask for root's, so the command"
                + " could not write to it as another user",
            "use --strategy pivot_root or chroot, or bind a directory of that user's")
        : Credentials.assess(spec, host);
  }

  /** Whether bubblewrap can report, and go into namespaces, for this. */
  private static Assessment assessGiven(SandboxSpec spec, HostReport host) {
    String others = "use --strategy pivot_root or chroot";
    if (spec.reports().status().isPresent()) {
      return new Assessment.Unusable(
          "bubblewrap takes the end of Cloister's inner launcher for the command's, even where that"
              + " was not executed, so --json-status-fd would say what is not true",
          "leave out --json-status-fd, or " + others);
    }
    if (!spec.given().any()) {
      return Assessment.USABLE;
    }
    if (asRoot(host.caller())) {
      return new Assessment.Unusable(
          "the bwrap strategy goes into no namespace that is given when root calls it", others);
    }
    return makesUserNamespace(spec)
        ? new Assessment.Unusable(
            "with --cap-add, the bwrap strategy makes a user namespace of its own inside",
            "leave out --cap-add, or " + others)
        : Assessment.USABLE;
  }

  private static boolean makesForAnother(SandboxSpec spec, Caller caller) {
    long uid = spec.identity().uid().orElse(caller.uid());
    if (uid == caller.uid()) {
      return false;
    }
    for (MountOperation operation : spec.mounts()) {
      boolean forOwner =
          operation instanceof MountOperation.Tmpfs
              || (operation instanceof MountOperation.Overlay overlay
                  && overlay.changes().equals(MountOperation.Changes.FORGOTTEN))
              || (operation instanceof MountOperation.Directory directory
                  && (directory.mode() & OTHERS_WRITE) == 0)
              || (operation instanceof MountOperation.DataFile file
                  && (file.mode() & OTHERS_WRITE) == 0)
              || (operation instanceof MountOperation.DataBind data
                  && (data.mode() & OTHERS_WRITE) == 0);
      if (forOwner) {
        return true;
      }
    }
    return false;
  }

  /**
   * bubblewrap pivots the root, too. Its mounts are slaves of the host's; it may follow a link that
   * is planted after {@link PlantedLinks} looked; it waits for the command. Called by others than
   * root it may make just one user namespace, which then owns the mounts, unless the inner launcher
   * makes another for the capabilities that are asked for.
   */
  @Override
  public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
    boolean asRoot = asRoot(host.caller());
    HostReport caller = asRoot ? host : host.with(host.caller().withoutCapabilities());
    Set<Guarantee> given = new Credentials(caller, spec).guarantees();
    given.addAll(NativeProgram.guaranteesOf(spec));
    given.add(Guarantee.OLD_ROOT_UNMOUNTED);
    if (!asRoot && !makesUserNamespace(spec)) {
      given.remove(Guarantee.OWN_USER_NAMESPACE);
    }
    return given;
  }

  private static Assessment assessIds(Identity identity, Caller caller) {
    for (long id :
        List.of(identity.uid().orElse(caller.uid()), identity.gid().orElse(caller.gid()))) {
      if (id > MAX_ID) {
        return new Assessment.Unusable(
            "bubblewrap takes no user or group id above %d, such as %d".formatted(MAX_ID, id),
            "use --uid and --gid with smaller ones, or --strategy pivot_root or chroot");
      }
    }
    return Assessment.USABLE;
  }

  /** Whether bubblewrap can make the mounts as root, and the inner launcher does the rest. */
  private static boolean asRoot(Caller caller) {
    return caller.uid() == 0 && caller.isPrivileged();
  }

  /**
   * Whether the inner launcher makes one although bubblewrap does. Capabilities in bubblewrap's
   * own, which owns the mounts, could change them.
   */
  private static boolean makesUserNamespace(SandboxSpec spec) {
    return !spec.privileges().capabilities().isEmpty();
  }

  /**
   * What bubblewrap must do, or let the inner launcher do, for the privileges, where it is not
   * called by root. It limits user namespaces itself where it can: a profile that lets it make some
   * need not let the inner launcher.
   */
  private static List<String> privilegeOptions(SandboxSpec spec) {
    List<String> options = new ArrayList<>();
    if (makesUserNamespace(spec)) {
      for (LinuxConstant capability : Credentials.neededToEnter()) {
        options.addAll(List.of("--cap-add", capability.name()));
      }
    } else if (spec.privileges().userNamespaces() == Privileges.UserNamespaces.DISABLED) {
      options.add("--disable-userns");
    }
    return options;
  }

  @Override
  public SyscallProgram plan(SandboxSpec spec, HostReport host) throws PlanException {
    Numbers numbers = Numbers.of(spec);
    Bwrap bwrap = host.bwrap().orElseThrow();
    boolean asRoot = asRoot(host.caller());
    // The inner launcher finds its descriptors there, should it have to close them one by one.
    List<Instruction> withoutCloseRange =
        List.of(Credentials.openProc(), duplicate(Credentials.PROC, numbers.proc()));
    ProcessTree processes = new ProcessTree(spec, Cgroup.of(spec, host));
    List<Instruction> steps = new ArrayList<>(NativeProgram.startClean(spec, withoutCloseRange));
    InheritedDescriptors descriptors = new InheritedDescriptors(spec);
    for (int number : numbers.all()) {
      steps.addAll(descriptors.requireFree(number));
    }
    if (numbers.input().isPresent()) {
      steps.add(duplicate(Operand.of(0), numbers.input().getAsInt()));
    }
    steps.addAll(processes.prepareBehind());
    steps.addAll(ResourceLimits.raise(spec.limits(), host));
    steps.add(
        Call.of(
                SystemCall.EVENTFD2,
                Operand.of(0),
                Operand.of(LinuxConstant.EFD_CLOEXEC, LinuxConstant.EFD_NONBLOCK))
            .into(STARTED));
    steps.add(duplicate(STARTED, numbers.started()));
    steps.addAll(provideLauncher(inner(spec, host), numbers));
    if (asRoot || makesUserNamespace(spec) || spec.descriptors().inherited()) {
      steps.add(Credentials.openProc());
      steps.add(duplicate(Credentials.PROC, numbers.proc()));
    }
    if (!asRoot && host.caller().capabilities() != 0 && host.caller().uid() != 0) {
      // bubblewrap takes capabilities of another user than root for a broken installation. A root
      // without CAP_SYS_ADMIN, as in containers, needs its CAP_SETFCAP to map ids.
      steps.add(Credentials.setCapabilities(List.of()));
    }
    steps.add(new Instruction.FilterEnvironment(spec.environment()));
    steps.add(new Instruction.ProtectVariable(PWD));
    steps.addAll(
        processes.behind(
            numbers.lifeline(),
            new Instruction.ExecuteProgram(bwrap.path(), arguments(spec, host)),
            new Instruction.Supervise.Started(
                STARTED, "bwrap: " + bwrap.path() + " could not set the sandbox up")));
    return new SyscallProgram(name(), steps);
  }

  private static Call duplicate(Slot descriptor, int as) {
    return duplicate(Operand.of(descriptor), as);
  }

  private static Call duplicate(Operand descriptor, int as) {
    return Call.of(SystemCall.DUP3, descriptor, Operand.of(as), Operand.of(0));
  }

  private static List<Instruction> provideLauncher(SyscallProgram inner, Numbers numbers) {
    List<Instruction> steps = new ArrayList<>(Steps.memoryFile(inner, LAUNCHER));
    steps.add(duplicate(LAUNCHER, numbers.launcher()));
    return steps;
  }

  private static List<OsString> arguments(SandboxSpec spec, HostReport host) {
    Caller caller = host.caller();
    List<OsString> arguments = new ArrayList<>();
    arguments.add(OsString.of("bwrap"));
    arguments.addAll(GivenArguments.of(spec, Numbers.of(spec).input().orElse(0)));
    if (!asRoot(caller)) {
      if (!spec.given().userIsShared()) {
        add(arguments, "--unshare-user");
      }
      add(arguments, "--uid", spec.identity().uid().orElse(caller.uid()));
      add(arguments, "--gid", spec.identity().gid().orElse(caller.gid()));
      for (String option : privilegeOptions(spec)) {
        add(arguments, option);
      }
    }
    arguments.addAll(BwrapArguments.of(spec, host));
    int launcher = Numbers.of(spec).launcher();
    arguments.addAll(InnerLauncher.place(spec.mounts()).orElseThrow().arguments(launcher));
    return arguments;
  }

  private static void add(List<OsString> arguments, String option) {
    arguments.add(OsString.of(option));
  }

  private static void add(List<OsString> arguments, String option, long value) {
    add(arguments, option);
    add(arguments, Long.toUnsignedString(value));
  }

  private static Call findProc(Numbers numbers) {
    return Call.of(
            SystemCall.FCNTL,
            Operand.of(numbers.proc()),
            Operand.of(LinuxConstant.F_DUPFD_CLOEXEC),
            Operand.of(0))
        .into(Credentials.PROC);
  }

  /** What runs in the sandbox before the command. */
  private SyscallProgram inner(SandboxSpec spec, HostReport host) {
    Numbers numbers = Numbers.of(spec);
    List<Instruction> steps = new ArrayList<>();
    steps.add(Call.of(SystemCall.GETPID).into(PID));
    steps.add(
        Call.of(
            SystemCall.WRITE,
            Operand.of(numbers.started()),
            new Operand.ResultAddress(PID),
            Operand.of(8)));
    steps.addAll(ownWhatCameThrough(spec, numbers));
    steps.addAll(NativeProgram.rememberDirectory(spec));
    Credentials credentials = new Credentials(host, spec);
    if (asRoot(host.caller())) {
      steps.add(findProc(numbers));
      steps.addAll(credentials.becomeCommandUser());
    } else if (makesUserNamespace(spec)) {
      steps.add(findProc(numbers));
      steps.addAll(credentials.enterLastUserNamespace());
    }
    steps.addAll(credentials.leaveOnlyWhatIsAskedFor());
    ProcessTree processes = new ProcessTree(spec, Optional.empty());
    Optional<Operand> lifeline =
        spec.namespaces().contains(Namespace.PID)
            ? Optional.of(Operand.of(numbers.lifeline()))
            : Optional.empty();
    steps.addAll(NativeProgram.awaitCallerBehind(spec, lifeline));
    steps.add(new Instruction.RestoreVariable(PWD));
    // bubblewrap came here with a descriptor of the host's /proc open, so a planted link may have
    // led it out. The name of such a directory is not absolute, and leads nowhere from the root.
    steps.add(Call.of(SystemCall.CHDIR, Operand.of("/")));
    List<Instruction> last =
        NativeProgram.becomeCommand(spec, List.of(new Instruction.FreeStandardDescriptors()));
    steps.addAll(processes.commandBehind(numbers.lifeline(), last, Operand.of(numbers.proc())));
    return new SyscallProgram(name(), steps);
  }

  /**
   * What bubblewrap let through is told from what the command inherits as what is closed on exec.
   * It has closed itself what it used.
   */
  private static List<Instruction> ownWhatCameThrough(SandboxSpec spec, Numbers numbers) {
    List<Instruction> steps = new ArrayList<>();
    if (spec.descriptors().inherited()) {
      List<Integer> own = new ArrayList<>(numbers.all());
      own.addAll(spec.descriptors().numbersFrom(spec.handover().firstFree()));
      for (int number : own) {
        steps.add(InheritedDescriptors.own(number).tolerate(Errno.EBADF));
      }
    }
    return steps;
  }
}
