package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Instruction.RestrictEach;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.DataBind;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes every bind in two steps, for kernels where a copy of a mount cannot be held by a descriptor
 * or changed as a whole: first, while the host's root is not covered yet, below a tmpfs of this
 * process's own, where the copies are restricted; then each is moved to its destination.
 *
 * <p>So no bind is ever in the new root with more rights than it shall have, no path is looked up
 * again to change what lies there, and all mounts are changed after one reading of the mount table.
 *
 * <p>The tmpfs lies over {@code /proc/fs}, a directory that every procfs has and nobody binds, and
 * is unbindable, so no copy of the root, of {@code /proc} or of the place itself contains it
 * (mount_namespaces(7)).
 */
final class Staging implements HostMounts {
  static final OsString PLACE = OsString.of("/proc/fs");

  private static final Slot MOUNTS = new Slot("mounts");

  /** The bits of {@link RestrictEach#letter}: MS_RDONLY and so on, in mount_setattr's words. */
  private static final Map<LinuxConstant, Integer> FLAGS =
      Map.of(
          LinuxConstant.MOUNT_ATTR_RDONLY, 1,
          LinuxConstant.MOUNT_ATTR_NOSUID, 2,
          LinuxConstant.MOUNT_ATTR_NODEV, 4,
          LinuxConstant.MOUNT_ATTR_NOEXEC, 8);

  /** Where a destination's descriptor gets this number, it has a path: {@code /proc/self/fd/64}. */
  private static final int DESTINATION_FD = InheritedDescriptors.FIRST_KNOWN;

  /** Where the tmpfs's descriptor gets this number, it has a path from outside a chroot, too. */
  private static final int STAGING_FD = InheritedDescriptors.LAST_KNOWN;

  private static final Slot STAGING = new Slot("staging");

  private final HostReport host;
  private final InheritedDescriptors descriptors;
  private final DataFiles dataFiles;
  private final int number;
  private final List<Instruction> binds = new ArrayList<>();
  private final List<Instruction> data = new ArrayList<>();
  private int count;

  Staging(HostReport host, InheritedDescriptors descriptors, DataFiles dataFiles) {
    this.host = host;
    this.descriptors = descriptors;
    this.dataFiles = dataFiles;
    this.number = descriptors.ownNumber(STAGING_FD);
  }

  /** Whether plans for this host need it. */
  static boolean isNeeded(HostReport host) {
    return host.needs(Workaround.REMOUNT_EACH) || host.needs(Workaround.BIND_BY_PATH);
  }

  @Override
  public HostMount of(Bind bind) throws PlanException {
    Source source = bind.source();
    OsString name =
        addCopy(source.path(), source.directory(), HostMounts.attributes(bind.access()));
    if (source.descriptor().isPresent()) {
      binds.addAll(
          Steps.requireSameFile(
              source.descriptor().getAsInt(), Operand.of(LinuxConstant.AT_FDCWD), inPlace(name)));
    }
    return new Staged(name);
  }

  /**
   * Makes the file in the tmpfs itself, and a copy of that. Before any other, as nothing in the
   * tmpfs can be bound from then on.
   */
  @Override
  public HostMount of(DataBind bind) {
    OsString file = OsString.of(PLACE + "/data" + count);
    data.addAll(dataFiles.createNew(file, bind.mode(), bind.descriptor(), bind.destination()));
    return new Staged(addCopy(data, file, false, HostMounts.attributes(bind.access())));
  }

  @Override
  public HostMount copy(OsString path, boolean directory, LinuxConstant... attributes)
      throws PlanException {
    return new Staged(addCopy(path, directory, attributes));
  }

  private OsString addCopy(OsString source, boolean directory, LinuxConstant... attributes)
      throws PlanException {
    if (source.equals(PLACE) || source.startsWith(PLACE + "/")) {
      throw new PlanException(
          source + " cannot be bound: this kernel is so old that Cloister needs the place itself");
    }
    return addCopy(binds, source, directory, attributes);
  }

  /**
   * Adds the steps that make one copy.
   *
   * @return its name in the tmpfs
   */
  private OsString addCopy(
      List<Instruction> steps, OsString source, boolean directory, LinuxConstant... attributes) {
    int flags = 0;
    for (LinuxConstant attribute : attributes) {
      flags += FLAGS.getOrDefault(attribute, 0);
    }
    OsString name = OsString.of("/" + RestrictEach.letter(flags) + count);
    OsString place = inPlace(name);
    count++;
    steps.add(directory ? Steps.mkdir(place, 0755) : Steps.mknod(place));
    steps.add(
        Steps.bind(source, place)
            .hint(Errno.EINVAL, source + " is of a kind that cannot be bound (a magic link?)"));
    if (!host.needs(Workaround.REMOUNT_EACH) && attributes.length > 0) {
      steps.add(Steps.setAttributes(place, attributes));
    }
    return name;
  }

  private static OsString inPlace(OsString name) {
    return PLACE.concat(name);
  }

  @Override
  public List<Instruction> early() {
    if (count == 0) {
      return List.of();
    }
    List<Instruction> steps = new ArrayList<>();
    steps.add(
        Steps.mountTmpfs(PLACE, "mode=0755")
            .hint(
                Errno.ENOENT,
                "this host has no "
                    + PLACE
                    + " (no /proc, or one mounted with subset=pid), and a kernel that needs it"));
    steps.addAll(data);
    steps.add(Steps.makeUnbindable(PLACE));
    steps.addAll(binds);
    if (host.needs(Workaround.REMOUNT_EACH)) {
      steps.add(
          Call.of(
                  SystemCall.OPENAT,
                  Operand.of(LinuxConstant.AT_FDCWD),
                  Operand.of("/proc/self/mountinfo"),
                  Operand.of(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC))
              .into(MOUNTS));
      steps.add(new RestrictEach(MOUNTS, PLACE));
      steps.add(Steps.close(MOUNTS));
    }
    if (host.needs(Workaround.LEAVE_CHROOT)) {
      steps.add(Steps.openDirectory(PLACE.toString(), STAGING));
      steps.addAll(descriptors.duplicate(STAGING, number));
      steps.add(Steps.close(STAGING));
    }
    return steps;
  }

  @Override
  public boolean areStaged() {
    return true;
  }

  /** A copy in the tmpfs, restricted already, which is moved to where it shall be. */
  private final class Staged implements HostMount {
    private final OsString path;

    private Staged(OsString name) {
      this.path =
          host.needs(Workaround.LEAVE_CHROOT)
              ? OsString.of("/proc/self/fd/" + number).concat(name)
              : inPlace(name);
    }

    @Override
    public List<Instruction> attach(OsString target) {
      return List.of(Steps.moveMount(path, target));
    }

    /** mount(2) takes no descriptor, but the path of one, which leads to nothing else. */
    @Override
    public List<Instruction> attachFound(List<Instruction> find, String mismatch) {
      List<Instruction> steps = new ArrayList<>(find);
      int found = descriptors.ownNumber(DESTINATION_FD);
      steps.addAll(descriptors.duplicate(Lookup.DESTINATION, found));
      steps.add(
          Steps.moveMount(path, OsString.of("/proc/self/fd/" + found))
              .hint(Errno.ENOTDIR, mismatch)
              .hint(Errno.EINVAL, mismatch));
      steps.add(Steps.close(found));
      steps.add(Steps.close(Lookup.DESTINATION));
      return steps;
    }
  }
}
