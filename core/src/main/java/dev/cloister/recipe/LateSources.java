package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.AsOnHost;
import dev.cloister.spec.MountOperation.HideLaunchers;
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.OsString;
import dev.cloister.strategy.PlanException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Puts into the new root what is looked at only when the sandbox is made. Descriptors of copies
 * stay open until the last steps, which close all: nothing else runs before.
 */
final class LateSources {
  /** Longest target of a symbolic link, and a NUL (PATH_MAX of linux/limits.h). */
  private static final int PATH_MAX = 4096;

  private static final Operand CWD = Operand.of(LinuxConstant.AT_FDCWD);
  private static final Slot ENTRY = new Slot("entry");
  private static final Slot LINK = new Slot("link");
  private static final Slot COPY = new Slot("copy");
  private static final Buffer TARGET = new Buffer("target", PATH_MAX);

  private static final Buffer LAUNCHERS = new Buffer("launchers", 24);
  private static final Slot LAUNCHERS_LENGTH = new Slot("launchers_length");

  private final NewRoot root;
  private final Lookup lookup;
  private final Id commandUid;
  private final IdentityHashMap<LateBind, Slot> copies = new IdentityHashMap<>();

  /** How many copies there are of each source. */
  private final Map<String, Integer> names = new HashMap<>();

  private int hiding;

  /**
   * None yet.
   *
   * @param commandUid the kernel's, not what may be seen inside
   */
  LateSources(NewRoot root, Lookup lookup, Id commandUid) {
    this.root = root;
    this.lookup = lookup;
    this.commandUid = commandUid;
  }

  /** A copy of the source while its path means what it says; none if it may be missing and is. */
  Call early(LateBind late) {
    Slot copy = new Slot(nameOf(late.source()));
    copies.put(late, copy);
    Call clone = Steps.openTree(late.source(), copy);
    return late.optional()
        ? clone.tolerate(Errno.ENOENT, Errno.ENOTDIR)
        : clone.hint(
            Errno.ENOENT,
            late.source() + " does not exist here: create it, or emit with --bind-try");
  }

  /** Named by its source, so that plans for several kinds of callers have it in common. */
  private String nameOf(OsString source) {
    String text = source.toString();
    int number = names.merge(text, 1, Integer::sum);
    return number == 1 ? "copy_of_" + text : "copy_" + number + "_of_" + text;
  }

  /** As a bind of a copy, but for the kind of the mount point, which is found then. */
  List<Instruction> attach(LateBind late) throws PlanException {
    Destination destination = late.destination();
    Slot tree = Objects.requireNonNull(copies.get(late));
    if (destination.isRoot()) {
      return attachRoot(late, tree);
    }
    // What may be left out must not be what makes the way to something else.
    boolean known = root.knows(destination) && (!late.optional() || root.has(destination.parent()));
    List<Instruction> steps = new ArrayList<>();
    steps.add(restrict(late, tree));
    if (known) {
      steps.addAll(attachKnown(late, tree));
      root.put(destination, Node.opaque());
    } else {
      steps.addAll(attachFound(late, tree));
      root.forgetWays();
    }
    return late.optional() ? List.of(new Instruction.IfSet(tree, steps, List.of())) : steps;
  }

  private List<Instruction> attachRoot(LateBind late, Slot tree) throws PlanException {
    if (late.optional()) {
      throw new PlanException(
          late.source() + " may be missing when it is needed: it cannot be the root");
    }
    root.cover(Node.opaque(), 1);
    return List.of(
        restrict(late, tree),
        Steps.moveMount(tree, NewRoot.HERE),
        Steps.close(tree),
        Steps.chdir(NewRoot.PATH));
  }

  private static Call restrict(LateBind late, Slot tree) {
    return Steps.setAttributes(
        Operand.of(tree), OsString.of(""), HostMounts.attributes(late.access()));
  }

  private List<Instruction> attachKnown(LateBind late, Slot tree) {
    if (root.has(late.destination())) {
      return List.of(attachOver(late, tree));
    }
    List<Instruction> steps = root.makeDirectory(late.destination(), Modes.MOUNT_POINT);
    steps.add(attachOnNew(late, tree));
    return steps;
  }

  private List<Instruction> attachFound(LateBind late, Slot tree) {
    Slot directory = new Slot(tree.name() + "_directory");
    Destination destination = late.destination();
    return List.of(
        openIfDirectory(tree, directory),
        new Instruction.IfSet(
            directory,
            lookup.find(new MountPoint(destination, true, Modes.MOUNT_POINT)),
            lookup.find(new MountPoint(destination, false, Modes.MOUNT_POINT))),
        withMismatch(late, Steps.moveMount(tree, Lookup.DESTINATION)),
        Steps.close(Lookup.DESTINATION));
  }

  private static Call attachOver(LateBind late, Slot tree) {
    return withMismatch(late, Steps.moveMount(tree, late.destination().relative()));
  }

  /**
   * Attaches a copy over a directory that was made for it. What is none needs a file: move_mount(2)
   * says EINVAL.
   */
  private static Call attachOnNew(LateBind late, Slot tree) {
    Call remove =
        Call.of(
            SystemCall.UNLINKAT,
            CWD,
            Operand.of(late.destination().relative()),
            Operand.of(LinuxConstant.AT_REMOVEDIR));
    return Steps.moveMount(tree, late.destination().relative())
        .recover(
            Errno.EINVAL,
            List.of(remove, Steps.mknod(late.destination().relative()), attachOver(late, tree)));
  }

