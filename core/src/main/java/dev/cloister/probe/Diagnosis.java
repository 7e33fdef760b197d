package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Cause;
import dev.cloister.strategy.Assessment.Failure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Says why a step failed and what helps. One errno has many causes (EPERM of unshare(2) has five),
 * so they are told apart by what the host shows of itself, never by its version.
 */
public final class Diagnosis {
  private static final String APPARMOR_RESTRICTS =
      "AppArmor lets programs without a profile make user namespaces that are good for nothing"
          + " (kernel.apparmor_restrict_unprivileged_userns is 1)";

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

  private static final String NO_REMEDY = "none is known; the system call's man page lists causes";
  private static final Cause UNKNOWN = new Cause("", NO_REMEDY);

  private final Caller caller;
  private final Supplier<Evidence> evidence;

  /**
   * Makes a diagnostician.
   *
   * @param evidence collected only if something failed
   */
  public Diagnosis(Caller caller, Supplier<Evidence> evidence) {
    this.caller = caller;
    this.evidence = evidence;
  }

  /** What an outcome of {@code program} means for whether it can be used. */
  public Assessment of(SyscallProgram program, Outcome outcome) {
    return switch (outcome) {
      case Outcome.Success _ -> Assessment.USABLE;
      case Outcome.Failure failure -> ofFailure(program, failure);
      case Outcome.Other other -> ofOther(other);
    };
  }

  private Assessment ofOther(Outcome.Other other) {
    if (other.message().isEmpty()) {
      return new Assessment.Unusable("it ended with status " + other.status(), NO_REMEDY);
    }
    String what = other.message().replace("\n", "; ");
    return new Assessment.Unusable(
        Optional.of(new Failure(0, what, 0)), bwrapCause(other.message()).orElse(UNKNOWN));
  }

  /** bubblewrap says in words which step failed; the errno it had is known only for the limit. */
  private Optional<Cause> bwrapCause(String message) {
    if (!message.startsWith("bwrap: ")) {
      return Optional.empty();
    }
    if (message.contains("ENOSPC")) {
      return Optional.of(limit(List.of("user", "mnt")));
    }
    if (message.contains("uid map") && cannotMapIds()) {
      return Optional.of(cannotMap());
    }
    if (message.contains("uid map") && evidence.get().appArmorRestricts()) {
      return Optional.of(
          new Cause(
              APPARMOR_RESTRICTS,
              "have the administrator load an AppArmor profile with `userns,` for bwrap"));
    }
    return message.contains("new namespace")
        ? Optional.of(userNamespaceRefused(Errno.EPERM))
        : Optional.empty();
  }

  private Assessment ofFailure(SyscallProgram program, Outcome.Failure failure) {
    if (failure.step() < 1 || failure.step() > program.steps().size()) {
      return new Assessment.Unusable(
          Optional.of(new Failure(0, "it could not be executed", failure.errno())), UNKNOWN);
    }
    Call call = program.steps().get(failure.step() - 1);
    Optional<Errno> errno = Errno.of(failure.errno());
    return new Assessment.Unusable(
        Optional.of(new Failure(failure.step(), CText.of(call), failure.errno())),
        errno.flatMap(e -> cause(call, e).or(() -> hint(call, e))).orElse(UNKNOWN));
  }

  private static Optional<Cause> hint(Call call, Errno errno) {
    return Optional.ofNullable(call.hints().get(errno)).map(hint -> new Cause("", hint));
  }

