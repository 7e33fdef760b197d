package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Cause;
import dev.cloister.strategy.Assessment.Failure;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Says why a step failed and what helps. One errno has many causes (EPERM of unshare(2) has six),
 * so they are told apart by what the host shows of itself, never by its version. What is certain
 * comes before what is likely.
 */
public final class Diagnosis {
  /** In the order in which unshare(2) makes them. */
  private static final Map<LinuxConstant, String> KINDS = new LinkedHashMap<>();

  static {
    KINDS.put(LinuxConstant.CLONE_NEWUSER, "user");
    KINDS.put(LinuxConstant.CLONE_NEWNS, "mnt");
    KINDS.put(LinuxConstant.CLONE_NEWUTS, "uts");
    KINDS.put(LinuxConstant.CLONE_NEWIPC, "ipc");
    KINDS.put(LinuxConstant.CLONE_NEWPID, "pid");
    KINDS.put(LinuxConstant.CLONE_NEWCGROUP, "cgroup");
    KINDS.put(LinuxConstant.CLONE_NEWNET, "net");
    KINDS.put(LinuxConstant.CLONE_NEWTIME, "time");
  }

  private static final Cause UNKNOWN =
      new Cause("", "none is known; the system call's man page lists causes");

  private final Caller caller;
  private final Supplier<Evidence> collector;
  private final Optional<ProgramRunner> runner;
  private @Nullable Evidence evidence;

  /**
   * Makes a diagnostician.
   *
   * @param evidence collected once, and only if something failed
   */
  public Diagnosis(Caller caller, Supplier<Evidence> evidence) {
    this(caller, evidence, Optional.empty());
  }

  private Diagnosis(Caller caller, Supplier<Evidence> collector, Optional<ProgramRunner> runner) {
    this.caller = caller;
    this.collector = collector;
    this.runner = runner;
  }

  /**
   * One that tries what a seccomp filter refuses, and can write a profile for the launchers of the
   * runner's directory.
   */
  public Diagnosis with(ProgramRunner experimenter) {
    return new Diagnosis(caller, collector, Optional.of(experimenter));
  }

  /** What the host shows. Several threads may want it. */
  public synchronized Evidence evidence() {
    Evidence known = evidence;
    if (known == null) {
      known = collector.get();
      evidence = known;
    }
    return known;
  }

  Causes causes() {
    Optional<Path> launchers = runner.map(it -> it.directory().path());
    return new Causes(caller, evidence(), launchers);
  }

