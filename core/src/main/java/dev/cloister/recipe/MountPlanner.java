package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Plans the filling of the new root.
 *
 * <p>Throughout, the working directory is the new root, and the process's root is still the host's:
 * an absolute path is a source, a relative one a destination. Where the way to a destination is
 * known it is used as a path; where it leads through something of the host's it is found anew with
 * a {@link Lookup} and held by a descriptor.
 */
final class MountPlanner {
  static final String NEW_ROOT = NewRoot.PATH;

  private static final OsString EMPTY = OsString.of("");
  private static final String CHMOD = "--chmod";
  private static final String REMOUNT = "--remount-ro";

  /** What a symbolic link says: at most PATH_MAX of linux/limits.h, and a NUL. */
  private static final Buffer EXISTING = new Buffer("existing", 4096);

  private static final Slot EXISTING_LENGTH = new Slot("existing_length");

  private final HostReport host;
  private final Lookup lookup;
  private final NewRoot root;
  private final HostMounts hostMounts;
  private final Binds binds;
  private final DataFiles dataFiles;
  private final ProcMounts procMounts;
  private final DeviceMounts deviceMounts;

  /** The kernel's, not what may be seen inside. */
  private final Id commandUid;

  private final List<Instruction> early = new ArrayList<>();
  private final List<Instruction> steps = new ArrayList<>();
  private final IdentityHashMap<MountOperation, Slot> clones = new IdentityHashMap<>();
  private final Set<String> copies = new HashSet<>();
  private final Overlays overlays;
  private int hiding;

  private MountPlanner(SandboxSpec spec, HostReport host) {
    this.host = host;
    this.lookup = host.needs(Workaround.WALK_PATHS) ? new Walk() : new InRootLookup();
    this.root = new NewRoot(lookup);
    this.dataFiles = new DataFiles(root, lookup, ProcessTree.lifelineOfProcess1(spec));
    this.hostMounts =
        Staging.isNeeded(host)
            ? new Staging(host, new InheritedDescriptors(spec), dataFiles)
            : new DirectMounts(host, dataFiles);
    this.binds = new Binds(root, lookup, hostMounts);
    this.procMounts = new ProcMounts(spec, host, root, hostMounts, binds);
    this.deviceMounts = new DeviceMounts(host, root, hostMounts);
    this.commandUid = new Credentials(host, spec).reallyUid();
    this.overlays = new Overlays(host.caller().isPrivileged());
  }

  /**
   * What to do before the new root covers the host's, and after.
   *
   * @param early copies of sources whose paths would not mean the same later
   * @param coveringMounts how many mounts lie below the new root: the host's, and each that was the
   *     new root until something was mounted over it
   */
  record Result(List<Instruction> early, List<Instruction> steps, int coveringMounts) {}

  static Result plan(SandboxSpec spec, HostReport host) throws PlanException {
    MountPlanner planner = new MountPlanner(spec, host);
    List<MountOperation> operations = spec.mounts();
    for (MountOperation operation : operations) {
      planner.early.addAll(planner.early(operation));
    }
    planner.early.addAll(planner.hostMounts.early());
    Planning planning = planner.new Planning();
    for (MountOperation operation : operations) {
      operation.accept(planning);
    }
    return new Result(planner.early, planner.steps, planner.root.coveringMounts());
  }

  private List<Instruction> early(MountOperation operation) throws PlanException {
    if (operation instanceof Bind bind) {
      return binds.early(bind);
    } else if (operation instanceof MountOperation.DataBind data) {
      binds.early(data);
    } else if (operation instanceof MountOperation.Proc proc) {
      return procMounts.early(proc);
    } else if (operation instanceof MountOperation.Devices devices) {
      return deviceMounts.early(devices);
    } else if (operation instanceof MountOperation.Overlay overlay) {
      return overlays.open(overlay);
    } else if (operation instanceof MountOperation.LateBind late) {
      return cloneLate(late);
    }
    return List.of();
  }

  private List<Instruction> cloneLate(MountOperation.LateBind late) {
    Slot slot = copyOf(late.source());
    clones.put(late, slot);
    return List.of(LateSources.clone(late, slot));
  }