  private Optional<Cause> cause(Call call, Errno errno) {
    if (errno == Errno.ENOSYS) {
      return Optional.of(
          caller.seccomp() == 0
              ? new Cause("this kernel does not have " + call.call().cName(), "a newer kernel")
              : seccomp());
    }
    if (errno == Errno.ENOSPC && call.call() == SystemCall.UNSHARE) {
      return Optional.of(limit(kinds(call)));
    }
    if (errno == Errno.EOPNOTSUPP && call.call() == SystemCall.LANDLOCK_CREATE_RULESET) {
      return Optional.of(
          new Cause(
              "this kernel has Landlock, but was started without it (landlock(7))",
              "add landlock to the list in the boot parameter lsm="));
    }
    if (errno == Errno.EACCES && call.call() == SystemCall.MEMFD_CREATE) {
      return Optional.of(
          new Cause(
              "sysctl vm.memfd_noexec is 2: no memory file may be executed",
              "pivot_root and chroot need none; for bwrap, have the administrator set"
                  + " vm.memfd_noexec=1"));
    }
    if (errno != Errno.EPERM && errno != Errno.EACCES) {
      return Optional.empty();
    }
    if (errno == Errno.EPERM && isIdMap(call) && cannotMapIds()) {
      return Optional.of(cannotMap());
    }
    if (errno == Errno.EPERM && isProc(call) && !evidence.get().coveredProc().isEmpty()) {
      return Optional.of(coveredProc());
    }
    return isUserNamespace(call) ? Optional.of(userNamespaceRefused(errno)) : refused(errno);
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

  /**
   * A limit of 0 is the cause. Any other number may be reached, or an enclosing user namespace's
   * limit is, which cannot be seen from here (namespaces(7)).
   */
  private Cause limit(List<String> kinds) {
    Map<String, String> limits = evidence.get().namespaceLimits();
    for (String kind : kinds) {
      if ("0".equals(limits.get(kind))) {
        String sysctl = "user.max_" + kind + "_namespaces";
        return new Cause(
            sysctl + " is 0", "have the administrator raise it: sysctl " + sysctl + "=10000");
      }
    }
    String shown =
        kinds.stream()
            .filter(limits::containsKey)
            .map(kind -> "user.max_" + kind + "_namespaces is " + limits.get(kind))
            .collect(Collectors.joining(", "));
    return new Cause(
        "a limit on namespaces is reached, here or in an enclosing user namespace"
            + (shown.isEmpty() ? "" : " (" + shown + " here)"),
        "end what holds namespaces (lsns lists them), or have the administrator raise the limit");
  }

  private static boolean isIdMap(Call call) {
    return call.call() == SystemCall.WRITE
        && call.operands().getFirst() instanceof Operand.Result(Slot slot)
        && slot.name().equals("uid_map");
  }

  /** Since Linux 5.12 (user_namespaces(7)). */
  private boolean cannotMapIds() {
    return caller.uid() == 0 && !caller.has(LinuxConstant.CAP_SETFCAP);
  }

  private static Cause cannotMap() {
    return new Cause(
        "this uid 0 lacks CAP_SETFCAP, without which it cannot map ids (user_namespaces(7))",
        "start Cloister as another uid: in a sandbox that gives one with --uid");
  }

  private static boolean isProc(Call call) {
    return call.call() == SystemCall.MOUNT && call.operands().get(2).equals(Operand.of("proc"));
  }

  /** The kernel logs it as "VFS: Mount too revealing". */
  private Cause coveredProc() {
    return new Cause(
        "the kernel gives no fresh /proc to those whose own is covered in parts, as container"
            + " runtimes do; here: "
            + String.join(", ", evidence.get().coveredProc()),
        "pivot_root and chroot need none, their --proc shows the caller's; for one, start the"
            + " container with a whole /proc (podman: --security-opt unmask=ALL)");
  }

  private Cause userNamespaceRefused(Errno errno) {
    if (errno == Errno.EPERM && caller.seccomp() != 0) {
      // AppArmor's restriction lets this call pass and refuses what follows, or says EACCES.
      return seccomp();
    }
    if (evidence.get().userNamespacesForRootOnly() && !caller.isPrivileged()) {
      return new Cause(
          "kernel.unprivileged_userns_clone is 0: only root may make user namespaces",
          "run as root, or have the administrator set kernel.unprivileged_userns_clone=1");
    }
    return refused(errno)
        .orElse(
            evidence.get().inChroot()
                ? new Cause(
                    "this process is in a chroot, and the kernel gives user namespaces to none such",
                    "start Cloister outside the chroot, or enter it with pivot_root instead")
                : new Cause(
                    "this process is in a chroot, or a security module refuses it",
                    "start Cloister outside the chroot; ask the administrator for the log"));
  }

  /**
   * The causes that any privileged call can have. AppArmor's sysctl is the whole host's, and shows
   * inside containers too: a caller with capabilities is not the one it restricts.
   */
  private Optional<Cause> refused(Errno errno) {
    Optional<String> profile = evidence.get().appArmorProfile();
    // What a profile denies is EACCES; container runtimes' seccomp filters say EPERM.
    if (errno == Errno.EACCES && profile.isPresent()) {
      return Optional.of(
          new Cause(
              "the AppArmor profile " + profile.get() + " is on this process",
              "start it with a profile that allows `userns,`, `mount,` and `pivot_root,`"
                  + " (docker: --security-opt apparmor=PROFILE)"));
    }
    if (evidence.get().appArmorRestricts() && !caller.isPrivileged()) {
      return Optional.of(
          new Cause(
              APPARMOR_RESTRICTS,
              "install bubblewrap, which has a profile, or give Cloister's launchers one with `userns,`"));
    }
    return caller.seccomp() == 0 ? Optional.empty() : Optional.of(seccomp());
  }

  private static Cause seccomp() {
    return new Cause(
        "a seccomp filter is on this process, as container runtimes install",
        "start the container with a seccomp profile that allows unshare, mount and pivot_root"
            + " (docker: --security-opt seccomp=PROFILE)");
  }
}
