package dev.cloister.probe;

import dev.cloister.ffm.SystemCall;
import dev.cloister.host.Caller;
import dev.cloister.host.Evidence;
import dev.cloister.strategy.Assessment.Cause;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The causes that Cloister knows, each with where it shows and what helps. A remedy first says what
 * leaves the host's protection as it is; only an administrator can weigh the rest.
 */
final class Causes {
  /** What a container runtime's own filter refuses and Cloister's programs call. */
  private static final List<SystemCall> FILTERED =
      List.of(
          SystemCall.CLONE,
          SystemCall.LANDLOCK_ADD_RULE,
          SystemCall.LANDLOCK_CREATE_RULESET,
          SystemCall.LANDLOCK_RESTRICT_SELF,
          SystemCall.MOUNT,
          SystemCall.MOUNT_SETATTR,
          SystemCall.MOVE_MOUNT,
          SystemCall.OPEN_TREE,
          SystemCall.PIVOT_ROOT,
          SystemCall.SETHOSTNAME,
          SystemCall.SETNS,
          SystemCall.UMOUNT2,
          SystemCall.UNSHARE);

  private static final String SYSCTL_FILE = "/etc/sysctl.d/60-cloister.conf";

  private final Caller caller;
  private final Evidence evidence;
  private final Optional<Path> launchers;

  Causes(Caller caller, Evidence evidence, Optional<Path> launchers) {
    this.caller = caller;
    this.evidence = evidence;
    this.launchers = launchers;
  }

  private static String set(String sysctl, String value) {
    return "sysctl %s=%s (to keep it: `%s = %s` in %s)"
        .formatted(sysctl, value, sysctl, value, SYSCTL_FILE);
  }

  private String shown(String sysctl) {
    return Evidence.file(sysctl) + ": " + evidence.sysctl(sysctl).orElse("not readable");
  }

  private static String status(String field, Object value) {
    return "/proc/self/status: " + field + ": " + value;
  }

  private String label() {
    return "/proc/self/attr/current: " + evidence.label().orElse("nothing");
  }

  /**
   * A limit of 0 is the cause. Any other number may be reached, or an enclosing user namespace's
   * limit is, which cannot be seen from here (namespaces(7)).
   */
  Cause limit(List<String> kinds) {
    List<String> sysctls = kinds.stream().map(Evidence::limitOn).toList();
    for (String sysctl : sysctls) {
      if (evidence.sysctl(sysctl).equals(Optional.of("0"))) {
        return new Cause(
                sysctl + " is 0", "have the administrator raise it: " + set(sysctl, "10000"))
            .seenIn(shown(sysctl));
      }
    }
    List<String> known = sysctls.stream().filter(s -> evidence.sysctl(s).isPresent()).toList();
    String here =
        known.stream()
            .map(sysctl -> sysctl + " is " + evidence.sysctl(sysctl).orElseThrow())
            .collect(Collectors.joining(", "));
    // Since Linux 4.9 the depth has the same errno, and nothing shows it.
    String depth = kinds.contains("user") ? ", or user namespaces are nested 32 deep" : "";
    return new Cause(
            "a limit on namespaces is reached, here or in an enclosing user namespace"
                + (here.isEmpty() ? "" : " (" + here + " here)")
                + depth,
            "end what holds namespaces (lsns lists them), start Cloister in fewer sandboxes or"
                + " containers in each other, or have the administrator of the enclosing user"
                + " namespace raise the limit there (sysctl "
                + (sysctls.isEmpty() ? Evidence.limitOn("user") : sysctls.getFirst())
                + ")")
        .seenIn(known.stream().map(this::shown).toArray(String[]::new));
  }

  Cause nestedTooDeeply() {
    return new Cause(
        "user namespaces are nested 32 deep, which is as deep as they go (user_namespaces(7))",
        "start Cloister further outside: in fewer sandboxes or containers in each other");
  }

  Cause tooManyMounts() {
    String sysctl = "fs.mount-max";
    return new Cause(
            "the mount namespace would have more mounts than " + sysctl + " allows",
            "bind fewer directories that have mounts below them, or have the administrator raise"
                + " it: "
                + set(sysctl, "100000"))
        .seenIn(shown(sysctl), "/proc/self/mountinfo: " + evidence.mounts() + " mounts");
  }

