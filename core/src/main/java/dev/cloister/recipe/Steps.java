package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxStruct;
import dev.cloister.ffm.StructField;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.Destination;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SeccompFilter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** System calls as programs use them, one method each, with the hints that go with their errors. */
public final class Steps {
  private Steps() {}

  private static final Operand CWD = Operand.of(LinuxConstant.AT_FDCWD);
  static final Operand NO_FLAGS = Operand.of(0);

  private static final List<LinuxConstant> TO_WRITE =
      List.of(
          LinuxConstant.O_WRONLY,
          LinuxConstant.O_CREAT,
          LinuxConstant.O_TRUNC,
          LinuxConstant.O_NONBLOCK,
          LinuxConstant.O_NOCTTY,
          LinuxConstant.O_CLOEXEC);

  private static final Buffer CALLERS_FILE = new Buffer("callers_file", LinuxStruct.STATX.size());
  private static final Buffer BOUND_FILE = new Buffer("bound_file", LinuxStruct.STATX.size());

  /** From a /proc. */
  static final Buffer DESCRIPTOR_NAME = new Buffer("descriptor_name", 32);

  private static final Slot DESCRIPTOR_NAME_LENGTH = new Slot("descriptor_name_length");

  static Call mkdir(Operand directory, OsString path, int mode) {
    return mkdir(directory, Operand.of(path), mode);
  }

  static Call mkdir(Operand directory, Operand path, int mode) {
    return Call.of(SystemCall.MKDIRAT, directory, path, mode(mode));
  }

  public static Call mkdir(OsString path, int mode) {
    return mkdir(CWD, path, mode);
  }

  static Operand mode(int mode) {
    return new Operand.Literal(mode, "0" + Integer.toOctalString(mode));
  }

  /** An empty file for a mount to cover; 0444, as bubblewrap makes them. */
  static Call mknod(Operand directory, OsString path) {
    return mknod(directory, Operand.of(path));
  }

  static Call mknod(Operand directory, Operand path) {
    Operand mode =
        new Operand.Literal(
            0444 | LinuxConstant.S_IFREG.value(dev.cloister.ffm.Architecture.X86_64),
            "S_IFREG|0444");
    return Call.of(SystemCall.MKNODAT, directory, path, mode, Operand.of(0));
  }

  static Call mknod(OsString path) {
    return mknod(CWD, path);
  }

  /** Changes what the working directory leads to by directories alone. */
  static Call chmod(Destination destination, int mode) {
    return Call.of(SystemCall.FCHMODAT, CWD, Operand.of(destination.relative()), mode(mode));
  }

  /**
   * Changes what a descriptor stands for. One that is only a place is nothing for fchmod(2), and
   * fchmodat2(2) is new in Linux 6.6.
   */
  static List<Instruction> chmod(Slot place, Destination destination, int mode) {
    return List.of(
        nameOf(place),
        Call.of(
                SystemCall.FCHMODAT,
                Operand.of(Credentials.PROC),
                Operand.of(DESCRIPTOR_NAME),
                mode(mode))
            .hint(Errno.EPERM, "--chmod: " + destination + " belongs to another user")
            .hint(Errno.EROFS, "--chmod: " + destination + " is read-only"));
  }

  /** Writes the name that a descriptor has in a /proc to {@link #DESCRIPTOR_NAME}. */
  static Instruction nameOf(Slot descriptor) {
    return new Instruction.Compose(
        DESCRIPTOR_NAME,
        List.of(Operand.of("self/fd/"), Operand.of(descriptor)),
        DESCRIPTOR_NAME_LENGTH);
  }

  /** What a symbolic link says, without a NUL at the end. */
  static Call readLink(Slot directory, OsString name, Buffer into, Slot length) {
    return Call.of(
            SystemCall.READLINKAT,
            Operand.of(directory),
            Operand.of(name),
            Operand.of(into),
            Operand.of(into.size() - 1))
        .into(length);
  }

  static Call symlink(OsString target, Operand directory, OsString path) {
    return Call.of(SystemCall.SYMLINKAT, Operand.of(target), directory, Operand.of(path));
  }

  static Call symlink(OsString target, OsString path) {
    return symlink(target, CWD, path);
  }

