package dev.cloister.cli;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.Privileges.Authority;
import dev.cloister.spec.Privileges.UserNamespaces;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What bubblewrap's options mean together, and what holds without any: bwrap(1). {@code
 * docs/bubblewrap.md} says where Cloister is stricter.
 */
final class BubblewrapRules {
  private static final OsString PWD = OsString.of("PWD");

  private BubblewrapRules() {}

  /**
   * Called by root, the command has root's capabilities, which options then add to or take from.
   */
  static void start(RunRequest.Builder run, Caller caller) {
    if (caller.uid() == 0) {
      Privileges some = run.spec().privileges();
      run.spec().privileges(some.withCapabilities(capabilities(caller)));
    }
  }

  private static Set<LinuxConstant> capabilities(Caller caller) {
    Set<LinuxConstant> held = EnumSet.noneOf(LinuxConstant.class);
    for (LinuxConstant capability : Privileges.allCapabilities()) {
      if (caller.has(capability)) {
        held.add(capability);
      }
    }
    return held;
  }

  /** After the last option. */
  static void finish(RunRequest.Builder run, Caller caller) throws CliException {
    requireNamespaces(run);
    run.spec().descriptors(CallerDescriptors::inheriting);
    // Whoever cannot do without a user namespace gets one unasked.
    if (caller.uid() == 0 && caller.isPrivileged() && !run.hasOwnUserNamespace()) {
      keepAuthority(run, caller);
    }
    Optional<OsString> directory = run.workingDirectory();
    run.environment(
        directory.isPresent()
            ? run.environment().set(PWD, directory.get())
            : run.environment().setToDirectory(PWD));
  }

  private static void requireNamespaces(RunRequest.Builder run) throws CliException {
    Privileges asked = run.spec().privileges();
    if (asked.userNamespaces() == UserNamespaces.DISABLED && !asked.ownUserNamespace()) {
      throw new CliException("--disable-userns requires --unshare-user");
    }
    if (run.hostname().isPresent() && !run.spec().unshares(Namespace.UTS)) {
      throw new CliException("Specifying --hostname requires --unshare-uts");
    }
  }

  /** Without a user namespace the command is the caller, with capabilities over what that has. */
  private static void keepAuthority(RunRequest.Builder run, Caller caller) throws CliException {
    requireCallers("--uid", run.identity().uid(), caller.uid());
    requireCallers("--gid", run.identity().gid(), caller.gid());
    Privileges asked = run.spec().privileges();
    run.spec()
        .privileges(
            asked.withAuthority(
                run.changesCapabilities() ? Authority.CALLERS : Authority.ALL_OF_CALLERS,
                asked.capabilities()));
  }

  private static void requireCallers(String option, OptionalLong id, long own) throws CliException {
    if (id.isPresent() && id.getAsLong() != own) {
      throw new CliException("Specifying " + option + " requires --unshare-user or --userns");
    }
  }
}
