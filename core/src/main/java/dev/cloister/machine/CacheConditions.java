package dev.cloister.machine;

import dev.cloister.spec.OsString;
import java.util.Arrays;

/**
 * What must still be so for a launcher from the cache to be the one that would be compiled now: a
 * table that {@link LookupProgram} goes through without knowing what any of it is about.
 *
 * <p>Each record holds its size and kind, where its value lies, flags, six numbers, and a path or a
 * name; see the constants for where.
 */
public final class CacheConditions {
  /** A file as a whole. */
  static final int CONTENT = 1;

  /** Lines of a file, in their order, with whatever between them. */
  static final int LINES = 2;

  /** What a symbolic link says. */
  static final int LINK = 3;

  /** What statx(2) says of a file. */
  static final int STATUS = 4;

  /** A variable of the caller's. */
  static final int VARIABLE = 5;

  /** Where a path leads, all links followed. */
  static final int REAL_PATH = 6;

  /** Changes at a time or before. */
  static final int NOT_NEWER = 7;

  /** Changed last at this very time. */
  static final int SAME_TIME = 8;

  static final int SIZE_AT = 0;
  static final int KIND_AT = 4;
  static final int VALUE_AT = 8;
  static final int FLAGS_AT = 12;
  static final int LENGTH_AT = 16;
  static final int DEVICE_AT = 24;
  static final int INODE_AT = 32;
  static final int SECONDS_AT = 40;
  static final int NANOS_AT = 48;
  static final int TYPE_AT = 56;
  static final int PATH_AT = 64;

  /** The path is relative to Cloister's own directory. */
  static final int AT_HOME = 1;

  static final int COMPARE_IDENTITY = 4;
  static final int COMPARE_CHANGE = 8;
  static final int COMPARE_TYPE = 16;
  static final int ONLY_SET = 32;

  /** In place of a value's length where there is none. */
  static final long ABSENT = -1;

  private static final byte[] NOTHING = {};

  private final ByteBuilder table = new ByteBuilder();

  /** One record's numbers; most need but a few. */
  private record Numbers(
      int flags, long length, long device, long inode, long seconds, long nanos, long type) {
    static Numbers length(int flags, long length) {
      return new Numbers(flags, length, 0, 0, 0, 0, 0);
    }
  }

  /**
   * The bytes that can be read from this file, with one read(2), are these.
   *
   * @param absent whether there are none because it cannot be read
   */
  public CacheConditions content(String file, byte[] bytes, boolean absent) {
    Numbers numbers = Numbers.length(0, absent ? ABSENT : bytes.length);
    return add(CONTENT, numbers, OsString.of(file), bytes);
  }

  /**
   * A file has these lines, in this order.
   *
   * @param lines each with the line breaks before and behind it, and a NUL; another NUL at the end
   */
  public CacheConditions lines(String file, byte[] lines) {
    return add(LINES, Numbers.length(0, lines.length), OsString.of(file), lines);
  }

  /** A symbolic link says this; empty for what is none. */
  public CacheConditions link(String link, OsString target) {
    long length = target.isEmpty() ? ABSENT : target.length();
    return add(LINK, Numbers.length(0, length), OsString.of(link), target.bytes());
  }

  /** There is no such file. */
  public CacheConditions absent(OsString path) {
    return add(STATUS, Numbers.length(0, ABSENT), path, NOTHING);
  }

  /**
   * A file is still the same.
   *
   * @param device as {@code st_dev} of stat(3type)
   * @param changed its last change of status, in nanoseconds since the epoch
   */
  public CacheConditions same(OsString path, long device, long inode, long changed) {
    return add(
        STATUS,
        new Numbers(
            COMPARE_IDENTITY | COMPARE_CHANGE,
            0,
            statxDevice(device),
            inode,
            Math.floorDiv(changed, 1_000_000_000L),
            Math.floorMod(changed, 1_000_000_000L),
            0),
        path,
        NOTHING);
  }

  /** A path leads to this file, which is a directory or is none. */
  public CacheConditions source(OsString path, OsString realPath, boolean directory) {
    add(REAL_PATH, Numbers.length(0, realPath.length()), path, realPath.bytes());
    long type = directory ? 1 : 0;
    return add(STATUS, new Numbers(COMPARE_TYPE, 0, 0, 0, 0, 0, type), path, NOTHING);
  }

  /** A variable has this value. */
  public CacheConditions variable(OsString name, OsString value) {
    return variable(name, Numbers.length(0, value.length()), value.bytes());
  }

  /** A variable is not set. */
  public CacheConditions unset(OsString name) {
    return variable(name, Numbers.length(0, ABSENT), NOTHING);
  }

  /** A variable is set, to whatever. */
  public CacheConditions set(OsString name) {
    return variable(name, Numbers.length(ONLY_SET, 0), NOTHING);
  }

  private CacheConditions variable(OsString name, Numbers numbers, byte[] value) {
    return add(VARIABLE, numbers, name.concat(OsString.of("=")), value);
  }

  /**
   * A file of Cloister's was not changed after a time.
   *
   * @param path relative to its directory
   * @param nanos since the epoch
   */
  public CacheConditions notNewer(OsString path, long nanos) {
    return add(NOT_NEWER, time(nanos), path, NOTHING);
  }

  /** The same for one that was changed at that very time. */
  public CacheConditions sameTime(OsString path, long nanos) {
    return add(SAME_TIME, time(nanos), path, NOTHING);
  }

  private static Numbers time(long nanos) {
    long second = 1_000_000_000L;
    return new Numbers(
        AT_HOME, 0, 0, 0, Math.floorDiv(nanos, second), Math.floorMod(nanos, second), 0);
  }

  private CacheConditions add(int kind, Numbers numbers, OsString path, byte[] value) {
    int valueAt = PATH_AT + path.length() + 1;
    int size = valueAt + value.length + 8 & -8;
    table.u32(size).u32(kind).u32(valueAt).u32(numbers.flags());
    table.u64(numbers.length()).u64(numbers.device()).u64(numbers.inode());
    table.u64(numbers.seconds()).u64(numbers.nanos()).u64(numbers.type());
    table.bytes(path.bytes()).u8(0).bytes(value).u8(0).align(8);
    return this;
  }

  /** The table, with its end. */
  byte[] bytes() {
    byte[] bytes = table.toArray();
    return Arrays.copyOf(bytes, bytes.length + 8);
  }

  /** The same number as two halves, as struct statx has it: the major one first (makedev(3)). */
  private static long statxDevice(long device) {
    long major = ((device >> 8) & 0xfff) | ((device >> 32) & ~0xfffL);
    long minor = (device & 0xff) | ((device >> 12) & ~0xffL);
    return (major & 0xffff_ffffL) | (minor << 32);
  }
}