  /** A recursive bind, with all sub-mounts. */
  public static Call bind(OsString source, OsString target) {
    return mount(source, target, LinuxConstant.MS_BIND, LinuxConstant.MS_REC)
        .hint(Errno.ENOENT, source + " vanished after it was checked")
        .hint(
            Errno.ENOTDIR,
            source + " was replaced by something of another type after it was checked")
        .hint(
            Errno.EACCES,
            "a directory on the way to " + source + " may not be searched by this user");
  }

  private static Call mount(OsString source, OsString target, LinuxConstant... flags) {
    return mount(Operand.of(source), Operand.of(target), flags);
  }

  /** Without a type: a bind, a move or a change. */
  static Call mount(Operand source, Operand target, LinuxConstant... flags) {
    return Call.of(SystemCall.MOUNT, source, target, Operand.NULL, Operand.of(flags), Operand.NULL);
  }

  static Call bindDevice(String name) {
    return mount(OsString.of("/dev/" + name), OsString.of(name), LinuxConstant.MS_BIND)
        .hint(Errno.ENOENT, "this host has no /dev/" + name);
  }

  public static Call mountTmpfs(OsString target, String options) {
    return Call.of(
            SystemCall.MOUNT,
            Operand.of("tmpfs"),
            Operand.of(target),
            Operand.of("tmpfs"),
            Operand.of(LinuxConstant.MS_NOSUID, LinuxConstant.MS_NODEV),
            Operand.of(options))
        .hint(
            Errno.EACCES,
            "a security module (AppArmor, SELinux) lets this user make namespaces but not mounts;"
                + " see `cloister probe`")
        .hint(
            Errno.EPERM,
            "mounts are forbidden here, most likely by a seccomp filter; see `cloister probe`");
  }

  public static Call mountDevpts() {
    return Call.of(
        SystemCall.MOUNT,
        Operand.of("devpts"),
        Operand.of("pts"),
        Operand.of("devpts"),
        Operand.of(LinuxConstant.MS_NOSUID, LinuxConstant.MS_NOEXEC),
        Operand.of("newinstance,ptmxmode=0666,mode=620"));
  }

  /** The message queues of the IPC namespace this process is in (mq_overview(7)). */
  static Call mountQueues(OsString target) {
    return Call.of(
            SystemCall.MOUNT,
            Operand.of("mqueue"),
            Operand.of(target),
            Operand.of("mqueue"),
            Operand.of(LinuxConstant.MS_NOSUID, LinuxConstant.MS_NODEV, LinuxConstant.MS_NOEXEC),
            Operand.NULL)
        .hint(
            Errno.EPERM,
            "--mqueue: only root may mount the queues of the host; --unshare-ipc gives the command"
                + " its own")
        .hint(Errno.ENODEV, "--mqueue: this kernel has no POSIX message queues");
  }

  /** A procfs of the pid namespace this process is in. */
  public static Call mountProc(OsString target) {
    return Call.of(
        SystemCall.MOUNT,
        Operand.of("proc"),
        Operand.of(target),
        Operand.of("proc"),
        Operand.of(LinuxConstant.MS_NOSUID, LinuxConstant.MS_NODEV, LinuxConstant.MS_NOEXEC),
        Operand.NULL);
  }

  /** Makes one tmpfs of {@link #mountTmpfs} read-only. */
  static Call remountTmpfs(OsString target) {
    return mount(
        Operand.NULL,
        Operand.of(target),
        LinuxConstant.MS_REMOUNT,
        LinuxConstant.MS_BIND,
        LinuxConstant.MS_RDONLY,
        LinuxConstant.MS_NOSUID,
        LinuxConstant.MS_NODEV);
  }

  /** Makes one bind of a procfs read-only, which has these other flags (mount(2)). */
  static Call remountProtected(OsString target) {
    return Call.of(
        SystemCall.MOUNT,
        Operand.NULL,
        Operand.of(target),
        Operand.NULL,
        Operand.of(
            LinuxConstant.MS_REMOUNT,
            LinuxConstant.MS_BIND,
            LinuxConstant.MS_RDONLY,
            LinuxConstant.MS_NOSUID,
            LinuxConstant.MS_NODEV,
            LinuxConstant.MS_NOEXEC),
        Operand.NULL);
  }

