package dev.cloister.probe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.program.CText;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import dev.cloister.strategy.Assessment;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Says why a step failed and what helps. One errno has many causes (EPERM of unshare(2) has five),
 * so they are told apart by what the host shows of itself, never by its version.
 */
public final class Diagnosis {
  private static final String NO_REMEDY = "none is known; the system call's man page lists causes";

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
      case Outcome.Other other ->
          new Assessment.Unusable(
              other.message().isEmpty()
                  ? "it ended with status " + other.status()
                  : other.message().replace("\n", "; "),
              NO_REMEDY);
    };
  }

  private Assessment ofFailure(SyscallProgram program, Outcome.Failure failure) {
    if (failure.step() < 1 || failure.step() > program.steps().size()) {
      return new Assessment.Unusable("it could not be executed: " + failure.error(), NO_REMEDY);
    }
    Call call = program.steps().get(failure.step() - 1);
    Optional<Errno> errno = Errno.of(failure.errno());
    String what = CText.of(call) + ": " + failure.error();
    return errno
        .flatMap(e -> cause(call, e))
        .map(cause -> new Assessment.Unusable(what + ": " + cause.reason(), cause.remedy()))
        .orElseGet(
            () ->
                new Assessment.Unusable(
                    what, errno.map(e -> call.hints().get(e)).orElse(NO_REMEDY)));
  }

  /** Why, and what helps. */
  private record Cause(String reason, String remedy) {}

  private Optional<Cause> cause(Call call, Errno errno) {
    if (errno == Errno.ENOSYS) {
      return Optional.of(
          caller.seccomp() == 0
              ? new Cause("this kernel does not have " + call.call().cName(), "a newer kernel")
              : seccomp());
    }
    boolean refused = errno == Errno.EPERM || errno == Errno.EACCES;
    if (isUserNamespace(call)) {
      return errno == Errno.ENOSPC
          ? Optional.of(limit())
          : refused ? Optional.of(userNamespaceRefused()) : Optional.empty();
    }
    return refused ? refused() : Optional.empty();
  }

  private static boolean isUserNamespace(Call call) {
    return call.call() == SystemCall.UNSHARE
        && call.operands().getFirst() instanceof Operand.Flags flags
        && flags.constants().contains(LinuxConstant.CLONE_NEWUSER);
  }

  private Cause limit() {
    return new Cause(
        "user.max_user_namespaces is " + evidence.get().maxUserNamespaces().orElse("used up"),
        "have the administrator raise it: sysctl user.max_user_namespaces=10000");
  }

  private Cause userNamespaceRefused() {
    if (evidence.get().userNamespacesForRootOnly()) {
      return new Cause(
          "kernel.unprivileged_userns_clone is 0: only root may make user namespaces",
          "run as root, or have the administrator set kernel.unprivileged_userns_clone=1");
    }
    return refused()
        .orElse(
            evidence.get().inChroot()
                ? new Cause(
                    "this process is in a chroot, and the kernel gives user namespaces to none such",
                    "start Cloister outside the chroot, or enter it with pivot_root instead")
                : new Cause(
                    "this process is in a chroot, or a security module refuses it",
                    "start Cloister outside the chroot; ask the administrator for the log"));
  }

  /** The causes that any privileged call can have. */
  private Optional<Cause> refused() {
    if (evidence.get().appArmorRestricts()) {
      return Optional.of(
          new Cause(
              "AppArmor lets programs without a profile make user namespaces that are good for nothing"
                  + " (kernel.apparmor_restrict_unprivileged_userns is 1)",
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
