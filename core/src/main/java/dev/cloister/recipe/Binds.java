package dev.cloister.recipe;

import dev.cloister.program.Instruction;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.DataBind;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;

/** Attaches what is the host's, or was made beside the new root, at its destination. */
final class Binds {
  private final NewRoot root;
  private final Lookup lookup;
  private final HostMounts hostMounts;
  private final IdentityHashMap<MountOperation, HostMount> sourceOf = new IdentityHashMap<>();

  /** None yet. */
  Binds(NewRoot root, Lookup lookup, HostMounts hostMounts) {
    this.root = root;
    this.lookup = lookup;
    this.hostMounts = hostMounts;
  }

  /** What to do before the new root covers the host's. */
  List<Instruction> early(Bind bind) throws PlanException {
    HostMount mount = hostMounts.of(bind);
    sourceOf.put(bind, mount);
    return mount.take();
  }

  /** The same for data, of which nothing is read before it is needed unless it must be. */
  void early(DataBind data) {
    sourceOf.put(data, hostMounts.of(data));
  }

  List<Instruction> attach(Bind bind) throws PlanException {
    return attach(bind, Objects.requireNonNull(sourceOf.get(bind)), Modes.MOUNT_POINT);
  }

  /** As a bind of a file that is nowhere else. */
  List<Instruction> attach(DataBind data) throws PlanException {
    HostMount mount = Objects.requireNonNull(sourceOf.get(data));
    String option = data.access() == Access.READ_ONLY ? "--ro-bind-data" : "--bind-data";
    OsString name = OsString.of("what %s %d gives".formatted(option, data.descriptor()));
    Bind bind = new Bind(new Source(name, false, true), data.destination(), data.access());
    List<Instruction> steps = new ArrayList<>(mount.take());
    steps.addAll(attach(bind, mount, Modes.under(data.mode())));
    return steps;
  }

  /**
   * Attaches something at the destination of a bind.
   *
   * @param modes of directories that are made for it
   */
  List<Instruction> attach(Bind bind, HostMount mount, Modes modes) throws PlanException {
    Destination destination = bind.destination();
    if (destination.isRoot()) {
      return attachRoot(bind, mount);
    }
    List<Instruction> steps = new ArrayList<>();
    if (root.knows(destination)) {
      steps.addAll(makeMountPoint(bind, modes));
      steps.addAll(mount.attach(destination.relative()));
      steps.addAll(mount.release());
    } else {
      MountPoint place = new MountPoint(destination, bind.source().directory(), modes);
      steps.addAll(mount.attachFound(lookup.find(place), mismatch(bind)));
    }
    root.set(destination, Node.opaque());
    return steps;
  }

  private List<Instruction> attachRoot(Bind bind, HostMount mount) throws PlanException {
    if (!bind.source().directory()) {
      throw new PlanException(bind.source().path() + " is not a directory: it cannot be the root");
    }
    List<Instruction> steps = new ArrayList<>(mount.attach(NewRoot.HERE));
    steps.addAll(mount.release());
    steps.add(Steps.chdir(NewRoot.PATH));
    root.cover(Node.opaque(), 1);
    return steps;
  }

  private List<Instruction> makeMountPoint(Bind bind, Modes modes) throws PlanException {
    Destination destination = bind.destination();
    if (bind.source().directory()) {
      return root.makeDirectory(destination, modes);
    }
    if (root.has(destination)) {
      throw new PlanException(
          "%s is not a directory, but %s in the sandbox is one"
              .formatted(bind.source().path(), destination));
    }
    List<Instruction> steps = root.makeDirectory(destination.parent(), modes.ofParent());
    steps.add(Steps.mknod(destination.relative()));
    return steps;
  }

  private static String mismatch(Bind bind) {
    boolean directory = bind.source().directory();
    return bind.source().path()
        + (directory ? " is a directory, but " : " is not a directory, but ")
        + bind.destination()
        + (directory ? " in the sandbox is not" : " in the sandbox is one");
  }
}
