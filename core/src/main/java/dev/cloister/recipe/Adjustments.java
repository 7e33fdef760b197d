package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Permissions;
import dev.cloister.spec.MountOperation.RemountReadOnly;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Changes what is in the new root already. */
final class Adjustments {
  private static final String CHMOD = "--chmod";
  private static final String REMOUNT = "--remount-ro";

  private final HostReport host;
  private final NewRoot root;
  private final Lookup lookup;

  Adjustments(HostReport host, NewRoot root, Lookup lookup) {
    this.host = host;
    this.root = root;
    this.lookup = lookup;
  }

  List<Instruction> change(Permissions permissions) throws PlanException {
    Destination destination = permissions.destination();
    if (root.knows(destination)) {
      if (!root.has(destination)) {
        throw new PlanException(missing(CHMOD, destination));
      }
      return List.of(Steps.chmod(destination, permissions.mode()));
    }
    List<Instruction> steps = find(CHMOD, destination);
    steps.addAll(Steps.chmod(Lookup.DESTINATION, destination, permissions.mode()));
    steps.add(Steps.close(Lookup.DESTINATION));
    return steps;
  }

  List<Instruction> remount(RemountReadOnly remount) throws PlanException {
    Destination destination = remount.destination();
    Optional<Node> node = root.find(destination);
    boolean mounted = node.isPresent() && node.get().isMounted();
    if (mounted) {
      return List.of(remountTmpfs(destination.relative()));
    }
    if (root.knows(destination)) {
      throw new PlanException(
          node.isPresent() ? noMountPoint(destination) : missing(REMOUNT, destination));
    }
    if (host.needs(Workaround.REMOUNT_EACH)) {
      throw new PlanException(
          "--remount-ro "
              + destination
              + ": what was bound there can be changed so only by mount_setattr (Linux 5.12)");
    }
    List<Instruction> steps = find(REMOUNT, destination);
    steps.add(
        Steps.setOwnAttributes(Lookup.DESTINATION, readOnly())
            .hint(Errno.EINVAL, noMountPoint(destination)));
    steps.add(Steps.close(Lookup.DESTINATION));
    return steps;
  }

  private Instruction remountTmpfs(OsString path) {
    return host.needs(Workaround.REMOUNT_EACH)
        ? Steps.remountTmpfs(path)
        : Steps.setOwnAttributes(path, readOnly());
  }

  private static LinuxConstant[] readOnly() {
    return HostMounts.attributes(Access.READ_ONLY);
  }

  private List<Instruction> find(String option, Destination destination) {
    return new ArrayList<>(lookup.findExisting(destination, missing(option, destination)));
  }

  private static String noMountPoint(Destination destination) {
    return "%s: %s in the sandbox is not a mount point".formatted(REMOUNT, destination);
  }

  private static String missing(String option, Destination destination) {
    return "%s: there is no %s in the sandbox".formatted(option, destination);
  }
}
