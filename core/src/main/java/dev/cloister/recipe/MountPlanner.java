package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
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
import dev.cloister.spec.Namespace;
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

  private static final MountOperation.Source PROC =
      new MountOperation.Source(OsString.of("/proc"), true, true);
  private static final OsString EMPTY = OsString.of("");
  private static final Slot SOURCE = new Slot("source");
  private static final String CHMOD = "--chmod";
  private static final String REMOUNT = "--remount-ro";

  /** What a symbolic link says: at most PATH_MAX of linux/limits.h, and a NUL. */
  private static final Buffer EXISTING = new Buffer("existing", 4096);

  private static final Slot EXISTING_LENGTH = new Slot("existing_length");
  private static final Slot DATA = new Slot("data");

  /** In what is mounted over the new root for a moment. */
  private static final OsString DATA_FILE = OsString.of(NEW_ROOT + "/data");

  private static final List<String> DEVICES =
      List.of("null", "zero", "full", "random", "urandom", "tty");

  private static final LinuxConstant[] PROTECTED = {
    LinuxConstant.MOUNT_ATTR_RDONLY,
    LinuxConstant.MOUNT_ATTR_NOSUID,
    LinuxConstant.MOUNT_ATTR_NODEV,
    LinuxConstant.MOUNT_ATTR_NOEXEC
  };

  /**
   * Where a destination's descriptor gets this number, it has a path: {@code /proc/self/fd/64}.
   * High enough to be free, unless the caller uses it, low enough for any usual limit.
   */
  private static final int DESTINATION_FD = 64;

  private final HostReport host;

  /** Whether a {@code --proc} is a new one, and not the host's. */
  private final boolean freshProc;

  private final InheritedDescriptors descriptors;
  private final Optional<Operand> lifeline;
  private final Optional<Staging> staging;
  private final Lookup lookup;
  private final NewRoot root;

  /** The kernel's, not what may be seen inside. */
  private final Id commandUid;

  private final List<Instruction> early = new ArrayList<>();
  private final List<Instruction> steps = new ArrayList<>();
  private final IdentityHashMap<MountOperation, Slot> clones = new IdentityHashMap<>();
  private final IdentityHashMap<MountOperation, List<Slot>> deviceClones = new IdentityHashMap<>();
  private final Set<String> copies = new HashSet<>();
  private final Overlays overlays;
  private int cloned;
  private int hiding;

  private MountPlanner(SandboxSpec spec, HostReport host) {
    this.host = host;
    this.freshProc =
        spec.namespaces().contains(Namespace.PID)
            || spec.given().pid().isPresent()
            || host.needs(Workaround.OWN_PROC);
    this.descriptors = new InheritedDescriptors(spec);
    this.lifeline = ProcessTree.lifelineOfProcess1(spec);
    this.staging = Staging.of(host, descriptors, lifeline);
    this.lookup = host.needs(Workaround.WALK_PATHS) ? new Walk() : new InRootLookup();
    this.root = new NewRoot(lookup);
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
      if (planner.staging.isPresent()) {
        planner.stage(operation, planner.staging.get());
      } else {
        planner.cloneEarly(operation);
      }
      if (operation instanceof MountOperation.Overlay overlay) {
        planner.early.addAll(planner.overlays.open(overlay));
      }
    }
    planner.staging.ifPresent(staging -> planner.early.addAll(staging.early()));
    Planning planning = planner.new Planning();
    for (MountOperation operation : operations) {
      operation.accept(planning);
    }
    return new Result(planner.early, planner.steps, planner.root.coveringMounts());
  }

  /**
   * A relative symbolic link with too many {@code ..}, which ends at the host's root, would end in
   * the new root once that covers it; so would {@code /} itself. From outside a chroot, nothing in
   * it has its name.
   */
  private void cloneEarly(MountOperation operation) {
    if (operation instanceof Bind bind) {
      if (!bind.source().direct()
          || bind.source().isRoot()
          || bind.destination().isRoot()
          || bind.source().descriptor().isPresent()
          || host.needs(Workaround.LEAVE_CHROOT)) {
        Slot clone = cloneEarly(bind.source().path());
        clones.put(bind, clone);
        if (bind.source().descriptor().isPresent()) {
          int number = bind.source().descriptor().getAsInt();
          early.addAll(Steps.requireSameFile(number, Operand.of(clone), EMPTY));
        }
      }
    } else if (operation instanceof MountOperation.LateBind late) {
      cloneLate(late);
    } else if (host.needs(Workaround.LEAVE_CHROOT)) {
      cloneHidden(operation);
    }
  }

  private void cloneLate(MountOperation.LateBind late) {
    Slot slot = copyOf(late.source());
    clones.put(late, slot);
    early.add(LateSources.clone(late, slot));
  }

  /** Named by its source, so that plans for several kinds of callers have it in common. */
  private Slot copyOf(OsString source) {
    String name = "copy_of_" + source;
    for (int i = 2; !copies.add(name); i++) {
      name = "copy_" + i + "_of_" + source;
    }
    return new Slot(name);
  }

  /** What an operation takes from the host besides a source that was named. */
  private void cloneHidden(MountOperation operation) {
    if (operation instanceof MountOperation.Proc && !host.needs(Workaround.OWN_PROC)) {
      clones.put(operation, cloneEarly(PROC.path()));
    } else if (operation instanceof MountOperation.Devices) {
      List<Slot> devices = new ArrayList<>();
      for (String name : DEVICES) {
        devices.add(cloneEarly(OsString.of("/dev/" + name)));
      }
      deviceClones.put(operation, devices);
    }
  }

  private Slot cloneEarly(OsString source) {
    cloned++;
    Slot slot = new Slot("source" + cloned);
    early.add(Steps.openTree(source, slot));
    return slot;
  }

  /** In the order in which planning takes the copies. */
  private void stage(MountOperation operation, Staging place) throws PlanException {
    if (operation instanceof Bind bind) {
      place.add(bind.source(), attributes(bind.access()));
    } else if (operation instanceof MountOperation.DataBind data) {
      place.addData(data, attributes(data.access()));
    } else if (operation instanceof MountOperation.Proc && !freshProc) {
      place.add(PROC.path(), true, attributes(Access.DEVICES));
      for (String name : host.protectedProc()) {
        // What every procfs has under this name is a file; the others are directories.
        boolean directory = !name.equals("sysrq-trigger");
        place.add(OsString.of("/proc/" + name), directory, PROTECTED);
      }
    } else if (operation instanceof MountOperation.Devices && host.needs(Workaround.LEAVE_CHROOT)) {
      for (String name : DEVICES) {
        place.add(OsString.of("/dev/" + name), false);
      }
    }
  }

  /** Plans each kind of operation. */
  private final class Planning implements MountOperation.Visitor<PlanException> {
    @Override
    public void bind(Bind bind) throws PlanException {
      planBind(bind);
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
      planProc(proc);
    }

    @Override
    public void devices(MountOperation.Devices devices) throws PlanException {
      planDevices(devices);
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
      planDataFile(file);
    }

    @Override
    public void dataBind(MountOperation.DataBind data) throws PlanException {
      planDataBind(data);
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

  private void planBind(Bind bind) throws PlanException {
    planBind(bind, Modes.MOUNT_POINT);
  }

  private void planBind(Bind bind, Modes modes) throws PlanException {
    Destination destination = bind.destination();
    if (destination.isRoot()) {
      bindRoot(bind);
    } else if (root.knows(destination)) {
      bindKnown(bind, modes);
      root.put(destination, Node.opaque());
    } else {
      bindFound(bind, modes);
      root.forgetWays();
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
    steps.add(LateSources.showAsOnHost(shown.names(), attributes(Access.READ_ONLY)));
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

  private void bindRoot(Bind bind) throws PlanException {
    if (!bind.source().directory()) {
      throw new PlanException(bind.source().path() + " is not a directory: it cannot be the root");
    }
    if (staging.isPresent()) {
      steps.add(staging.get().attachNext(NewRoot.HERE));
    } else {
      attachRoot(Objects.requireNonNull(clones.get(bind)), bind.access());
    }
    steps.add(Steps.chdir(NEW_ROOT));
    root.cover(Node.opaque(), 1);
  }

  private void attachRoot(Slot tree, Access access) {
    steps.add(attributes(tree, access));
    steps.add(Steps.moveMount(tree, NewRoot.HERE));
    steps.add(Steps.close(tree));
  }

  private void bindKnown(Bind bind, Modes modes) throws PlanException {
    Destination destination = bind.destination();
    makeMountPoint(bind, modes);
    Slot clone = clones.get(bind);
    if (staging.isPresent()) {
      steps.add(staging.get().attachNext(destination.relative()));
    } else if (clone == null) {
      steps.add(Steps.bind(bind.source().path(), destination.relative()));
      steps.add(Steps.setAttributes(destination.relative(), attributes(bind.access())));
    } else {
      steps.add(attributes(clone, bind.access()));
      steps.add(Steps.moveMount(clone, destination.relative()));
      steps.add(Steps.close(clone));
    }
  }

  private void makeMountPoint(Bind bind, Modes modes) throws PlanException {
    Destination destination = bind.destination();
    if (bind.source().directory()) {
      steps.addAll(root.makeDirectory(destination, modes));
    } else if (root.has(destination)) {
      throw new PlanException(
          "%s is not a directory, but %s in the sandbox is one"
              .formatted(bind.source().path(), destination));
    } else {
      steps.addAll(root.makeDirectory(destination.parent(), modes.ofParent()));
      steps.add(Steps.mknod(destination.relative()));
    }
  }

  private void bindFound(Bind bind, Modes modes) {
    if (staging.isPresent()) {
      attachFound(bind, modes, staging.get());
      return;
    }
    Slot clone = clones.get(bind);
    if (clone == null) {
      steps.add(Steps.openTree(bind.source().path(), SOURCE));
    }
    Slot tree = clone == null ? SOURCE : clone;
    steps.add(attributes(tree, bind.access()));
    steps.addAll(lookup.find(mountPoint(bind, modes)));
    steps.add(withMismatch(Steps.moveMount(tree, Lookup.DESTINATION), bind));
    steps.add(Steps.close(Lookup.DESTINATION));
    steps.add(Steps.close(tree));
  }

  private static MountPoint mountPoint(Bind bind, Modes modes) {
    return new MountPoint(bind.destination(), bind.source().directory(), modes);
  }

  /** mount(2) takes no descriptor, but the path of one, which leads to nothing else. */
  private void attachFound(Bind bind, Modes modes, Staging place) {
    steps.addAll(lookup.find(mountPoint(bind, modes)));
    int number = descriptors.ownNumber(DESTINATION_FD);
    steps.addAll(descriptors.duplicate(Lookup.DESTINATION, number));
    OsString target = OsString.of("/proc/self/fd/" + number);
    steps.add(withMismatch(place.attachNext(target), bind));
    steps.add(Steps.close(number));
    steps.add(Steps.close(Lookup.DESTINATION));
  }

  private static Call withMismatch(Call attach, Bind bind) {
    String mismatch =
        bind.source().path()
            + (bind.source().directory() ? " is a directory, but " : " is not a directory, but ")
            + bind.destination()
            + (bind.source().directory() ? " in the sandbox is not" : " in the sandbox is one");
    return attach.hint(Errno.ENOTDIR, mismatch).hint(Errno.EINVAL, mismatch);
  }

  private static Call attributes(Slot tree, Access access) {
    return Steps.setAttributes(Operand.of(tree), EMPTY, attributes(access));
  }

  private static LinuxConstant[] attributes(Access access) {
    return switch (access) {
      case READ_WRITE ->
          new LinuxConstant[] {LinuxConstant.MOUNT_ATTR_NOSUID, LinuxConstant.MOUNT_ATTR_NODEV};
      case READ_ONLY ->
          new LinuxConstant[] {
            LinuxConstant.MOUNT_ATTR_RDONLY,
            LinuxConstant.MOUNT_ATTR_NOSUID,
            LinuxConstant.MOUNT_ATTR_NODEV
          };
      case DEVICES -> new LinuxConstant[] {LinuxConstant.MOUNT_ATTR_NOSUID};
    };
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
        Steps.setOwnAttributes(Lookup.DESTINATION, attributes(Access.READ_ONLY))
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
            : Steps.setOwnAttributes(path, attributes(Access.READ_ONLY)));
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

  private void planDataFile(MountOperation.DataFile file) throws PlanException {
    Destination destination = file.destination();
    Modes modes = Modes.of(file.mode()).ofParent();
    if (root.knows(destination)) {
      if (root.has(destination)) {
        throw new PlanException(
            "--file %d %s: that is a directory in the sandbox"
                .formatted(file.descriptor(), destination));
      }
      steps.addAll(root.makeDirectory(destination.parent(), modes));
      steps.add(Steps.createNew(destination.relative(), DATA, file.mode()));
      root.put(destination, Node.opaque());
    } else {
      steps.addAll(lookup.createFile(destination, modes, DATA, file.mode()));
      root.forgetWays();
    }
    steps.addAll(copyData(file.descriptor(), destination));
  }

  private List<Instruction> copyData(int descriptor, Destination destination) {
    String what = "copying descriptor %d to %s".formatted(descriptor, destination);
    return List.of(new Instruction.CopyData(descriptor, DATA, what, lifeline), Steps.close(DATA));
  }

  /** As a bind of a file in a tmpfs that is there only until the file is mounted. */
  private void planDataBind(MountOperation.DataBind data) throws PlanException {
    String option = data.access() == Access.READ_ONLY ? "--ro-bind-data" : "--bind-data";
    OsString name = OsString.of("what %s %d gives".formatted(option, data.descriptor()));
    Bind bind =
        new Bind(new MountOperation.Source(name, false, true), data.destination(), data.access());
    if (staging.isEmpty() && !data.destination().isRoot()) {
      Slot file = new Slot("data_file");
      steps.add(Steps.mountTmpfs(OsString.of("/"), "mode=0700"));
      steps.add(Steps.createNew(DATA_FILE, DATA, data.mode()));
      steps.addAll(copyData(data.descriptor(), data.destination()));
      steps.add(Steps.openTree(Operand.of(DATA_FILE), file));
      steps.add(
          Call.of(SystemCall.UMOUNT2, Operand.of(NEW_ROOT), Operand.of(LinuxConstant.MNT_DETACH)));
      clones.put(bind, file);
    }
    planBind(bind, Modes.under(data.mode()));
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

  private void planProc(MountOperation.Proc proc) throws PlanException {
    Destination destination = proc.destination();
    refuseRoot(destination);
    Bind bind = new Bind(PROC, destination, Access.DEVICES);
    Slot clone = clones.get(proc);
    if (clone != null) {
      clones.put(bind, clone);
    }
    if (freshProc) {
      planFreshProc(destination, Optional.ofNullable(clone));
    } else {
      planBind(bind);
    }
    steps.addAll(root.enter(destination));
    if (host.anyOf().isPresent()) {
      steps.add(LateSources.protect(host.protectedProc(), PROTECTED));
    } else {
      for (String name : host.protectedProc()) {
        protect(OsString.of(name));
      }
    }
    steps.add(Steps.chdir(NEW_ROOT));
  }

  private void planFreshProc(Destination destination, Optional<Slot> clone) {
    Call mount = mountProc(root.target(destination), clone);
    steps.addAll(root.mount(destination, Modes.MOUNT_POINT, mount, Node.opaque()));
  }

  /**
   * The kernel gives no new /proc to whom the one in sight is masked, as in containers
   * (mount_too_revealing() of fs/namespace.c). The host's shows more than there is to see, but no
   * process of the host's can be reached through it.
   */
  private Call mountProc(OsString target, Optional<Slot> clone) {
    Call mount = Steps.mountProc(target);
    if (host.needs(Workaround.OWN_PROC) || staging.isPresent()) {
      return mount;
    }
    List<Instruction> instead = new ArrayList<>();
    instead.add(
        new Instruction.Say(
            "--proc: the kernel allows no new /proc here, as this one is masked (a container?);"
                + " the command gets this one, which shows the processes outside, too"));
    if (clone.isPresent()) {
      instead.add(attributes(clone.get(), Access.DEVICES));
      instead.add(Steps.moveMount(clone.get(), target));
    } else {
      instead.add(Steps.bind(PROC.path(), target));
      instead.add(Steps.setAttributes(target, attributes(Access.DEVICES)));
    }
    return mount.recover(Errno.EPERM, instead);
  }

  /** Makes something read-only that may be missing, if it was not there to be looked for. */
  private void protect(OsString path) {
    if (staging.isPresent() && !freshProc) {
      steps.add(staging.get().attachNext(path));
      return;
    }
    Call bind = Steps.bind(path, path);
    Call attributes =
        host.needs(Workaround.REMOUNT_EACH)
            ? Steps.remountProtected(path)
            : Steps.setAttributes(path, PROTECTED);
    boolean certain = !host.needs(Workaround.OWN_PROC);
    steps.add(certain ? bind : bind.tolerate(Errno.ENOENT));
    steps.add(certain ? attributes : attributes.tolerate(Errno.ENOENT));
  }

  private void planDevices(MountOperation.Devices devices) throws PlanException {
    Destination destination = devices.destination();
    refuseRoot(destination);
    planTmpfs(new MountOperation.Tmpfs(destination));
    steps.addAll(root.enter(destination));
    List<Slot> copies = deviceClones.get(devices);
    if (host.anyOf().isPresent()) {
      steps.add(LateSources.bindDevices(DEVICES));
    }
    for (int i = 0; i < DEVICES.size() && host.anyOf().isEmpty(); i++) {
      OsString name = OsString.of(DEVICES.get(i));
      steps.add(Steps.mknod(name));
      if (staging.isPresent() && host.needs(Workaround.LEAVE_CHROOT)) {
        steps.add(staging.get().attachNext(name));
      } else if (copies == null) {
        steps.add(Steps.bindDevice(DEVICES.get(i)));
      } else {
        steps.add(Steps.moveMount(copies.get(i), name));
        steps.add(Steps.close(copies.get(i)));
      }
    }
    devicesLink("fd", "/proc/self/fd");
    devicesLink("stdin", "/proc/self/fd/0");
    devicesLink("stdout", "/proc/self/fd/1");
    devicesLink("stderr", "/proc/self/fd/2");
    devicesLink("core", "/proc/kcore");
    steps.add(Steps.mkdir(OsString.of("shm"), 01777));
    steps.add(Steps.mkdir(OsString.of("pts"), 0755));
    steps.add(Steps.mountDevpts());
    devicesLink("ptmx", "pts/ptmx");
    steps.add(Steps.chdir(NEW_ROOT));
    // What is in it by now is found at run time, should something be mounted over it.
    root.forget(destination);
  }

  private static void refuseRoot(Destination destination) throws PlanException {
    if (destination.isRoot()) {
      throw new PlanException("neither a /proc nor a /dev can be the root itself");
    }
  }

  private void devicesLink(String name, String target) {
    steps.add(Steps.symlink(OsString.of(target), OsString.of(name)));
  }
}