  /** Keeps mounts made here and mounts made on the host apart, both ways. */
  static Call makePrivate() {
    return Call.of(
        SystemCall.MOUNT,
        Operand.NULL,
        Operand.of("/"),
        Operand.NULL,
        Operand.of(LinuxConstant.MS_REC, LinuxConstant.MS_PRIVATE),
        Operand.NULL);
  }

  /** No recursive bind copies it from now on (mount_namespaces(7)). */
  static Call makeUnbindable(OsString target) {
    return Call.of(
        SystemCall.MOUNT,
        Operand.NULL,
        Operand.of(target),
        Operand.NULL,
        Operand.of(LinuxConstant.MS_UNBINDABLE),
        Operand.NULL);
  }

  /** Takes a mount with its sub-mounts from one path to another. */
  static Call moveMount(OsString from, OsString to) {
    return mount(from, to, LinuxConstant.MS_MOVE);
  }

  /**
   * Changes a mount and all its sub-mounts. MS_RDONLY of mount(2) would change only the top one
   * (mount_setattr(2)).
   */
  static Call setAttributes(Operand directory, OsString path, LinuxConstant... attributes) {
    Operand flags =
        path.isEmpty()
            ? Operand.of(LinuxConstant.AT_EMPTY_PATH, LinuxConstant.AT_RECURSIVE)
            : Operand.of(LinuxConstant.AT_RECURSIVE);
    return setAttributes(directory, Operand.of(path), flags, attributes);
  }

  /** The same of a path that is not empty. */
  static Call setAttributes(Operand path, LinuxConstant... attributes) {
    return setAttributes(CWD, path, Operand.of(LinuxConstant.AT_RECURSIVE), attributes);
  }

  /** Changes one mount, and none below it. */
  static Call setOwnAttributes(OsString path, LinuxConstant... attributes) {
    return setAttributes(CWD, Operand.of(path), NO_FLAGS, attributes);
  }

  /** The same of that whose root a descriptor is; EINVAL if it is none. */
  static Call setOwnAttributes(Slot mount, LinuxConstant... attributes) {
    return setAttributes(
        Operand.of(mount), Operand.of(""), Operand.of(LinuxConstant.AT_EMPTY_PATH), attributes);
  }

  private static Call setAttributes(
      Operand directory, Operand path, Operand flags, LinuxConstant... attributes) {
    Operand.Structure attr =
        new Operand.Structure(
            LinuxStruct.MOUNT_ATTR,
            1,
            Map.of(StructField.MOUNT_ATTR_ATTR_SET, Operand.of(attributes)));
    return Call.of(
            SystemCall.MOUNT_SETATTR, directory, path, flags, attr, sizeof(LinuxStruct.MOUNT_ATTR))
        .hint(Errno.ENOSYS, "mount_setattr needs Linux 5.12 and no filter that hides it");
  }

  public static Call setAttributes(OsString path, LinuxConstant... attributes) {
    return setAttributes(CWD, path, attributes);
  }

  private static Operand sizeof(LinuxStruct struct) {
    return new Operand.Literal(struct.size(), Integer.toString(struct.size()));
  }

  /** A private copy of a mount and its sub-mounts, attached nowhere yet. */
  public static Call openTree(OsString source, Slot into) {
    return openTree(Operand.of(source), into)
        .hint(Errno.ENOENT, source + " vanished after it was checked")
        .hint(Errno.EINVAL, source + " is of a kind that cannot be bound (a magic link?)");
  }

  /** The same of what has no name that a hint could give. */
  static Call openTree(Operand source, Slot into) {
    return Call.of(
            SystemCall.OPEN_TREE,
            CWD,
            source,
            Operand.of(
                LinuxConstant.OPEN_TREE_CLONE,
                LinuxConstant.OPEN_TREE_CLOEXEC,
                LinuxConstant.AT_RECURSIVE))
        .into(into)
        .hint(Errno.ENOSYS, "open_tree needs Linux 5.2 and no filter that hides it");
  }

  /** Attaches a copy at a descriptor. */
  static Call moveMount(Slot tree, Slot destination) {
    return Call.of(
        SystemCall.MOVE_MOUNT,
        Operand.of(tree),
        Operand.of(""),
        Operand.of(destination),
        Operand.of(""),
        Operand.of(LinuxConstant.MOVE_MOUNT_F_EMPTY_PATH, LinuxConstant.MOVE_MOUNT_T_EMPTY_PATH));
  }