  /** Named by its source, so that plans for several kinds of callers have it in common. */
  private Slot copyOf(OsString source) {
    String name = "copy_of_" + source;
    for (int i = 2; !copies.add(name); i++) {
      name = "copy_" + i + "_of_" + source;
    }
    return new Slot(name);
  }

  /** Plans each kind of operation. */
  private final class Planning implements MountOperation.Visitor<PlanException> {
    @Override
    public void bind(Bind bind) throws PlanException {
      steps.addAll(binds.attach(bind));
    }

    @Override
    public void tmpfs(MountOperation.Tmpfs tmpfs) {
      planTmpfs(tmpfs);
    }

    @Override
    public void directory(MountOperation.Directory directory) {
      Modes modes = Modes.of(directory.mode());
      if (root.knows(directory.destination())) {
        steps.addAll(root.makeDirectory(directory.destination(), modes));
      } else {
        steps.addAll(lookup.findDirectory(directory.destination(), modes));
        steps.add(Steps.close(Lookup.DESTINATION));
        root.forgetWays();
      }
    }

    @Override
    public void symlink(MountOperation.Symlink symlink) throws PlanException {
      planSymlink(symlink);
    }

    @Override
    public void proc(MountOperation.Proc proc) throws PlanException {
      refuseRoot(proc.destination());
      steps.addAll(procMounts.mount(proc));
    }

    @Override
    public void devices(MountOperation.Devices devices) throws PlanException {
      refuseRoot(devices.destination());
      steps.addAll(deviceMounts.make(devices));
    }

    @Override
    public void lateBind(MountOperation.LateBind bind) throws PlanException {
      planLate(bind);
    }

    @Override
    public void asOnHost(MountOperation.AsOnHost shown) throws PlanException {
      planAsOnHost(shown);
    }

    @Override
    public void dataFile(MountOperation.DataFile file) throws PlanException {
      steps.addAll(dataFiles.make(file));
    }

    @Override
    public void dataBind(MountOperation.DataBind data) throws PlanException {
      steps.addAll(binds.attach(data));
    }

    @Override
    public void hideLaunchers(MountOperation.HideLaunchers hidden) {
      steps.addAll(LateSources.hideLaunchers(hidden.destination(), commandUid, hiding++));
    }

    @Override
    public void permissions(MountOperation.Permissions permissions) throws PlanException {
      planPermissions(permissions);
    }

    @Override
    public void remountReadOnly(MountOperation.RemountReadOnly remount) throws PlanException {
      planRemount(remount);
    }

    @Override
    public void messageQueues(MountOperation.MessageQueues queues) throws PlanException {
      planQueues(queues.destination());
    }

    @Override
    public void overlay(MountOperation.Overlay overlay) throws PlanException {
      planOverlay(overlay);
    }
  }

  /** As a bind of a copy, but for the kind of the mount point, which is found then. */
  private void planLate(MountOperation.LateBind late) throws PlanException {
    Slot tree = Objects.requireNonNull(clones.get(late));
    if (late.destination().isRoot()) {
      if (late.optional()) {
        throw new PlanException(
            late.source() + " may be missing when it is needed: it cannot be the root");
      }
      attachRoot(tree, late.access());
      steps.add(Steps.chdir(NEW_ROOT));
      root.cover(Node.opaque(), 1);
      return;
    }
    boolean known =
        root.knows(late.destination())
            && (!late.optional() || root.has(late.destination().parent()));
    List<Instruction> attach = inItsOwnList(() -> attachLate(late, tree, known));
    steps.addAll(
        late.optional() ? List.of(new Instruction.IfSet(tree, attach, List.of())) : attach);
    if (known) {
      root.put(late.destination(), Node.opaque());
    } else {
      root.forgetWays();
    }
  }

  private void attachLate(MountOperation.LateBind late, Slot tree, boolean known) {
    steps.add(attributes(tree, late.access()));
    if (!known) {
      attachLateWhereFound(late, tree);
    } else if (root.has(late.destination())) {
      steps.add(LateSources.attach(late, tree));
    } else {
      steps.addAll(root.makeDirectory(late.destination(), Modes.MOUNT_POINT));
      steps.add(LateSources.attachOnNew(late, tree));
    }
  }

