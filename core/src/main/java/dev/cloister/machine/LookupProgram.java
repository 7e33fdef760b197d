package dev.cloister.machine;

import static dev.cloister.machine.Condition.EQUAL;
import static dev.cloister.machine.Condition.LESS;
import static dev.cloister.machine.Condition.NOT_EQUAL;
import static dev.cloister.machine.Register.A0;
import static dev.cloister.machine.Register.A1;
import static dev.cloister.machine.Register.A2;
import static dev.cloister.machine.Register.A3;
import static dev.cloister.machine.Register.RESULT;
import static dev.cloister.machine.Register.V0;
import static dev.cloister.machine.Register.V1;
import static dev.cloister.machine.Register.V2;
import static dev.cloister.machine.Register.V3;
import static dev.cloister.machine.Register.V4;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.spec.MountOperation.HideLaunchers;
import dev.cloister.spec.OsString;
import java.util.Map;

/**
 * Finds a launcher in the cache: an executable that the script starts before it would start a JVM.
 *
 * <p>Its arguments are Cloister's own directory and then those of the command line. It ends with 0
 * and prints {@code exec:} and the file to execute, a copy that removes itself; or with {@value
 * #MISS} where a launcher must be compiled, one more if that can be done by this build, as no
 * source is newer; or with 125 and a message where the cache is not as Cloister left it.
 *
 * <p>The cache is always in {@value #PLACE} and the user's number, whatever the environment says:
 * every sandbox that could write to it can then know what to hide.
 */
public final class LookupProgram {
  /** Where the directory of the cache's is, for every user. */
  public static final String PARENT = "/tmp";

  /** The cache's directory is in this one, with the effective user id at its end. */
  public static final String PLACE = PARENT + "/" + HideLaunchers.PREFIX;

  public static final String DIRECTORY = "cache";

  /** What the names of launchers start with. */
  public static final String LAUNCHER = "launcher-";

  static final int MISS = 1;

  private static final int PRIVATE_DIRECTORY = 040700;
  private static final int PRIVATE_FILE = 0100600;
  private static final String BOOT = "/proc/sys/kernel/random/boot_id";
  private static final int SIZE_OF_STATUS = 40; // stx_size of statx(2)

  private final Label name;
  private final LookupParts parts;
  private final Emitter emitter;
  private final Assembler asm;
  private final Routines routines;
  private final LookupKey key;
  private final LookupConditions conditions;
  private final LookupEnvironment environment;
  private final LookupLauncher launcher;
  private final Settings settings;
  private final Label place;
  private final Label placeDescriptor;
  private final Label cacheDescriptor;
  private final Label entry;

  /**
   * What the program is made for.
   *
   * @param build which Cloister this is, as in {@link CacheEntry.Key}
   * @param options those that may be among a cached launcher's, with how many values each has
   * @param conditions what must hold whatever is asked for
   */
  public record Settings(
      Architecture architecture,
      OsString build,
      Map<String, Integer> options,
      CacheConditions conditions) {
    public Settings {
      options = Map.copyOf(options);
    }
  }

  private LookupProgram(Settings settings) {
    this.settings = settings;
    this.parts = new LookupParts(settings.architecture(), settings.build().toString());
    this.emitter = parts.emitter;
    this.asm = parts.asm;
    this.routines = parts.routines;
    this.key = new LookupKey(parts, settings);
    this.conditions = new LookupConditions(parts);
    this.environment = new LookupEnvironment(parts);
    this.place = emitter.data.zeroed(64);
    this.placeDescriptor = emitter.data.zeroed(8);
    this.cacheDescriptor = emitter.data.zeroed(8);
    this.name = emitter.data.zeroed(32);
    this.entry = emitter.data.zeroed(CacheEntry.MAX_SIZE + 16);
    this.launcher = new LookupLauncher(parts, entry, place, placeDescriptor);
  }

  /** Makes the program. */
  public static ElfImage compile(Settings settings) {
    return new LookupProgram(settings).compile();
  }

  private ElfImage compile() {
    start();
    requireCurrent();
    // Who asks for no cache is not told what is wrong with it: the options come first.
    key.write();
    key.writeName(name);
    openDirectories();
    readEntry();
    checkEntry();
    key.requireSame(entry);
    asm.address(A0, entry);
    asm.load(A1, A0, CacheEntry.CONDITIONS_AT, Width.DOUBLE);
    asm.add(A0, A1);
    asm.call(conditions.check);
    environment.requireIntact();
    launcher.write();
    asm.trap();
    emitter.flush();
    conditions.write();
    key.writeRoutines();
    parts.write();
    return ElfImage.link(
        settings.architecture(),
        asm.finish(/* small= */ true),
        emitter.data,
        LauncherNote.of(settings.build().toString()));
  }

  /** Keeps where the arguments and the environment are, and opens Cloister's own directory. */
  private void start() {
    asm.stackPointer(V0);
    asm.load(V1, V0, 0, Width.DOUBLE);
    asm.branch(LESS, V1, 3, parts.miss);
    asm.copy(A0, V0);
    asm.add(A0, 24);
    emitter.storeVariable(emitter.arguments, A0);
    asm.copy(A0, V1);
    asm.shiftLeft(A0, 3);
    asm.add(A0, V0);
    asm.add(A0, 16);
    emitter.storeVariable(emitter.environment, A0);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.load(A1, V0, 16, Width.DOUBLE);
    parts.open(LinuxConstant.O_PATH, LinuxConstant.O_CLOEXEC);
    parts.missIfFailed();
    emitter.storeVariable(parts.home, RESULT);
    emitter.systemCall(SystemCall.GETEUID);
    emitter.storeVariable(parts.user, RESULT);
    routines.blockFileSizeSignal();
  }