  /** Attaches a copy at a path that is known. */
  public static Call moveMount(Slot tree, OsString path) {
    return moveMount(tree, Operand.of(path));
  }

  static Call moveMount(Slot tree, Operand path) {
    return Call.of(
        SystemCall.MOVE_MOUNT,
        Operand.of(tree),
        Operand.of(""),
        CWD,
        path,
        Operand.of(LinuxConstant.MOVE_MOUNT_F_EMPTY_PATH));
  }

  /**
   * Finds {@code destination} in the new root, which is the working directory. Symbolic links mean
   * what they will mean to the command, so none leads out (CVE-2026-87766). O_PATH because a
   * directory of mode 0711 must be passable; EAGAIN because openat2(2) gives up on a {@code ..} in
   * a link when anything is renamed or mounted meanwhile.
   */
  public static Call find(Destination destination, Slot into) {
    return find(
        destination,
        into,
        "the way to " + destination + " leads through something that is a file",
        LinuxConstant.O_PATH,
        LinuxConstant.O_CLOEXEC);
  }

  /** The same for what must be a directory. */
  static Call findDirectory(Destination destination, Slot into) {
    return find(
        destination,
        into,
        destination + " in the sandbox, or something on the way to it, is not a directory",
        LinuxConstant.O_PATH,
        LinuxConstant.O_DIRECTORY,
        LinuxConstant.O_CLOEXEC);
  }

  /**
   * Opens a file for data, made if it is missing and emptied if not, as {@link #find} finds it.
   * O_NONBLOCK because a fifo would wait for a reader.
   */
  static Call createFound(Destination destination, Slot into, int mode) {
    Map<StructField, Operand> how = new LinkedHashMap<>();
    how.put(StructField.OPEN_HOW_FLAGS, new Operand.Flags(TO_WRITE));
    how.put(StructField.OPEN_HOW_MODE, mode(mode));
    how.put(
        StructField.OPEN_HOW_RESOLVE,
        Operand.of(LinuxConstant.RESOLVE_IN_ROOT, LinuxConstant.RESOLVE_NO_MAGICLINKS));
    Call open =
        Call.of(
                SystemCall.OPENAT2,
                CWD,
                Operand.of(destination.relative()),
                Operand.of(LinuxStruct.OPEN_HOW, how),
                sizeof(LinuxStruct.OPEN_HOW))
            .into(into)
            .retry(Errno.EAGAIN);
    return withFileHints(open, destination)
        .hint(
            Errno.ELOOP,
            "the way to " + destination + " leads through a magic link (/proc/.../fd or the like)");
  }

  /** The same in an open directory, where it must be no symbolic link. */
  static Call createIn(Slot directory, Destination destination, Slot into, int mode) {
    List<LinuxConstant> flags = new ArrayList<>(TO_WRITE);
    flags.add(LinuxConstant.O_NOFOLLOW);
    Call open =
        Call.of(
                SystemCall.OPENAT,
                Operand.of(directory),
                Operand.of(destination.name()),
                new Operand.Flags(flags),
                mode(mode))
            .into(into);
    return withFileHints(open, destination).hint(Errno.ELOOP, destination + " is a symbolic link");
  }

  private static Call withFileHints(Call open, Destination destination) {
    return open.hint(Errno.EISDIR, destination + " in the sandbox is a directory")
        .hint(Errno.ENXIO, destination + " in the sandbox is a fifo that nobody reads")
        .hint(Errno.EROFS, cannotMake(destination))
        .hint(Errno.EACCES, "the command's user may not write to " + destination);
  }

  /** Why something is missing in what is the host's. */
  static String cannotMake(Destination destination) {
    return destination
        + " does not exist in what is bound there and cannot be made; create it on the host first";
  }

  /** Makes a file that is not there yet, and opens it for data. */
  static Call createNew(OsString path, Slot into, int mode) {
    return Call.of(
            SystemCall.OPENAT,
            CWD,
            Operand.of(path),
            Operand.of(
                LinuxConstant.O_WRONLY,
                LinuxConstant.O_CREAT,
                LinuxConstant.O_EXCL,
                LinuxConstant.O_CLOEXEC),
            mode(mode))
        .into(into);
  }

