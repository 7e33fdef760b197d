package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.MountOperation.DataBind;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;

/**
 * With open_tree(2) and mount_setattr(2): a source is bound by its path when its turn comes, as
 * long as that means the same then; else a copy is made early and held by a descriptor.
 */
final class DirectMounts implements HostMounts {
  private static final OsString EMPTY = OsString.of("");
  private static final Slot SOURCE = new Slot("source");
  private static final Slot DATA_TREE = new Slot("data_file");

  /** In what is mounted over the new root for a moment. */
  private static final OsString DATA_FILE = OsString.of(NewRoot.PATH + "/data");

  private final HostReport host;
  private final DataFiles data;
  private int copies;

  DirectMounts(HostReport host, DataFiles data) {
    this.host = host;
    this.data = data;
  }

  @Override
  public HostMount of(Bind bind) {
    Source source = bind.source();
    LinuxConstant[] attributes = HostMounts.attributes(bind.access());
    if (!changesMeaning(bind)) {
      return new ByPath(source.path(), attributes);
    }
    Slot tree = nextCopy();
    List<Instruction> take = new ArrayList<>();
    take.add(Steps.openTree(source.path(), tree));
    if (source.descriptor().isPresent()) {
      int number = source.descriptor().getAsInt();
      take.addAll(Steps.requireSameFile(number, Operand.of(tree), EMPTY));
    }
    return new Copy(take, tree, attributes);
  }

  /**
   * A relative symbolic link with too many {@code ..}, which ends at the host's root, would end in
   * the new root once that covers it; so would {@code /} itself. From outside a chroot, nothing in
   * it has its name.
   */
  private boolean changesMeaning(Bind bind) {
    return !bind.source().direct()
        || bind.source().isRoot()
        || bind.destination().isRoot()
        || bind.source().descriptor().isPresent()
        || host.needs(Workaround.LEAVE_CHROOT);
  }

  @Override
  public HostMount copy(OsString path, boolean directory, LinuxConstant... attributes) {
    Slot tree = nextCopy();
    return new Copy(List.of(Steps.openTree(path, tree)), tree, attributes);
  }

  private Slot nextCopy() {
    copies++;
    return new Slot("source" + copies);
  }

  /** In a tmpfs that is there only until a copy of the file is held. */
  @Override
  public HostMount of(DataBind bind) {
    List<Instruction> take = new ArrayList<>();
    take.add(Steps.mountTmpfs(OsString.of("/"), "mode=0700"));
    take.addAll(data.createNew(DATA_FILE, bind.mode(), bind.descriptor(), bind.destination()));
    take.add(Steps.openTree(Operand.of(DATA_FILE), DATA_TREE));
    take.add(
        Call.of(
            SystemCall.UMOUNT2, Operand.of(NewRoot.PATH), Operand.of(LinuxConstant.MNT_DETACH)));
    return new Copy(take, DATA_TREE, HostMounts.attributes(bind.access()));
  }

  @Override
  public List<Instruction> early() {
    return List.of();
  }

  @Override
  public boolean areStaged() {
    return false;
  }

  /** One whose path means what it says. */
  private static final class ByPath implements HostMount {
    private final OsString path;
    private final LinuxConstant[] attributes;

    private ByPath(OsString path, LinuxConstant... attributes) {
      this.path = path;
      this.attributes = attributes;
    }

    @Override
    public List<Instruction> attach(OsString target) {
      return List.of(Steps.bind(path, target), Steps.setAttributes(target, attributes));
    }

    @Override
    public List<Instruction> attachFound(List<Instruction> find, String mismatch) {
      List<Instruction> steps = new ArrayList<>();
      steps.add(Steps.openTree(path, SOURCE));
      steps.addAll(new Copy(List.of(), SOURCE, attributes).attachFound(find, mismatch));
      return steps;
    }
  }

  /** One that is held by a descriptor, and attached nowhere. */
  private static final class Copy implements HostMount {
    private final List<Instruction> take;
    private final Slot tree;
    private final LinuxConstant[] attributes;

    private Copy(List<Instruction> take, Slot tree, LinuxConstant... attributes) {
      this.take = take;
      this.tree = tree;
      this.attributes = attributes;
    }

    @Override
    public List<Instruction> take() {
      return take;
    }

    @Override
    public List<Instruction> attach(OsString target) {
      List<Instruction> steps = restrict();
      steps.add(Steps.moveMount(tree, target));
      return steps;
    }

    @Override
    public List<Instruction> release() {
      return List.of(Steps.close(tree));
    }

    @Override
    public List<Instruction> attachFound(List<Instruction> find, String mismatch) {
      List<Instruction> steps = restrict();
      steps.addAll(find);
      steps.add(
          Steps.moveMount(tree, Lookup.DESTINATION)
              .hint(Errno.ENOTDIR, mismatch)
              .hint(Errno.EINVAL, mismatch));
      steps.add(Steps.close(Lookup.DESTINATION));
      steps.addAll(release());
      return steps;
    }

    private List<Instruction> restrict() {
      List<Instruction> steps = new ArrayList<>();
      if (attributes.length > 0) {
        steps.add(Steps.setAttributes(Operand.of(tree), EMPTY, attributes));
      }
      return steps;
    }
  }
}
