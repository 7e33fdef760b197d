package dev.cloister.recipe;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.UserNamespaces;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;

/**
 * Whether a caller can give the command the identity, the user namespace and the privileges that
 * are asked for; asked before there is any plan, and of wishes that none can be made for.
 */
final class CredentialsAssessment {
  private final SandboxSpec spec;
  private final HostReport host;
  private final Caller caller;
  private final Privileges privileges;
  private final boolean asksForOtherUser;
  private final boolean asksForOtherGroup;

  CredentialsAssessment(SandboxSpec spec, HostReport host) {
    this.spec = spec;
    this.host = host;
    this.caller = host.caller();
    this.privileges = spec.privileges();
    Ids callers = Ids.ofCaller(host);
    Ids asked = Ids.ofCommand(spec.identity(), host);
    this.asksForOtherUser = !asked.uid().is(callers.uid());
    this.asksForOtherGroup = !asked.gid().is(callers.gid());
  }

  /** The first thing that is in the way, if any. */
  Assessment assess() {
    Assessment given = assessGiven();
    if (given instanceof Assessment.Unusable) {
      return given;
    }
    if (CommandUser.areMappedByOthers(spec.given())) {
      return assessUserNamespace();
    }
    if (asksForOtherUser && mayNot(LinuxConstant.CAP_SETUID)) {
      return lacks("CAP_SETUID");
    }
    if (asksForOtherGroup && mayNot(LinuxConstant.CAP_SETGID)) {
      return lacks("CAP_SETGID");
    }
    return privileges.authority().isCallers() ? assessAuthority() : assessUserNamespace();
  }

  /** Whether namespaces that are given can be entered, and what is made be named. */
  private Assessment assessGiven() {
    GivenNamespaces given = spec.given();
    if (spec.reports().any() && host.needs(Workaround.OWN_PROC)) {
      return new Assessment.Unusable(
          "without the host's /proc, Cloister cannot tell what the sandbox's process is called"
              + " there, as --info-fd and --json-status-fd ask",
          "mount a /proc, or leave them out");
    }
    if (given.user().isPresent() || caller.isPrivileged()) {
      return Assessment.USABLE;
    }
    if (given.pid().isPresent()) {
      return new Assessment.Unusable(
          "a caller without CAP_SYS_ADMIN enters no pid namespace, as --pidns asks, but in a user"
              + " namespace that owns it",
          "add --userns");
    }
    return given.last().isPresent()
        ? new Assessment.Unusable(
            "a caller without CAP_SYS_ADMIN makes the sandbox in a new user namespace, below which"
                + " the one of --userns2 cannot be",
            "add --userns")
        : Assessment.USABLE;
  }

  /** Any other caller only maps ids, which takes none of the caller's capabilities. */
  private boolean mayNot(LinuxConstant changeIds) {
    return caller.isPrivileged() && !caller.has(changeIds);
  }

  private static Assessment lacks(String capability) {
    return new Assessment.Unusable(
        "a caller with CAP_SYS_ADMIN but without " + capability + " cannot become another user",
        "leave out --uid and --gid, or grant " + capability);
  }

  /** Whether the command can keep the caller's authority. */
  private Assessment assessAuthority() {
    if (!caller.isPrivileged()) {
      return new Assessment.Unusable(
          "without CAP_SYS_ADMIN, the caller can make no sandbox in its own user namespace",
          "ask for a user namespace: --unshare-user");
    }
    boolean asksForMore =
        privileges.ownUserNamespace()
            || privileges.userNamespaces() == UserNamespaces.DISABLED
            || asksForOtherUser
            || asksForOtherGroup;
    return asksForMore
        ? new Assessment.Unusable(
            "a command with the caller's capabilities stays in the caller's user namespace, with its"
                + " ids",
            "ask for a user namespace: --unshare-user")
        : Assessment.USABLE;
  }

  /** Whether the command can have the user namespace that its privileges ask for. */
  private Assessment assessUserNamespace() {
    if (!host.needs(Workaround.NO_USER_NAMESPACE) || spec.given().userIsShared()) {
      return Assessment.USABLE;
    }
    String allow = "allow user namespaces: `cloister probe` says what forbids them";
    if (!privileges.capabilities().isEmpty()) {
      return new Assessment.Unusable(
          "no user namespace can be made for the command here, so what --cap-add asks for would be"
              + " capabilities over the caller's",
          "leave out --cap-add, or " + allow);
    }
    return privileges.ownUserNamespace()
        ? new Assessment.Unusable(
            "no user namespace can be made for the command here, as --unshare-user asks",
            "use --unshare-user-try, or " + allow)
        : Assessment.USABLE;
  }
}
