package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.POSIX_SPAWN_SETSIGMASK;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.cloister.ffm.generated.libc.Libc;
import dev.cloister.ffm.generated.libc.posix_spawn_file_actions_t;
import dev.cloister.ffm.generated.libc.posix_spawnattr_t;
import dev.cloister.ffm.generated.libc.sigset_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Starts a program in a new process: posix_spawn(3), which is safe in a process with many threads,
 * where no Java code could run after a fork(2).
 *
 * <p>The process inherits every descriptor that is not closed on exec, the working directory, and
 * from the calling thread the signal mask, unless told otherwise here.
 */
public final class Spawn {
  private sealed interface FileAction {
    record Duplicate(int from, int to) implements FileAction {}

    record Open(int number, CString path, List<LinuxConstant> flags, int permissions)
        implements FileAction {}

    record ChangeDirectory(CString path) implements FileAction {}
  }

  private final CString path;
  private final List<CString> arguments;
  private final List<CString> environment;
  private final List<FileAction> actions = new ArrayList<>();
  private final List<LinuxConstant> flags = new ArrayList<>();
  private SignalSet mask = SignalSet.NONE;

  private Spawn(CString path, List<CString> arguments, List<CString> environment) {
    this.path = path;
    this.arguments = arguments;
    this.environment = environment;
  }

  /**
   * A process that executes the file at a path. {@code PATH} is not searched.
   *
   * @param arguments the first is the program's own name
   * @param environment as {@code NAME=value}
   */
  public static Spawn of(byte[] path, List<byte[]> arguments, List<byte[]> environment) {
    return new Spawn(CString.of(path), CString.listOf(arguments), CString.listOf(environment));
  }

  /** Gives the process a copy of an open file as its descriptor {@code to}: dup2(2). */
  public Spawn duplicate(Descriptor from, int to) {
    return duplicate(from.number(), to);
  }

  /**
   * Gives the process a copy of a descriptor as its descriptor {@code to}: dup2(2). The same number
   * twice only stops it from being closed on exec.
   */
  public Spawn duplicate(int from, int to) {
    actions.add(new FileAction.Duplicate(from, to));
    return this;
  }

  /**
   * Opens a file as descriptor {@code number} of the process: open(2).
   *
   * @param permissions of a new file, before the umask
   */
  public Spawn open(int number, byte[] file, int permissions, LinuxConstant... openFlags) {
    actions.add(new FileAction.Open(number, CString.of(file), List.of(openFlags), permissions));
    return this;
  }

  /** Sets the working directory of the process and of the actions added after this: chdir(2). */
  public Spawn directory(byte[] directory) {
    actions.add(new FileAction.ChangeDirectory(CString.of(directory)));
    return this;
  }

  /** Blocks exactly these signals in the process. */
  public Spawn signalMask(SignalSet signals) {
    mask = signals;
    return flag(POSIX_SPAWN_SETSIGMASK);
  }

  private Spawn flag(LinuxConstant flag) {
    flags.add(flag);
    return this;
  }

  /**
   * Starts the process.
   *
   * @return the process, for which the caller waits
   * @throws LinuxException if an action or the exec failed; there is no process then
   */
  public ChildProcess start() throws LinuxException {
    ChildProcess.expect();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment fileActions = arena.allocate(posix_spawn_file_actions_t.layout());
      check("posix_spawn_file_actions_init()", Libc.posix_spawn_file_actions_init(fileActions));
      try {
        for (FileAction action : actions) {
          add(arena, fileActions, action);
        }
        return start(arena, fileActions);
      } finally {
        Libc.posix_spawn_file_actions_destroy(fileActions);
      }
    }
  }

  private ChildProcess start(Arena arena, MemorySegment fileActions) throws LinuxException {
    MemorySegment attributes = arena.allocate(posix_spawnattr_t.layout());
    check("posix_spawnattr_init()", Libc.posix_spawnattr_init(attributes));
    try {
      setAttributes(arena, attributes);
      MemorySegment pid = arena.allocate(JAVA_INT);
      int error =
          Libc.posix_spawn(
              pid,
              path.allocate(arena),
              fileActions,
              attributes,
              CString.allocateArray(arena, arguments),
              CString.allocateArray(arena, environment));
      if (error != 0) {
        throw new LinuxException(toString(), error);
      }
      return ChildProcess.adopt(pid.get(JAVA_INT, 0));
    } finally {
      Libc.posix_spawnattr_destroy(attributes);
    }
  }

  private void setAttributes(Arena arena, MemorySegment attributes) throws LinuxException {
    short bits = (short) LinuxConstant.or(KernelCall.HOST, flags);
    check("posix_spawnattr_setflags()", Libc.posix_spawnattr_setflags(attributes, bits));
    check(
        "posix_spawnattr_setsigmask()",
        Libc.posix_spawnattr_setsigmask(attributes, sigset(arena, mask)));
  }

  /** glibc's set has room for 1024 signals; the kernel's 64 come first. */
  private static MemorySegment sigset(Arena arena, SignalSet signals) {
    MemorySegment sigset = arena.allocate(sigset_t.layout());
    sigset.set(JAVA_LONG, 0, signals.bits());
    return sigset;
  }

  private static void add(Arena arena, MemorySegment fileActions, FileAction action)
      throws LinuxException {
    int error =
        switch (action) {
          case FileAction.Duplicate it ->
              Libc.posix_spawn_file_actions_adddup2(fileActions, it.from(), it.to());
          case FileAction.Open it ->
              Libc.posix_spawn_file_actions_addopen(
                  fileActions,
                  it.number(),
                  it.path().allocate(arena),
                  (int) LinuxConstant.or(KernelCall.HOST, it.flags()),
                  it.permissions());
          case FileAction.ChangeDirectory it ->
              Libc.posix_spawn_file_actions_addchdir_np(fileActions, it.path().allocate(arena));
        };
    check("posix_spawn_file_actions", error);
  }

  /** These functions return the error number and leave errno alone. */
  private static void check(String call, int error) throws LinuxException {
    if (error != 0) {
      throw new LinuxException(call, error);
    }
  }

  /** The call as C, the attributes left out. */
  @Override
  public String toString() {
    return "posix_spawn(%s, %s, %s)"
        .formatted(path, CString.arguments(arguments), CString.environment(environment));
  }
}
