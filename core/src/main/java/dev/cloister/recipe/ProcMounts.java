package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.Proc;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;

/**
 * Mounts process file systems: a new one, where the command is in another pid namespace than the
 * caller, else the host's; and makes read-only in either what {@link HostReport#protectedProc}
 * names.
 */
final class ProcMounts {
  private static final Source PROC = new Source(OsString.of("/proc"), true, true);

  private static final LinuxConstant[] PROTECTED = {
    LinuxConstant.MOUNT_ATTR_RDONLY,
    LinuxConstant.MOUNT_ATTR_NOSUID,
    LinuxConstant.MOUNT_ATTR_NODEV,
    LinuxConstant.MOUNT_ATTR_NOEXEC
  };

  private final HostReport host;
  private final NewRoot root;
  private final HostMounts hostMounts;
  private final Binds binds;

  /** Whether they are new ones, and not the host's. */
  private final boolean fresh;

  private final IdentityHashMap<Proc, Hosts> taken = new IdentityHashMap<>();

  /** None yet. */
  ProcMounts(SandboxSpec spec, HostReport host, NewRoot root, HostMounts hostMounts, Binds binds) {
    this.host = host;
    this.root = root;
    this.hostMounts = hostMounts;
    this.binds = binds;
    this.fresh =
        spec.namespaces().contains(Namespace.PID)
            || spec.given().pid().isPresent()
            || host.needs(Workaround.OWN_PROC);
  }

  /**
   * What one operation takes from the host.
   *
   * @param bind of the whole of its /proc
   * @param entries what of it is to be read-only, where that must be copied before
   */
  private record Hosts(Bind bind, HostMount proc, List<HostMount> entries) {}

  /** What to do before the new root covers the host's. */
  List<Instruction> early(Proc proc) throws PlanException {
    if (fresh && !canFail()) {
      return List.of();
    }
    Bind bind = new Bind(PROC, proc.destination(), Access.DEVICES);
    Hosts hosts = new Hosts(bind, hostMounts.of(bind), new ArrayList<>());
    taken.put(proc, hosts);
    List<Instruction> steps = new ArrayList<>(hosts.proc().take());
    if (hostMounts.areStaged()) {
      for (String name : host.protectedProc()) {
        // What every procfs has under this name is a file; the others are directories.
        boolean directory = !name.equals("sysrq-trigger");
        HostMount entry = hostMounts.copy(OsString.of("/proc/" + name), directory, PROTECTED);
        hosts.entries().add(entry);
        steps.addAll(entry.take());
      }
    }
    return steps;
  }

  /**
   * Whether the host's is taken where the kernel refuses a new one. It is not where that would have
   * to be prepared each time, nor where there is none.
   */
  private boolean canFail() {
    return !host.needs(Workaround.OWN_PROC) && !hostMounts.areStaged();
  }

  List<Instruction> mount(Proc proc) throws PlanException {
    Destination destination = proc.destination();
    List<Instruction> steps = new ArrayList<>();
    if (fresh) {
      Call mount = mountFresh(proc);
      steps.addAll(root.mount(destination, Modes.MOUNT_POINT, mount, Node.opaque()));
    } else {
      Hosts hosts = hostsOf(proc);
      steps.addAll(binds.attach(hosts.bind(), hosts.proc(), Modes.MOUNT_POINT));
    }
    steps.addAll(root.enter(destination));
    steps.addAll(protect(proc));
    steps.add(Steps.chdir(NewRoot.PATH));
    return steps;
  }

  private Hosts hostsOf(Proc proc) {
    return Objects.requireNonNull(taken.get(proc));
  }

  /**
   * The kernel gives no new /proc to whom the one in sight is masked, as in containers
   * (mount_too_revealing() of fs/namespace.c). The host's shows more than there is to see, but no
   * process of the host's can be reached through it.
   */
  private Call mountFresh(Proc proc) {
    OsString target = root.target(proc.destination());
    Call mount = Steps.mountProc(target);
    if (!canFail()) {
      return mount;
    }
    List<Instruction> instead = new ArrayList<>();
    instead.add(
        new Instruction.Say(
            "--proc: the kernel allows no new /proc here, as this one is masked (a container?);"
                + " the command gets this one, which shows the processes outside, too"));
    instead.addAll(hostsOf(proc).proc().attach(target));
    return mount.recover(Errno.EPERM, instead);
  }

  /** In the working directory. */
  private List<Instruction> protect(Proc proc) {
    if (host.anyOf().isPresent()) {
      return List.of(LateSources.protect(host.protectedProc(), PROTECTED));
    }
    List<Instruction> steps = new ArrayList<>();
    List<String> names = host.protectedProc();
    for (int i = 0; i < names.size(); i++) {
      OsString path = OsString.of(names.get(i));
      steps.addAll(
          hostMounts.areStaged() && !fresh
              ? hostsOf(proc).entries().get(i).attach(path)
              : protect(path));
    }
    return steps;
  }

  /** Makes something read-only that may be missing, if it was not there to be looked for. */
  private List<Instruction> protect(OsString path) {
    Call bind = Steps.bind(path, path);
    Call attributes =
        host.needs(Workaround.REMOUNT_EACH)
            ? Steps.remountProtected(path)
            : Steps.setAttributes(path, PROTECTED);
    return host.needs(Workaround.OWN_PROC)
        ? List.of(bind.tolerate(Errno.ENOENT), attributes.tolerate(Errno.ENOENT))
        : List.of(bind, attributes);
  }
}