  Cause memoryFilesForbidden() {
    String sysctl = "vm.memfd_noexec";
    return new Cause(
            sysctl
                + " is "
                + evidence.sysctl(sysctl).orElse("2")
                + ": memory files cannot be executed",
            "--strategy pivot_root and chroot of the command line need none; for the others, have"
                + " the administrator allow those that ask for it: "
                + set(sysctl, "1"))
        .seenIn(shown(sysctl));
  }

  Cause unmappedIds() {
    return new Cause(
            "the caller's user or group id has no mapping in its user namespace, and the kernel"
                + " gives those no user namespace (user_namespaces(7))",
            "start Cloister as a user that /proc/self/uid_map and gid_map list")
        .seenIn(
            "uid " + caller.uid() + ", /proc/self/uid_map: " + evidence.uidMap(),
            "gid " + caller.gid() + ", /proc/self/gid_map: " + evidence.gidMap());
  }

  /** Since Linux 5.12 (user_namespaces(7)). */
  Cause cannotMap() {
    return new Cause(
            "this uid 0 lacks CAP_SETFCAP, without which it cannot map ids (user_namespaces(7))",
            "start Cloister as another uid: in a sandbox that gives one with --uid")
        .seenIn(status("Uid", 0), status("CapEff", "%016x".formatted(caller.capabilities())));
  }

  /** The kernel logs it as "VFS: Mount too revealing". */
  Cause coveredProc() {
    return new Cause(
            "the kernel gives no fresh /proc to those whose own is covered in parts, as container"
                + " runtimes do; here: "
                + String.join(", ", evidence.coveredProc()),
            "pivot_root and chroot need none, their --proc shows the caller's; for one, start the"
                + " container with a whole /proc (docker: --security-opt systempaths=unconfined,"
                + " podman: --security-opt unmask=ALL)")
        .seenIn("/proc/self/mountinfo");
  }

  Cause noProc() {
    return new Cause(
        "there is no procfs at /proc",
        "mount one, as root: mount -t proc proc /proc; a container runtime does so by itself");
  }

  Cause readOnlyProc() {
    return new Cause(
            "/proc is read-only here, and ids are mapped by writing to it",
            "have it mounted writable: in a container, leave out what makes /proc read-only (docker:"
                + " --security-opt systempaths=unconfined)")
        .seenIn("/proc/self/mountinfo");
  }

  Cause initramfs() {
    return new Cause(
            "the root is the kernel's first file system (initramfs), which cannot be moved"
                + " (pivot_root(2))",
            "none is needed: --strategy chroot works here; or move to a real root first"
                + " (switch_root(8))")
        .seenIn("/proc/self/mountinfo: rootfs at /");
  }

  Cause debianSysctl() {
    return new Cause(
            "kernel.unprivileged_userns_clone is 0: only root may make user namespaces",
            "run as root, whom it does not concern; or have the administrator decide for all users: "
                + set("kernel.unprivileged_userns_clone", "1"))
        .seenIn(shown("kernel.unprivileged_userns_clone"));
  }

  private static final String BWRAP_PROFILE = "bwrap-userns-restrict";

  /** How bubblewrap gets the profile that its distribution has for it, if it is not loaded. */
  private static String loadBwrapProfile() {
    return "apt install apparmor-profiles, copy /usr/share/apparmor/extra-profiles/%1$s to"
            .formatted(BWRAP_PROFILE)
        + " /etc/apparmor.d/ and load it: apparmor_parser -r /etc/apparmor.d/"
        + BWRAP_PROFILE;
  }

  Cause appArmorRestricts() {
    return new Cause(
        restriction(),
        List.of(shown("kernel.apparmor_restrict_unprivileged_userns"), label()),
        "install bubblewrap, for which there is a profile ("
            + loadBwrapProfile()
            + "): --strategy bwrap then works; or have the administrator give this user's launchers"
            + " a profile, which `cloister probe` prints",
        launchers
            .map(directory -> new AppArmorProfile(directory, caller.uid()).lines())
            .orElse(List.of()));
  }

  Cause appArmorRestrictsBwrap() {
    return new Cause(
            restriction(),
            "have the administrator load the profile with `userns,` that the distribution has for"
                + " bwrap: "
                + loadBwrapProfile())
        .seenIn(shown("kernel.apparmor_restrict_unprivileged_userns"), label());
  }

  private static String restriction() {
    return "AppArmor lets programs without a profile make user namespaces that are good for nothing"
        + " (kernel.apparmor_restrict_unprivileged_userns is 1)";
  }