  private void attachLateWhereFound(MountOperation.LateBind late, Slot tree) {
    Slot directory = LateSources.directory(tree);
    steps.add(LateSources.openIfDirectory(tree, directory));
    steps.add(
        new Instruction.IfSet(
            directory,
            lookup.find(new MountPoint(late.destination(), true, Modes.MOUNT_POINT)),
            lookup.find(new MountPoint(late.destination(), false, Modes.MOUNT_POINT))));
    steps.add(LateSources.attach(late, tree, Lookup.DESTINATION));
    steps.add(Steps.close(Lookup.DESTINATION));
  }

  private void planAsOnHost(MountOperation.AsOnHost shown) throws PlanException {
    for (OsString name : shown.names()) {
      Destination destination = Destination.of(OsString.of("/").concat(name));
      if (!root.knows(destination) || root.has(destination)) {
        throw new PlanException(destination + " in the sandbox exists already");
      }
      // A link, a directory or nothing: what leads through it is found at run time.
      root.put(destination, Node.opaque());
    }
    steps.add(LateSources.showAsOnHost(shown.names(), HostMounts.attributes(Access.READ_ONLY)));
  }

  /** The steps that {@code planning} adds. */
  private List<Instruction> inItsOwnList(Runnable planning) {
    List<Instruction> outer = List.copyOf(steps);
    steps.clear();
    planning.run();
    List<Instruction> own = List.copyOf(steps);
    steps.clear();
    steps.addAll(outer);
    return own;
  }

  private void attachRoot(Slot tree, Access access) {
    steps.add(attributes(tree, access));
    steps.add(Steps.moveMount(tree, NewRoot.HERE));
    steps.add(Steps.close(tree));
  }

  private static Call attributes(Slot tree, Access access) {
    return Steps.setAttributes(Operand.of(tree), EMPTY, HostMounts.attributes(access));
  }

  private void planTmpfs(MountOperation.Tmpfs tmpfs) {
    Destination destination = tmpfs.destination();
    Modes modes = Modes.under(tmpfs.mode());
    String options = options(tmpfs);
    if (destination.isRoot()) {
      steps.add(Steps.mountTmpfs(NewRoot.HERE, options));
      steps.add(Steps.chdir(NEW_ROOT));
      root.cover(Node.tmpfs(), 1);
    } else {
      Call mount = Steps.mountTmpfs(root.target(destination), options);
      steps.addAll(root.mount(destination, modes, mount, Node.tmpfs()));
    }
  }

  private static String options(MountOperation.Tmpfs tmpfs) {
    String mode = "mode=0" + Integer.toOctalString(tmpfs.mode());
    return tmpfs.size().isPresent() ? mode + ",size=" + tmpfs.size().getAsLong() : mode;
  }

  private void planPermissions(MountOperation.Permissions permissions) throws PlanException {
    Destination destination = permissions.destination();
    if (root.knows(destination)) {
      if (!root.has(destination)) {
        throw new PlanException(missing(CHMOD, destination));
      }
      steps.add(Steps.chmod(destination, permissions.mode()));
      return;
    }
    steps.addAll(lookup.findExisting(destination, missing(CHMOD, destination)));
    steps.addAll(Steps.chmod(Lookup.DESTINATION, destination, permissions.mode()));
    steps.add(Steps.close(Lookup.DESTINATION));
  }

  private void planRemount(MountOperation.RemountReadOnly remount) throws PlanException {
    Destination destination = remount.destination();
    Optional<Node> node = root.find(destination);
    if (root.knows(destination) || (node.isPresent() && node.get().isMounted())) {
      remountKnown(destination, node);
      return;
    }
    if (host.needs(Workaround.REMOUNT_EACH)) {
      throw new PlanException(
          "--remount-ro "
              + destination
              + ": what was bound there can be changed so only by mount_setattr (Linux 5.12)");
    }
    steps.addAll(lookup.findExisting(destination, missing(REMOUNT, destination)));
    steps.add(
        Steps.setOwnAttributes(Lookup.DESTINATION, HostMounts.attributes(Access.READ_ONLY))
            .hint(Errno.EINVAL, noMountPoint(destination)));
    steps.add(Steps.close(Lookup.DESTINATION));
  }

