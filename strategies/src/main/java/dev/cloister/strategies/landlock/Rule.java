package dev.cloister.strategies.landlock;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a bind at its own place allows.
 *
 * @param place without symbolic links
 * @param directory whether it is one; else only the rights to files exist (EINVAL)
 */
record Rule(Destination place, boolean directory, Access access) {
  private static final List<LinuxConstant> READ_FILE =
      List.of(LinuxConstant.LANDLOCK_ACCESS_FS_EXECUTE, LinuxConstant.LANDLOCK_ACCESS_FS_READ_FILE);

  private static final List<LinuxConstant> WRITE_FILE =
      List.of(
          LinuxConstant.LANDLOCK_ACCESS_FS_WRITE_FILE, LinuxConstant.LANDLOCK_ACCESS_FS_TRUNCATE);

  private static final List<LinuxConstant> WRITE_DIRECTORY =
      List.of(
          LinuxConstant.LANDLOCK_ACCESS_FS_REMOVE_DIR,
          LinuxConstant.LANDLOCK_ACCESS_FS_REMOVE_FILE,
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_DIR,
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_REG,
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_SOCK,
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_FIFO,
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_SYM,
          LinuxConstant.LANDLOCK_ACCESS_FS_REFER);

  /** To make devices, which no bind allows. */
  private static final List<LinuxConstant> MAKE_DEVICE =
      List.of(
          LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_CHAR, LinuxConstant.LANDLOCK_ACCESS_FS_MAKE_BLOCK);

  /** The rules of all binds; of one at another place there is none, as it is refused before. */
  static List<Rule> of(List<MountOperation> mounts, HostReport host) throws PlanException {
    List<Rule> rules = new ArrayList<>();
    for (MountOperation mount : mounts) {
      if (mount instanceof Bind bind) {
        rules.add(
            of(bind, host)
                .orElseThrow(
                    () -> new PlanException(bind.destination() + " is not where it comes from")));
      }
    }
    return rules;
  }

  /** The rule of a bind, if it shows its source where that is on the host. */
  static Optional<Rule> of(Bind bind, HostReport host) {
    Optional<Destination> source = HostPath.resolve(bind.source().path(), host);
    return source.equals(HostPath.resolve(bind.destination().absolute(), host))
        ? source.map(place -> new Rule(place, bind.source().directory(), bind.access()))
        : Optional.empty();
  }

  /** Whether one is in the other. */
  boolean overlaps(Rule other) {
    return place.isAtOrBelow(other.place) || other.place.isAtOrBelow(place);
  }

  /** All rights that are taken where no rule gives them back. */
  static List<LinuxConstant> handled(HostReport host) {
    List<LinuxConstant> handled = rights(true, Access.DEVICES, host);
    handled.addAll(MAKE_DEVICE);
    return handled;
  }

  List<LinuxConstant> rights(HostReport host) {
    return rights(directory, access, host);
  }

  private static List<LinuxConstant> rights(boolean directory, Access access, HostReport host) {
    List<LinuxConstant> rights = new ArrayList<>(READ_FILE);
    if (directory) {
      rights.add(LinuxConstant.LANDLOCK_ACCESS_FS_READ_DIR);
    }
    if (access != Access.READ_ONLY) {
      rights.addAll(WRITE_FILE);
      if (directory) {
        rights.addAll(WRITE_DIRECTORY);
      }
    }
    if (access == Access.DEVICES && !host.needs(Workaround.LANDLOCK_WITHOUT_IOCTL)) {
      rights.add(LinuxConstant.LANDLOCK_ACCESS_FS_IOCTL_DEV);
    }
    return rights;
  }
}