  /** First, so that after every miss the script need not look for itself, which takes it longer. */
  private void requireCurrent() {
    asm.address(A0, emitter.data.constant(settings.conditions().bytes(), 8));
    asm.call(conditions.check);
    asm.set(A0, 1);
    emitter.storeVariable(parts.current, A0);
  }

  /** What others put where the user's directory should be is no concern of the user's: a miss. */
  private void openDirectories() {
    asm.address(V3, place);
    routines.append(PLACE);
    emitter.loadVariable(RESULT, parts.user);
    asm.call(routines.appendNumber);
    emitter.set(A0, LinuxConstant.AT_FDCWD);
    asm.address(A1, place);
    openDirectory();
    parts.missIfFailed();
    emitter.storeVariable(placeDescriptor, RESULT);
    parts.requirePrivate(PRIVATE_DIRECTORY, parts.miss);
    Label foreign = complaint("", "is not a directory of this user's alone");
    emitter.loadVariable(A0, placeDescriptor);
    emitter.text(A1, DIRECTORY);
    openDirectory();
    asm.branch(EQUAL, RESULT, -Errno.ENOENT.number(), parts.miss);
    asm.branch(LESS, RESULT, 0, foreign);
    emitter.storeVariable(cacheDescriptor, RESULT);
    parts.requirePrivate(PRIVATE_DIRECTORY, foreign);
  }

  private void openDirectory() {
    parts.open(
        LinuxConstant.O_PATH,
        LinuxConstant.O_DIRECTORY,
        LinuxConstant.O_NOFOLLOW,
        LinuxConstant.O_CLOEXEC);
  }

  /** V2 = the size of the entry, which is in memory now. */
  private void readEntry() {
    Label foreign = complaint("/", "is not a file of this user's alone");
    Label damaged = complaint("/", "is damaged");
    emitter.loadVariable(A0, cacheDescriptor);
    asm.address(A1, name);
    parts.open(
        LinuxConstant.O_RDONLY,
        LinuxConstant.O_NOFOLLOW,
        LinuxConstant.O_NONBLOCK,
        LinuxConstant.O_CLOEXEC);
    asm.branch(EQUAL, RESULT, -Errno.ENOENT.number(), parts.miss);
    asm.branch(LESS, RESULT, 0, foreign);
    asm.copy(V4, RESULT);
    parts.requirePrivate(PRIVATE_FILE, foreign);
    asm.address(A0, parts.status);
    asm.load(V2, A0, SIZE_OF_STATUS, Width.DOUBLE);
    asm.branch(LESS, V2, CacheEntry.KEY_AT, damaged);
    asm.branch(Condition.GREATER_OR_EQUAL, V2, CacheEntry.MAX_SIZE + 1, damaged);
    asm.copy(A0, V4);
    asm.address(A1, entry);
    asm.copy(A2, V2);
    emitter.systemCall(SystemCall.READ);
    asm.branch(NOT_EQUAL, RESULT, V2, damaged);
  }

  private void checkEntry() {
    Label damaged = complaint("/", "is damaged");
    Label loop = new Label();
    Label end = new Label();
    asm.address(A0, entry);
    asm.load(A1, A0, 0, Width.DOUBLE);
    asm.set(A2, CacheEntry.MAGIC);
    asm.branch(NOT_EQUAL, A1, A2, damaged);
    asm.load(A1, A0, CacheEntry.SIZE_AT, Width.DOUBLE);
    asm.branch(NOT_EQUAL, A1, V2, damaged);
    // All that is read has this size, so that the last word is a whole one.
    asm.copy(A1, V2);
    asm.and(A1, 7);
    asm.branch(NOT_EQUAL, A1, 0, damaged);
    asm.copy(A1, A0);
    asm.add(A1, V2);
    asm.add(A1, -8);
    asm.set(A2, 0);
    asm.place(loop);
    asm.branch(EQUAL, A0, A1, end);
    asm.copy(A3, A2);
    asm.shiftLeft(A3, 5);
    asm.add(A2, A3);
    asm.load(A3, A0, 0, Width.DOUBLE);
    asm.add(A2, A3);
    asm.add(A0, 8);
    asm.jump(loop);
    asm.place(end);
    asm.load(A3, A1, 0, Width.DOUBLE);
    asm.branch(NOT_EQUAL, A2, A3, damaged);
  }

  /**
   * Where a cache is refused that somebody changed.
   *
   * @param separator before the entry's name; empty if it is the directory that is wrong
   */
  private Label complaint(String separator, String reason) {
    Label label = new Label();
    emitter.later(
        () -> {
          asm.place(label);
          routines.startMessage();
          routines.append("cloister: ");
          asm.address(A0, place);
          asm.call(routines.appendText);
          routines.append("/" + DIRECTORY + separator);
          if (!separator.isEmpty()) {
            asm.address(A0, name);
            asm.call(routines.appendText);
          }
          routines.append(" " + reason + " (cloister cache clear removes it)\n");
          asm.set(V4, routines.speaker().setUpFailed());
          asm.jump(routines.die);
        });
    return label;
  }

  static String bootFile() {
    return BOOT;
  }
}