  private void remountKnown(Destination destination, Optional<Node> node) throws PlanException {
    if (node.isEmpty()) {
      throw new PlanException(missing(REMOUNT, destination));
    }
    if (!node.get().isMounted()) {
      throw new PlanException(noMountPoint(destination));
    }
    OsString path = destination.relative();
    steps.add(
        host.needs(Workaround.REMOUNT_EACH)
            ? Steps.remountTmpfs(path)
            : Steps.setOwnAttributes(path, HostMounts.attributes(Access.READ_ONLY)));
  }

  private static String noMountPoint(Destination destination) {
    return "%s: %s in the sandbox is not a mount point".formatted(REMOUNT, destination);
  }

  private static String missing(String option, Destination destination) {
    return "%s: there is no %s in the sandbox".formatted(option, destination);
  }

  private void planQueues(Destination destination) throws PlanException {
    if (destination.isRoot()) {
      throw new PlanException("message queues cannot be the root itself");
    }
    Call mount = Steps.mountQueues(root.target(destination));
    steps.addAll(root.mount(destination, Modes.MOUNT_POINT, mount, Node.opaque()));
  }

  private void planOverlay(MountOperation.Overlay overlay) {
    Destination destination = overlay.destination();
    steps.addAll(root.openDirectory(destination, Modes.MOUNT_POINT));
    steps.addAll(overlays.mount(overlay, Lookup.DESTINATION));
    steps.add(Steps.close(Lookup.DESTINATION));
    if (destination.isRoot()) {
      // The last step of the overlay's went to it already.
      root.cover(Node.opaque(), Overlays.coveringMounts(overlay));
    } else {
      root.set(destination, Node.opaque());
    }
  }

  private void planSymlink(MountOperation.Symlink symlink) throws PlanException {
    Destination destination = symlink.destination();
    Optional<Node> existing = root.find(destination);
    if (existing.isPresent()) {
      // Repeating a link is no mistake, as with bubblewrap.
      if (!existing.get().target().equals(Optional.of(symlink.target()))) {
        throw new PlanException(otherThan(symlink, existing.get().target()));
      }
    } else if (root.knows(destination)) {
      steps.addAll(root.makeDirectory(destination.parent(), Modes.MOUNT_POINT));
      steps.add(Steps.symlink(symlink.target(), destination.relative()));
      root.put(destination, Node.symlink(symlink.target()));
    } else {
      steps.addAll(lookup.findDirectory(destination.parent(), Modes.MOUNT_POINT));
      steps.add(
          Steps.symlink(symlink.target(), Operand.of(Lookup.DESTINATION), destination.name())
              .recover(Errno.EEXIST, requireSame(symlink)));
      steps.add(Steps.close(Lookup.DESTINATION));
      root.forgetWays();
    }
  }

  /** What stands in the way of a symbolic link must be one that says the same. */
  private static List<Instruction> requireSame(MountOperation.Symlink symlink) {
    return List.of(
        Steps.readLink(Lookup.DESTINATION, symlink.destination().name(), EXISTING, EXISTING_LENGTH)
            .hint(Errno.EINVAL, otherThan(symlink, Optional.empty())),
        new Instruction.Terminate(EXISTING, EXISTING_LENGTH),
        new Instruction.RequireText(
            EXISTING, symlink.target(), otherThan(symlink, Optional.of(OsString.of("")))));
  }

  /**
   * Why a link cannot be made, in words that bubblewrap's users look for.
   *
   * @param existing what a link says that is in the way; nothing for what is none
   */
  private static String otherThan(MountOperation.Symlink symlink, Optional<OsString> existing) {
    String why =
        existing.isPresent()
            ? "existing destination is " + existing.get()
            : "destination exists and is not a symlink";
    return "--symlink "
        + symlink.target()
        + ": Can't make symlink at "
        + symlink.destination()
        + ": "
        + why;
  }

  private static void refuseRoot(Destination destination) throws PlanException {
    if (destination.isRoot()) {
      throw new PlanException("neither a /proc nor a /dev can be the root itself");
    }
  }
}
