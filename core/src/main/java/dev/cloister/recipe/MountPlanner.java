package dev.cloister.recipe;

import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;

/**
 * Plans the filling of the new root: each operation after the other, by the class for its kind.
 *
 * <p>Throughout, the working directory is the new root, and the process's root is still the host's:
 * an absolute path is a source, a relative one a destination. What each operation needs of the
 * host's before the new root covers that is planned first.
 */
final class MountPlanner implements MountOperation.Visitor<PlanException> {
  private static final String NO_ROOT = "neither a /proc nor a /dev can be the root itself";

  private final Lookup lookup;
  private final NewRoot root;
  private final HostMounts hostMounts;
  private final DataFiles dataFiles;
  private final Binds binds;
  private final LateSources lateSources;
  private final ProcMounts procMounts;
  private final DeviceMounts deviceMounts;
  private final Overlays overlays;
  private final Symlinks symlinks;
  private final Adjustments adjustments;
  private final List<Instruction> steps = new ArrayList<>();

  private MountPlanner(SandboxSpec spec, HostReport host) {
    this.lookup = host.needs(Workaround.WALK_PATHS) ? new Walk() : new InRootLookup();
    this.root = new NewRoot(lookup);
    this.dataFiles = new DataFiles(root, lookup, ProcessTree.lifelineOfProcess1(spec));
    this.hostMounts =
        Staging.isNeeded(host)
            ? new Staging(host, new InheritedDescriptors(spec), dataFiles)
            : new DirectMounts(host, dataFiles);
    this.binds = new Binds(root, lookup, hostMounts);
    this.lateSources = new LateSources(root, lookup, CommandUser.of(host, spec).realUid());
    this.procMounts = new ProcMounts(spec, host, root, hostMounts, binds);
    this.deviceMounts = new DeviceMounts(host, root, hostMounts);
    this.overlays = new Overlays(host.caller().isPrivileged(), root);
    this.symlinks = new Symlinks(root, lookup);
    this.adjustments = new Adjustments(host, root, lookup);
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
    List<Instruction> early = planner.early(spec.mounts());
    for (MountOperation operation : spec.mounts()) {
      operation.accept(planner);
    }
    return new Result(early, planner.steps, planner.root.coveringMounts());
  }

  private List<Instruction> early(List<MountOperation> operations) throws PlanException {
    List<Instruction> early = new ArrayList<>();
    for (MountOperation operation : operations) {
      early.addAll(early(operation));
    }
    early.addAll(hostMounts.early());
    return early;
  }

  private List<Instruction> early(MountOperation operation) throws PlanException {
    if (operation instanceof MountOperation.Bind bind) {
      return binds.early(bind);
    }
    if (operation instanceof MountOperation.DataBind data) {
      binds.early(data);
      return List.of();
    }
    if (operation instanceof MountOperation.LateBind late) {
      return List.of(lateSources.early(late));
    }
    if (operation instanceof MountOperation.Proc proc) {
      return procMounts.early(proc);
    }
    if (operation instanceof MountOperation.Devices devices) {
      return deviceMounts.early(devices);
    }
    if (operation instanceof MountOperation.Overlay overlay) {
      return overlays.open(overlay);
    }
    return List.of();
  }

  @Override
  public void bind(MountOperation.Bind bind) throws PlanException {
    steps.addAll(binds.attach(bind));
  }

  @Override
  public void tmpfs(MountOperation.Tmpfs tmpfs) {
    Destination destination = tmpfs.destination();
    Call mount = Steps.mountTmpfs(root.target(destination), options(tmpfs));
    if (destination.isRoot()) {
      steps.add(mount);
      steps.add(Steps.chdir(NewRoot.PATH));
      root.cover(Node.tmpfs(), 1);
    } else {
      steps.addAll(root.mount(destination, Modes.under(tmpfs.mode()), mount, Node.tmpfs()));
    }
  }

  private static String options(MountOperation.Tmpfs tmpfs) {
    String mode = "mode=0" + Integer.toOctalString(tmpfs.mode());
    return tmpfs.size().isPresent() ? mode + ",size=" + tmpfs.size().getAsLong() : mode;
  }

  @Override
  public void directory(MountOperation.Directory directory) {
    Destination destination = directory.destination();
    Modes modes = Modes.of(directory.mode());
    if (root.knows(destination)) {
      steps.addAll(root.makeDirectory(destination, modes));
    } else {
      steps.addAll(lookup.findDirectory(destination, modes));
      steps.add(Steps.close(Lookup.DESTINATION));
      root.forgetWays();
    }
  }

  @Override
  public void symlink(MountOperation.Symlink symlink) throws PlanException {
    steps.addAll(symlinks.make(symlink));
  }

  @Override
  public void proc(MountOperation.Proc proc) throws PlanException {
    refuseRoot(proc.destination(), NO_ROOT);
    steps.addAll(procMounts.mount(proc));
  }

  @Override
  public void devices(MountOperation.Devices devices) throws PlanException {
    refuseRoot(devices.destination(), NO_ROOT);
    steps.addAll(deviceMounts.make(devices));
  }

  @Override
  public void lateBind(MountOperation.LateBind late) throws PlanException {
    steps.addAll(lateSources.attach(late));
  }

  @Override
  public void asOnHost(MountOperation.AsOnHost shown) throws PlanException {
    steps.add(lateSources.show(shown));
  }

  @Override
  public void hideLaunchers(MountOperation.HideLaunchers hidden) {
    steps.addAll(lateSources.hide(hidden));
  }

  @Override
  public void permissions(MountOperation.Permissions permissions) throws PlanException {
    steps.addAll(adjustments.change(permissions));
  }

  @Override
  public void remountReadOnly(MountOperation.RemountReadOnly remount) throws PlanException {
    steps.addAll(adjustments.remount(remount));
  }

  @Override
  public void messageQueues(MountOperation.MessageQueues queues) throws PlanException {
    Destination destination = queues.destination();
    refuseRoot(destination, "message queues cannot be the root itself");
    Call mount = Steps.mountQueues(root.target(destination));
    steps.addAll(root.mount(destination, Modes.MOUNT_POINT, mount, Node.opaque()));
  }

  @Override
  public void overlay(MountOperation.Overlay overlay) {
    steps.addAll(overlays.mount(overlay));
  }

  @Override
  public void dataFile(MountOperation.DataFile file) throws PlanException {
    steps.addAll(dataFiles.make(file));
  }

  @Override
  public void dataBind(MountOperation.DataBind data) throws PlanException {
    steps.addAll(binds.attach(data));
  }

  private static void refuseRoot(Destination destination, String why) throws PlanException {
    if (destination.isRoot()) {
      throw new PlanException(why);
    }
  }
}