  /** Ends the program unless a descriptor of the caller's and a copy of a mount are the same. */
  static List<Instruction> requireSameFile(int descriptor, Operand directory, OsString path) {
    String otherwise =
        "descriptor %d leads to something that was moved or replaced meanwhile"
            .formatted(descriptor);
    return List.of(
        statx(Operand.of(descriptor), OsString.of(""), CALLERS_FILE),
        statx(directory, path, BOUND_FILE),
        new Instruction.RequireSameFile(CALLERS_FILE, BOUND_FILE, otherwise));
  }

  private static Call statx(Operand directory, OsString path, Buffer into) {
    return Call.of(
            SystemCall.STATX,
            directory,
            Operand.of(path),
            Operand.of(LinuxConstant.AT_EMPTY_PATH, LinuxConstant.AT_SYMLINK_NOFOLLOW),
            Operand.of(LinuxConstant.STATX_INO),
            Operand.of(into))
        .hint(Errno.ENOSYS, "statx needs Linux 4.11 and no filter that hides it");
  }

  private static Call find(
      Destination destination, Slot into, String notDirectory, LinuxConstant... flags) {
    return openInRoot(destination.relative(), into, flags)
        .hint(
            Errno.ELOOP,
            "the way to " + destination + " leads through a magic link (/proc/.../fd or the like)")
        .hint(Errno.ENOENT, "the way to " + destination + " leads through a dangling symbolic link")
        .hint(Errno.ENOTDIR, notDirectory);
  }

  /** Opens {@code path} as if the working directory were the root (openat2(2)). */
  public static Call openInRoot(OsString path, Slot into, LinuxConstant... flags) {
    Map<StructField, Operand> how = new LinkedHashMap<>();
    how.put(StructField.OPEN_HOW_FLAGS, Operand.of(flags));
    how.put(
        StructField.OPEN_HOW_RESOLVE,
        Operand.of(LinuxConstant.RESOLVE_IN_ROOT, LinuxConstant.RESOLVE_NO_MAGICLINKS));
    return Call.of(
            SystemCall.OPENAT2,
            CWD,
            Operand.of(path),
            Operand.of(LinuxStruct.OPEN_HOW, how),
            sizeof(LinuxStruct.OPEN_HOW))
        .into(into)
        .retry(Errno.EAGAIN)
        .hint(Errno.ENOSYS, "openat2 needs Linux 5.6 and no filter that hides it");
  }

  /**
   * Lets a filter judge every call from here on. prctl(2) does the same before Linux 3.17, and
   * where a filter before this one refuses seccomp(2).
   */
  static Call installFilter(SeccompFilter filter) {
    Operand program = new Operand.Filter(filter);
    List<Instruction> prctl =
        List.of(
            withFilterHints(
                Call.of(
                    SystemCall.PRCTL,
                    Operand.of(LinuxConstant.PR_SET_SECCOMP),
                    Operand.of(LinuxConstant.SECCOMP_MODE_FILTER),
                    program)));
    return withFilterHints(
        Call.of(
                SystemCall.SECCOMP,
                Operand.of(LinuxConstant.SECCOMP_SET_MODE_FILTER),
                NO_FLAGS,
                program)
            .recover(Errno.ENOSYS, prctl)
            .recover(Errno.EPERM, prctl));
  }

  private static Call withFilterHints(Call call) {
    return call.hint(Errno.EINVAL, "this kernel has no seccomp filters (CONFIG_SECCOMP_FILTER)")
        .hint(
            Errno.ENOMEM,
            "all filters of a process together may have 32768 instructions, four more for each"
                + " filter counted")
        .hint(Errno.EPERM, "a filter that applies already refuses it");
  }

  public static Call close(Slot descriptor) {
    return Call.of(SystemCall.CLOSE, Operand.of(descriptor));
  }

  /** The root and the working directory become those of that namespace (setns(2)). */
  static Call setns(Slot namespace, LinuxConstant type) {
    return Call.of(SystemCall.SETNS, Operand.of(namespace), Operand.of(type));
  }

  /** A directory to come back to, or to find things from. */
  public static Call openDirectory(String path, Slot into) {
    return openDirectory(OsString.of(path), into);
  }