  Cause appArmorProfile(String profile) {
    return new Cause(
            "the AppArmor profile " + profile + " is on this process",
            "start it with a profile that allows `userns,`, `mount,`, `umount,` and `pivot_root,`"
                + " as well; for a container: --security-opt apparmor=PROFILE (docker, podman)")
        .seenIn(label());
  }

  Cause seLinux(String context) {
    return new Cause(
            "SELinux refuses it to " + context,
            context.contains(":container_t:")
                ? "start the container with a type that may do so: --security-opt"
                    + " label=type:container_engine_t (podman, docker)"
                : "have the administrator look at the denial (ausearch -m AVC -ts recent) and allow"
                    + " just that in a policy module (audit2allow)")
        .seenIn(label());
  }

  /** Of a restriction by Landlock nothing shows: it is what remains. */
  Cause landlock() {
    return new Cause(
            "a security module refuses it; as no other shows, most likely Landlock, by which a"
                + " process is restricted for good (landlock(7))",
            "start Cloister outside of the program that restricted this process (landrun, an"
                + " editor's or an agent's sandbox)")
        .seenIn(
            "/sys/kernel/security/lsm: "
                + (evidence.modules().isEmpty()
                    ? "not readable"
                    : String.join(",", evidence.modules())),
            label(),
            status("NoNewPrivs", caller.noNewPrivs() ? 1 : 0));
  }

  Cause chroot(String where) {
    return new Cause(
            "this process is in a chroot, and the kernel gives user namespaces to none such",
            "start Cloister outside the chroot, or enter it with pivot_root instead")
        .seenIn(where);
  }

  Cause perhapsChroot() {
    return new Cause(
            evidence.mayRefuseNamespaces()
                ? "this process is in a chroot, or a security module refuses it"
                : "this process is most likely in a chroot, to which the kernel gives no user"
                    + " namespace; no security module shows that could refuse it",
            "start Cloister outside the chroot, or enter it with pivot_root instead"
                + (evidence.mayRefuseNamespaces()
                    ? "; ask the administrator for the kernel's log"
                    : ""))
        .seenIn(label(), status("Seccomp", caller.seccomp()));
  }

  /**
   * A filter may be why.
   *
   * @param proof a call that only a filter refuses, and that was refused
   */
  Cause seccomp(Optional<String> proof) {
    List<String> where = new ArrayList<>(List.of(status("Seccomp", caller.seccomp())));
    proof.ifPresent(call -> where.add(call + " is refused, which the kernel would not"));
    return new Cause(
        "a seccomp filter is on this process, as container runtimes install",
        where,
        "start the container with its runtime's usual seccomp profile and the calls below allowed"
            + " in it (docker and podman: --security-opt seccomp=PROFILE); a systemd service:"
            + " RestrictNamespaces=no, SystemCallFilter=@mount",
        allowance());
  }

  private static List<String> allowance() {
    String names =
        FILTERED.stream().map(call -> '"' + call.cName() + '"').collect(Collectors.joining(", "));
    return List.of(
        "one more element of \"syscalls\" in the profile:",
        "{ \"names\": [" + names + "],",
        "  \"action\": \"SCMP_ACT_ALLOW\" }");
  }

  Cause tooOldKernel(SystemCall call) {
    return new Cause("this kernel does not have " + call.cName(), "a newer kernel");
  }

  Cause landlockIsOff() {
    return new Cause(
        "this kernel has Landlock, but was started without it (landlock(7))",
        "add landlock to the list in the boot parameter lsm=");
  }

  Cause landlockIsOld() {
    return new Cause(
        "this kernel's Landlock cannot keep files from being truncated, neither those that are"
            + " read-only nor any others (it has ABI 1 or 2)",
        "Linux 6.2 or newer (ABI 3)");
  }

  Cause bwrapLacks(String option) {
    return new Cause(
        "this bubblewrap does not know " + option,
        "install a newer bubblewrap, or use --strategy pivot_root or chroot");
  }

  Cause noTmp() {
    return new Cause(
        "there is no directory /tmp, where bubblewrap builds the sandbox",
        "make /tmp, or use --strategy pivot_root or chroot, which need none");
  }

  Cause bwrapIsBroken() {
    return new Cause(
        "the bwrap in PATH is broken",
        "reinstall the package bubblewrap, or have PATH lead to another one");
  }
}
