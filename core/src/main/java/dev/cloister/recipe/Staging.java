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
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
final class Staging {
  static final OsString PLACE = OsString.of("/proc/fs");

  private static final Slot MOUNTS = new Slot("mounts");
  private static final Slot DATA = new Slot("data");

  /** The bits of {@link RestrictEach#letter}: MS_RDONLY and so on, in mount_setattr's words. */
  private static final Map<LinuxConstant, Integer> FLAGS =
      Map.of(
          LinuxConstant.MOUNT_ATTR_RDONLY, 1,
          LinuxConstant.MOUNT_ATTR_NOSUID, 2,
          LinuxConstant.MOUNT_ATTR_NODEV, 4,
          LinuxConstant.MOUNT_ATTR_NOEXEC, 8);

  /** Where the tmpfs's descriptor gets this number, it has a path from outside a chroot, too. */
  private static final int STAGING_FD = 65;

  private static final Slot STAGING = new Slot("staging");

  private final HostReport host;
  private final InheritedDescriptors descriptors;
  private final Optional<Operand> lifeline;
  private final int number;
  private final List<Instruction> binds = new ArrayList<>();
  private final List<Instruction> data = new ArrayList<>();
  private final Deque<OsString> places = new ArrayDeque<>();
  private OsString lastPlace = PLACE;
  private int count;

  private Staging(HostReport host, InheritedDescriptors descriptors, Optional<Operand> lifeline) {
    this.host = host;
    this.lifeline = lifeline;
    this.descriptors = descriptors;
    this.number = descriptors.ownNumber(STAGING_FD);
  }

  /** Nothing where plans do not need this. */
  static Optional<Staging> of(
      HostReport host, InheritedDescriptors descriptors, Optional<Operand> lifeline) {
    return host.needs(Workaround.REMOUNT_EACH) || host.needs(Workaround.BIND_BY_PATH)
        ? Optional.of(new Staging(host, descriptors, lifeline))
        : Optional.empty();
  }

  /** The same of a source, which must still be what it was. */
  void add(MountOperation.Source source, LinuxConstant... attributes) throws PlanException {
    add(source.path(), source.directory(), attributes);
    if (source.descriptor().isPresent()) {
      binds.addAll(
          Steps.requireSameFile(
              source.descriptor().getAsInt(), Operand.of(LinuxConstant.AT_FDCWD), lastPlace));
    }
  }

  /**
   * Makes a file with data in the tmpfs itself, and a copy of that. Before any other, as nothing in
   * the tmpfs can be bound from then on.
   */
  void addData(MountOperation.DataBind bind, LinuxConstant... attributes) {
    OsString file = OsString.of(PLACE + "/data" + count);
    String what = "copying descriptor %d to %s".formatted(bind.descriptor(), bind.destination());
    data.add(Steps.createNew(file, DATA, bind.mode()));
    data.add(new Instruction.CopyData(bind.descriptor(), DATA, what, lifeline));
    data.add(Steps.close(DATA));
    copy(data, file, false, attributes);
  }

  /** Makes one copy; the first that was added is the first that {@link #attachNext} moves. */
  void add(OsString source, boolean directory, LinuxConstant... attributes) throws PlanException {
    if (source.equals(PLACE) || source.startsWith(PLACE + "/")) {
      throw new PlanException(
          source + " cannot be bound: this kernel is so old that Cloister needs the place itself");
    }
    copy(binds, source, directory, attributes);
  }

  private void copy(
      List<Instruction> steps, OsString source, boolean directory, LinuxConstant... attributes) {
    int flags = 0;
    for (LinuxConstant attribute : attributes) {
      flags += FLAGS.getOrDefault(attribute, 0);
    }
    String name = "/" + RestrictEach.letter(flags) + count;
    OsString place = OsString.of(PLACE + name);
    count++;
    steps.add(directory ? Steps.mkdir(place, 0755) : Steps.mknod(place));
    steps.add(
        Steps.bind(source, place)
            .hint(Errno.EINVAL, source + " is of a kind that cannot be bound (a magic link?)"));
    if (!host.needs(Workaround.REMOUNT_EACH) && attributes.length > 0) {
      steps.add(Steps.setAttributes(place, attributes));
    }
    lastPlace = place;
    String from =
        host.needs(Workaround.LEAVE_CHROOT) ? "/proc/self/fd/" + number : PLACE.toString();
    places.add(OsString.of(from + name));
  }

  /** What to do while paths still mean what they mean on the host. */
  List<Instruction> early() {
    if (places.isEmpty()) {
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

  /** Moves the next copy to where it shall be. */
  Call attachNext(OsString target) {
    return Steps.moveMount(places.remove(), target);
  }
}