  private static Call withMismatch(LateBind late, Call attach) {
    String mismatch =
        "of %s and %s in the sandbox only one is a directory"
            .formatted(late.source(), late.destination());
    return attach.hint(Errno.ENOTDIR, mismatch).hint(Errno.EINVAL, mismatch);
  }

  private static Call openIfDirectory(Slot tree, Slot into) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(tree),
            Operand.of("."),
            Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
        .into(into)
        .tolerate(Errno.ENOTDIR);
  }

  Instruction show(AsOnHost shown) throws PlanException {
    for (OsString name : shown.names()) {
      Destination destination = Destination.of(OsString.of("/").concat(name));
      if (!root.knows(destination) || root.has(destination)) {
        throw new PlanException(destination + " in the sandbox exists already");
      }
      // A link, a directory or nothing: what leads through it is found at run time.
      root.put(destination, Node.opaque());
    }
    return showAsOnHost(shown.names());
  }

  /**
   * Each entry of the host's root that is there. Not before the new root covers the host's: no
   * symbolic link is followed, so the paths mean what they did.
   */
  private static Instruction showAsOnHost(List<OsString> names) {
    List<OsString> entries = new ArrayList<>();
    for (OsString name : names) {
      entries.add(OsString.of("/").concat(name));
    }
    Operand name = new Operand.Tail(ENTRY, 1);
    Call copy = Steps.openTree(Operand.of(ENTRY), COPY).tolerate(Errno.ENOENT);
    Call read =
        Call.of(
                SystemCall.READLINKAT,
                CWD,
                Operand.of(ENTRY),
                Operand.of(TARGET),
                Operand.of(PATH_MAX - 1))
            .into(LINK)
            .recover(Errno.EINVAL, List.of(copy))
            .tolerate(Errno.ENOENT);
    List<Instruction> link =
        List.of(
            new Instruction.Terminate(TARGET, LINK),
            Call.of(SystemCall.SYMLINKAT, Operand.of(TARGET), CWD, name));
    List<Instruction> attach =
        List.of(
            Steps.setAttributes(
                Operand.of(COPY), OsString.of(""), HostMounts.attributes(Access.READ_ONLY)),
            Steps.mkdir(CWD, name, 0755),
            Steps.moveMount(COPY, name));
    return new Instruction.ForEach(
        ENTRY,
        entries,
        List.of(LINK, COPY),
        List.of(
            read,
            new Instruction.IfSet(
                LINK, link, List.of(new Instruction.IfSet(COPY, attach, List.of())))));
  }

  /** The host's devices of these names, in the working directory. */
  static Instruction bindDevices(List<String> names) {
    String directory = "/dev/";
    List<OsString> devices = new ArrayList<>();
    for (String name : names) {
      devices.add(OsString.of(directory + name));
    }
    Operand name = new Operand.Tail(ENTRY, directory.length());
    return new Instruction.ForEach(
        ENTRY,
        devices,
        List.of(),
        List.of(
            Steps.mknod(CWD, name),
            Steps.mount(Operand.of(ENTRY), name, LinuxConstant.MS_BIND)
                .hint(Errno.ENOENT, "this host has not all of " + OsString.join(' ', devices))));
  }

  /** Those of these entries of the working directory that exist, with fewer rights. */
  static Instruction protect(List<String> names, LinuxConstant... attributes) {
    Operand name = Operand.of(ENTRY);
    List<OsString> entries = new ArrayList<>();
    names.forEach(each -> entries.add(OsString.of(each)));
    return new Instruction.ForEach(
        ENTRY,
        entries,
        List.of(),
        List.of(
            Steps.mount(name, name, LinuxConstant.MS_BIND, LinuxConstant.MS_REC)
                .tolerate(Errno.ENOENT),
            Steps.setAttributes(name, attributes).tolerate(Errno.ENOENT)));
  }

  /**
   * Hides the directory of the launchers of the command's user. Where it neither exists nor can be
   * made, the command cannot make it either.
   */
  List<Instruction> hide(HideLaunchers hidden) {
    Destination directory = hidden.destination();
    Slot parent = new Slot("parent_of_launchers" + hiding);
    Slot launchers = new Slot("launchers" + hiding);
    hiding++;
    List<Instruction> cover =
        List.of(
            Steps.fchdir(launchers),
            Steps.mountTmpfs(NewRoot.HERE, "mode=0700"),
            Steps.chdir(NewRoot.PATH));
    List<Instruction> hide =
        List.of(
            new Instruction.Compose(
                LAUNCHERS,
                List.of(Operand.of(HideLaunchers.PREFIX), commandUid.part()),
                LAUNCHERS_LENGTH),
            Steps.mkdir(Operand.of(parent), Operand.of(LAUNCHERS), 0700)
                .tolerate(Errno.EEXIST, Errno.EROFS, Errno.EACCES),
            Call.of(
                    SystemCall.OPENAT,
                    Operand.of(parent),
                    Operand.of(LAUNCHERS),
                    Operand.of(
                        LinuxConstant.O_PATH,
                        LinuxConstant.O_DIRECTORY,
                        LinuxConstant.O_NOFOLLOW,
                        LinuxConstant.O_CLOEXEC))
                .into(launchers)
                .tolerate(Errno.ENOENT)
                .hint(
                    Errno.ENOTDIR,
                    "Cloister's directory of launchers in " + directory + " is none: remove it"),
            new Instruction.IfSet(launchers, cover, List.of()));
    return List.of(
        Steps.find(directory, parent).tolerate(Errno.ENOENT, Errno.ENOTDIR),
        new Instruction.IfSet(parent, hide, List.of()));
  }
}
