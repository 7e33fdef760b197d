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
import dev.cloister.spec.MountOperation.LateBind;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.List;

/**
 * Steps for what is looked at only when the sandbox is made. Descriptors of copies stay open until
 * the last steps, which close all: nothing else runs before.
 */
final class LateSources {
  /** Longest target of a symbolic link, and a NUL (PATH_MAX of linux/limits.h). */
  private static final int PATH_MAX = 4096;

  private static final Operand CWD = Operand.of(LinuxConstant.AT_FDCWD);
  private static final Slot ENTRY = new Slot("entry");
  private static final Slot LINK = new Slot("link");
  private static final Slot COPY = new Slot("copy");
  private static final Buffer TARGET = new Buffer("target", PATH_MAX);

  /** Where launchers are kept, but for the user's number: docs/cache.md. */
  private static final String LAUNCHERS_PREFIX = "cloister-";

  private static final Buffer LAUNCHERS = new Buffer("launchers", 24);
  private static final Slot LAUNCHERS_LENGTH = new Slot("launchers_length");

  private LateSources() {}

  /** A copy of the source while its path means what it says; none if it may be missing and is. */
  static Call clone(LateBind late, Slot into) {
    Call clone = Steps.openTree(late.source(), into);
    return late.optional()
        ? clone.tolerate(Errno.ENOENT, Errno.ENOTDIR)
        : clone.hint(
            Errno.ENOENT,
            late.source() + " does not exist here: create it, or emit with --bind-try");
  }

  /**
   * Each entry of the host's root that is there, as {@link
   * dev.cloister.spec.MountOperation.AsOnHost} has it. Not before the new root covers the host's:
   * no symbolic link is followed, so the paths mean what they did.
   */
  static Instruction showAsOnHost(List<OsString> names, LinuxConstant... attributes) {
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
            Steps.setAttributes(Operand.of(COPY), OsString.of(""), attributes),
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
   * Hides the directory of the launchers of the user {@code uid}, as {@link
   * dev.cloister.spec.MountOperation.HideLaunchers} has it. Where it neither exists nor can be
   * made, the command cannot make it either.
   *
   * @param number another each time
   */
  static List<Instruction> hideLaunchers(Destination directory, Id uid, int number) {
    Slot parent = new Slot("parent_of_launchers" + number);
    Slot launchers = new Slot("launchers" + number);
    List<Instruction> cover =
        List.of(
            Steps.fchdir(launchers),
            Steps.mountTmpfs(OsString.of("."), "mode=0700"),
            Steps.chdir(MountPlanner.NEW_ROOT));
    List<Instruction> hide =
        List.of(
            new Instruction.Compose(
                LAUNCHERS, List.of(Operand.of(LAUNCHERS_PREFIX), uid.part()), LAUNCHERS_LENGTH),
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

  /** Attaches a copy over what is there. */
  static Call attach(LateBind late, Slot tree) {
    return withMismatch(late, Steps.moveMount(tree, late.destination().relative()));
  }

  /** The same at a descriptor. */
  static Call attach(LateBind late, Slot tree, Slot at) {
    return withMismatch(late, Steps.moveMount(tree, at));
  }

  /**
   * Attaches a copy over a directory that was made for it. What is none needs a file: move_mount(2)
   * says EINVAL.
   */
  static Call attachOnNew(LateBind late, Slot tree) {
    Call remove =
        Call.of(
            SystemCall.UNLINKAT,
            CWD,
            Operand.of(late.destination().relative()),
            Operand.of(LinuxConstant.AT_REMOVEDIR));
    return Steps.moveMount(tree, late.destination().relative())
        .recover(
            Errno.EINVAL,
            List.of(remove, Steps.mknod(late.destination().relative()), attach(late, tree)));
  }

  private static Call withMismatch(LateBind late, Call attach) {
    String mismatch =
        "of %s and %s in the sandbox only one is a directory"
            .formatted(late.source(), late.destination());
    return attach.hint(Errno.ENOTDIR, mismatch).hint(Errno.EINVAL, mismatch);
  }

  /** Set by {@link #openIfDirectory}. */
  static Slot directory(Slot tree) {
    return new Slot(tree.name() + "_directory");
  }

  static Call openIfDirectory(Slot tree, Slot into) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(tree),
            Operand.of("."),
            Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
        .into(into)
        .tolerate(Errno.ENOTDIR);
  }
}