  static Call openDirectory(OsString path, Slot into) {
    return Call.of(
            SystemCall.OPENAT,
            CWD,
            Operand.of(path),
            Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_DIRECTORY, LinuxConstant.O_CLOEXEC))
        .into(into);
  }

  /** Opens what has this path, in which there must be no symbolic link (any more). */
  public static Call openUnlinked(OsString path, Slot into) {
    Map<StructField, Operand> how = new LinkedHashMap<>();
    how.put(StructField.OPEN_HOW_FLAGS, Operand.of(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC));
    how.put(StructField.OPEN_HOW_RESOLVE, Operand.of(LinuxConstant.RESOLVE_NO_SYMLINKS));
    return Call.of(
            SystemCall.OPENAT2,
            CWD,
            Operand.of(path),
            Operand.of(LinuxStruct.OPEN_HOW, how),
            sizeof(LinuxStruct.OPEN_HOW))
        .into(into)
        .retry(Errno.EAGAIN)
        .hint(Errno.ENOENT, path + " vanished after it was checked")
        .hint(Errno.ELOOP, "a symbolic link was put into the way to " + path)
        .hint(Errno.EACCES, "the command's user may not search a directory on the way to " + path);
  }

  static Call open(Slot directory, String path, Slot into) {
    return Call.of(
            SystemCall.OPENAT,
            Operand.of(directory),
            Operand.of(path),
            Operand.of(LinuxConstant.O_RDONLY, LinuxConstant.O_CLOEXEC))
        .into(into);
  }

  static Call close(int descriptor) {
    return Call.of(SystemCall.CLOSE, Operand.of(descriptor));
  }

  /** Gives a descriptor a number, and so a path, that is known beforehand. */
  static Call duplicate(Slot descriptor, int as) {
    return Call.of(
            SystemCall.DUP3,
            Operand.of(descriptor),
            Operand.of(as),
            Operand.of(LinuxConstant.O_CLOEXEC))
        .hint(Errno.EBADF, "the limit of open files (ulimit -n) is below " + (as + 1));
  }

  static Call fchdir(Slot directory) {
    return Call.of(SystemCall.FCHDIR, Operand.of(directory));
  }

  public static Call chdir(String path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  static Call chdir(OsString path) {
    return Call.of(SystemCall.CHDIR, Operand.of(path));
  }

  /**
   * Opens a file for one write of a short text, which a procfs file takes at once or not at all.
   */
  static List<Instruction> writeFile(
      Slot directory, String path, String text, Map<Errno, String> hints) {
    return writeFile(directory, path, Operand.of(text), Operand.of(text.length()), hints);
  }

  /** The same with a text that is known only then. */
  static List<Instruction> writeFile(
      Slot directory, String path, Operand text, Operand length, Map<Errno, String> hints) {
    Slot file = new Slot(path.substring(path.lastIndexOf('/') + 1));
    Call open =
        Call.of(
                SystemCall.OPENAT,
                Operand.of(directory),
                Operand.of(path),
                Operand.of(LinuxConstant.O_WRONLY, LinuxConstant.O_CLOEXEC))
            .into(file);
    Call write = Call.of(SystemCall.WRITE, Operand.of(file), text, length);
    for (Map.Entry<Errno, String> hint : hints.entrySet()) {
      open = open.hint(hint.getKey(), hint.getValue());
      write = write.hint(hint.getKey(), hint.getValue());
    }
    return List.of(open, write, close(file));
  }

  /**
   * Puts another program into an executable memory file. Before Linux 6.3 MFD_EXEC is unknown
   * (EINVAL) and every memory file executable. The file offset stays 0.
   */
  public static List<Instruction> memoryFile(SyscallProgram program, Slot into) {
    Operand name = Operand.of("cloister");
    Call plain =
        Call.of(SystemCall.MEMFD_CREATE, name, Operand.of(LinuxConstant.MFD_CLOEXEC)).into(into);
    Operand flags = Operand.of(LinuxConstant.MFD_CLOEXEC, LinuxConstant.MFD_EXEC);
    return List.of(
        Call.of(SystemCall.MEMFD_CREATE, name, flags)
            .into(into)
            .recover(Errno.EINVAL, List.of(plain))
            .hint(
                Errno.EACCES,
                "sysctl vm.memfd_noexec forbids executable memory files on this host"),
        Call.of(
            SystemCall.PWRITE64,
            Operand.of(into),
            new Operand.Image(program),
            new Operand.ImageSize(program),
            Operand.of(0)));
  }
}