  /** What an outcome of {@code program} means for whether it can be used. */
  public Assessment of(SyscallProgram program, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Success _ -> Assessment.USABLE;
      case Outcome.Failure failure -> ofFailure(program, failure);
      case Outcome.Other other -> ofOther(program, other);
    };
  }

  private Assessment ofOther(SyscallProgram program, Outcome.Other other) {
    List<String> said = other.message().lines().filter(line -> !line.isBlank()).toList();
    // Of a launcher that says that bubblewrap failed, only what that said itself is news.
    List<String> bwrap = said.stream().filter(line -> line.startsWith("bwrap: ")).toList();
    String what =
        said.isEmpty()
            ? "it ended with status " + other.status()
            : String.join("; ", bwrap.isEmpty() ? said : bwrap);
    Optional<Cause> cause =
        bwrap.isEmpty() && runsBwrap(program.instructions())
            ? Optional.of(causes().bwrapIsBroken())
            : bwrapCause(what);
    return unusable(new Failure(0, what, 0), cause);
  }

  private static Assessment unusable(Failure failure, Optional<Cause> cause) {
    return new Assessment.Unusable(Optional.of(failure), cause.orElse(UNKNOWN));
  }

  private static boolean runsBwrap(List<Instruction> instructions) {
    for (Instruction instruction : instructions) {
      if (instruction instanceof Instruction.ExecuteProgram execute
          && execute.path().toString().endsWith("/bwrap")) {
        return true;
      }
      if (instruction instanceof Instruction.Supervise supervise && runsBwrap(supervise.child())) {
        return true;
      }
    }
    return false;
  }

  /** bubblewrap says in words which step failed, and the errno as text at the end. */
  private Optional<Cause> bwrapCause(String message) {
    if (!message.startsWith("bwrap: ")) {
      return Optional.empty();
    }
    String unknown = "Unknown option ";
    if (message.contains(unknown)) {
      String option = message.substring(message.indexOf(unknown) + unknown.length());
      return Optional.of(causes().bwrapLacks(option.split("[;\\s]", 2)[0]));
    }
    if (message.contains("ENOSPC")) {
      return Optional.of(causes().limit(List.of("user", "mnt")));
    }
    if (message.contains("uid map")) {
      return Optional.of(bwrapMapRefused());
    }
    if (message.contains("execvp /proc/self/fd/")) {
      return Optional.of(causes().memoryFilesForbidden());
    }
    if (message.contains("new namespace")) {
      return Optional.of(userNamespaceRefused(Errno.EPERM));
    }
    if (message.endsWith("pivot_root: " + Errno.EINVAL.text())) {
      return causeOfImmovableRoot();
    }
    if (message.endsWith(Errno.ENOENT.text())) {
      return bwrapMisses(message);
    }
    if (message.endsWith(Errno.EINVAL.text())) {
      // It makes the mounts below the root private, which a plain directory is not among.
      return evidence().chroot().map(causes()::chroot);
    }
    boolean denied = message.endsWith(Errno.EACCES.text()) || message.endsWith(Errno.EPERM.text());
    return denied
        ? mountRefused(message.endsWith(Errno.EACCES.text()) ? Errno.EACCES : Errno.EPERM)
        : Optional.empty();
  }

  /** What it reads before anything else, and where it builds the sandbox. */
  private Optional<Cause> bwrapMisses(String message) {
    if (message.contains("/proc/")) {
      return Optional.of(causes().noProc());
    }
    return message.contains("mount tmpfs") ? Optional.of(causes().noTmp()) : Optional.empty();
  }

  private Cause bwrapMapRefused() {
    if (cannotMapIds()) {
      return causes().cannotMap();
    }
    return evidence().appArmorRestricts()
        ? causes().appArmorRestrictsBwrap()
        : refused(SystemCall.WRITE, Errno.EACCES).orElseGet(causes()::landlock);
  }

  /** bubblewrap's first step of this kind makes the mounts private. */
  private Optional<Cause> mountRefused(Errno errno) {
    return evidence().appArmorRestricts() && !caller.isPrivileged()
        ? Optional.of(causes().appArmorRestrictsBwrap())
        : refused(SystemCall.MOUNT, errno)
            .or(
                () ->
                    evidence().mayHaveLandlock()
                        ? Optional.of(causes().landlock())
                        : Optional.empty());
  }

  private Assessment ofFailure(SyscallProgram program, Outcome.Failure failure) {
    if (failure.step() < 1 || failure.step() > program.steps().size()) {
      return unusable(
          new Failure(0, "it could not be executed", failure.errno()), executionCause(program));
    }
    Call call = program.steps().get(failure.step() - 1);
    return unusable(
        new Failure(failure.step(), CText.of(call), failure.errno()),
        Errno.of(failure.errno()).flatMap(errno -> cause(call, errno).or(() -> hint(call, errno))));
  }

  private Optional<Cause> executionCause(SyscallProgram program) {
    if (runsBwrap(program.instructions())) {
      return Optional.of(causes().bwrapIsBroken());
    }
    Optional<String> forbidden = evidence().sysctl("vm.memfd_noexec").filter(v -> !v.equals("0"));
    return forbidden.map(_ -> causes().memoryFilesForbidden());
  }

  private static Optional<Cause> hint(Call call, Errno errno) {
    return Optional.ofNullable(call.hints().get(errno)).map(hint -> new Cause("", hint));
  }

  private Optional<Cause> cause(Call call, Errno errno) {
    // Not a switch over the enum: most errnos have no cause that is known.
    if (errno == Errno.EPERM || errno == Errno.EACCES) {
      return causeOfRefusal(call, errno);
    }
    if (errno == Errno.ENOSYS) {
      return Optional.of(
          caller.seccomp() == 0
              ? causes().tooOldKernel(call.call())
              : causes().seccomp(proof(call.call(), errno)));
    }
    if (errno == Errno.ENOSPC) {
      return causeOfLimit(call);
    }
    if (errno == Errno.EUSERS && call.call() == SystemCall.UNSHARE) {
      return Optional.of(causes().nestedTooDeeply());
    }
    if (errno == Errno.EINVAL && call.call() == SystemCall.PIVOT_ROOT) {
      return causeOfImmovableRoot();
    }
    if (errno == Errno.EOPNOTSUPP && call.call() == SystemCall.LANDLOCK_CREATE_RULESET) {
      return Optional.of(causes().landlockIsOff());
    }
    boolean unknownRight = errno == Errno.EINVAL || errno == Errno.E2BIG;
    if (unknownRight && call.call() == SystemCall.LANDLOCK_CREATE_RULESET) {
      return Optional.of(causes().landlockIsOld());
    }
    if (errno == Errno.EROFS && isIdMap(call)) {
      return Optional.of(causes().readOnlyProc());
    }
    return errno == Errno.ENOENT && (isIdMap(call) || opens(call, "/proc"))
        ? Optional.of(causes().noProc())
        : Optional.empty();
  }

  private Optional<Cause> causeOfLimit(Call call) {
    if (call.call() == SystemCall.UNSHARE) {
      return Optional.of(causes().limit(kinds(call)));
    }
    boolean mounts =
        call.call() == SystemCall.MOUNT
            || call.call() == SystemCall.MOVE_MOUNT
            || call.call() == SystemCall.OPEN_TREE;
    return mounts ? Optional.of(causes().tooManyMounts()) : Optional.empty();
  }

  private Optional<Cause> causeOfImmovableRoot() {
    return evidence().initramfs()
        ? Optional.of(causes().initramfs())
        : evidence().chroot().map(causes()::chroot);
  }

  private Optional<Cause> causeOfRefusal(Call call, Errno errno) {
    if (call.call() == SystemCall.MEMFD_CREATE) {
      return Optional.of(causes().memoryFilesForbidden());
    }
    if (errno == Errno.EPERM && isIdMap(call) && cannotMapIds()) {
      return Optional.of(causes().cannotMap());
    }
    if (errno == Errno.EPERM && isProc(call) && !evidence().coveredProc().isEmpty()) {
      return Optional.of(causes().coveredProc());
    }
    if (isUserNamespace(call)) {
      return Optional.of(userNamespaceRefused(errno));
    }
    return refused(call.call(), errno)
        .or(() -> isForLandlock(call) ? Optional.of(causes().landlock()) : Optional.empty());
  }

  /** What Landlock's rules can refuse to a process that is root of its own user namespace. */
  private boolean isForLandlock(Call call) {
    return evidence().mayHaveLandlock()
        && (isIdMap(call)
            || call.call() == SystemCall.MOUNT
            || call.call() == SystemCall.MOVE_MOUNT
            || call.call() == SystemCall.UMOUNT2
            || call.call() == SystemCall.PIVOT_ROOT);
  }

  private static boolean isUserNamespace(Call call) {
    return call.call() == SystemCall.UNSHARE && kinds(call).contains("user");
  }

  /** The kinds of namespaces that a call of unshare(2) makes, in the kernel's order. */
  private static List<String> kinds(Call call) {
    return call.operands().getFirst() instanceof Operand.Flags flags
        ? KINDS.entrySet().stream()
            .filter(kind -> flags.constants().contains(kind.getKey()))
            .map(Map.Entry::getValue)
            .toList()
        : List.of();
  }

  /** Opening or writing one of the files that map ids. */
  private static boolean isIdMap(Call call) {
    boolean writes =
        call.call() == SystemCall.WRITE
            && call.operands().getFirst() instanceof Operand.Result(Slot slot)
            && slot.name().equals("uid_map");
    return writes
        || opens(call, "self/setgroups")
        || opens(call, "self/uid_map")
        || opens(call, "self/gid_map");
  }

  private static boolean opens(Call call, String file) {
    return call.call() == SystemCall.OPENAT && call.operands().get(1).equals(Operand.of(file));
  }

  /** Since Linux 5.12 (user_namespaces(7)). */
  private boolean cannotMapIds() {
    return caller.uid() == 0 && !caller.has(LinuxConstant.CAP_SETFCAP);
  }

  private static boolean isProc(Call call) {
    return call.call() == SystemCall.MOUNT && call.operands().get(2).equals(Operand.of("proc"));
  }

  private Optional<String> proof(SystemCall call, Errno errno) {
    return caller.seccomp() == 0
        ? Optional.empty()
        : runner.flatMap(it -> new HarmlessCalls(it).refused(call, errno));
  }

  private Cause userNamespaceRefused(Errno errno) {
    Optional<String> filtered = proof(SystemCall.UNSHARE, errno);
    if (filtered.isPresent()) {
      return causes().seccomp(filtered);
    }
    if (errno == Errno.EPERM && evidence().chroot().isPresent()) {
      return causes().chroot(evidence().chroot().get());
    }
    if (!mapped()) {
      return causes().unmappedIds();
    }
    if (evidence().userNamespacesForRootOnly() && !caller.isPrivileged()) {
      return causes().debianSysctl();
    }
    if (errno == Errno.EPERM && caller.seccomp() != 0) {
      // AppArmor's restriction lets this call pass and refuses what follows, or says EACCES.
      return causes().seccomp(Optional.empty());
    }
    return refused(SystemCall.UNSHARE, errno).orElseGet(causes()::perhapsChroot);
  }

  private boolean mapped() {
    return Evidence.maps(evidence().uidMap(), caller.uid())
        && Evidence.maps(evidence().gidMap(), caller.gid());
  }

  /** The causes that any privileged call can have. */
  private Optional<Cause> refused(SystemCall call, Errno errno) {
    Optional<String> profile = evidence().appArmorProfile();
    // What a profile denies is EACCES; container runtimes' seccomp filters say EPERM.
    if (errno == Errno.EACCES && profile.isPresent()) {
      return Optional.of(causes().appArmorProfile(profile.get()));
    }
    // A caller with capabilities is not the one whom AppArmor's sysctl restricts.
    if (evidence().appArmorRestricts() && !caller.isPrivileged()) {
      return Optional.of(causes().appArmorRestricts());
    }
    if (errno == Errno.EACCES && evidence().seLinuxContext().isPresent()) {
      return evidence().seLinuxContext().map(causes()::seLinux);
    }
    return caller.seccomp() == 0
        ? Optional.empty()
        : Optional.of(causes().seccomp(proof(call, errno)));
  }
}
