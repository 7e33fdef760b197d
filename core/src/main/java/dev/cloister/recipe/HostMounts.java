package dev.cloister.recipe;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.program.Instruction;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.DataBind;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.List;

/** How what is the host's gets into the new root: as the calls that the kernel has allow. */
interface HostMounts {
  /** What a bind shows. */
  HostMount of(Bind bind) throws PlanException;

  /**
   * A file with data, which is nowhere on the host. {@link HostMount#take} is for the time when the
   * new root is filled.
   */
  HostMount of(DataBind bind);

  /** A copy that is made before the new root covers the host's. */
  HostMount copy(OsString path, boolean directory, LinuxConstant... attributes)
      throws PlanException;

  /** What to do before the new root covers the host's, for all of them, behind what each takes. */
  List<Instruction> early();

  /**
   * Whether all of them are copies made early: no mount can be copied together with those below it,
   * and restricted, once it is in the new root.
   */
  boolean areStaged();

  /** What mounts with this access lack (mount_setattr(2)). */
  static LinuxConstant[] attributes(Access access) {
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
}
