package dev.cloister.launch;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.SmallFiles;
import dev.cloister.machine.ElfImage;
import dev.cloister.machine.LookupProgram;
import dev.cloister.spec.MountOperation.HideLaunchers;
import dev.cloister.spec.OsString;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A directory only its owner can look into or change, for launchers.
 *
 * <p>It lies in directories where others can write too, so it is never taken on trust: a link,
 * another owner or any permission for others, and the next place is tried.
 */
public final class PrivateDirectory {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      Set.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);
  private static final FileAttribute<Set<PosixFilePermission>> NEW =
      PosixFilePermissions.asFileAttribute(OWNER_ONLY);
  private static final String PREFIX = LookupProgram.LAUNCHER;

  /** A launcher removes itself when it starts; one this old never did. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private final Path path;

  private PrivateDirectory(Path path) {
    this.path = path;
  }

  public Path path() {
    return path;
  }

  /**
   * Where launchers may lie, best first.
   *
   * @param environment of the caller
   */
  public static List<Path> places(Map<String, String> environment) {
    List<Path> places = new ArrayList<>();
    for (String variable : List.of("XDG_RUNTIME_DIR", "TMPDIR")) {
      String value = environment.get(variable);
      if (value != null && value.startsWith("/")) {
        places.add(Path.of(value));
      }
    }
    places.addAll(List.of(Path.of("/tmp"), Path.of("/dev/shm"), Path.of("/var/tmp")));
    return places;
  }

  /** What the directory of user {@code uid} is called, wherever it lies. */
  public static String name(long uid) {
    return HideLaunchers.PREFIX + Long.toUnsignedString(uid);
  }

  /** The directory of user {@code uid} in the first of these places where it can be trusted. */
  public static Optional<PrivateDirectory> in(List<Path> places, long uid) {
    for (Path place : places) {
      Optional<PrivateDirectory> directory = in(place, uid);
      if (directory.isPresent()) {
        return directory;
      }
    }
    return Optional.empty();
  }

  /** Opens or makes the directory of user {@code uid} in {@code place}, if that can be trusted. */
  public static Optional<PrivateDirectory> in(Path place, long uid) {
    Path path = place.resolve(name(uid));
    // One that is there already may have become read-only.
    return makePrivate(path, uid) && Files.isWritable(path) && allowsExecution(path)
        ? Optional.of(new PrivateDirectory(path))
        : Optional.empty();
  }

  /** Makes a directory, unless it is there: whether only user {@code uid} can do anything in it. */
  static boolean makePrivate(Path path, long uid) {
    if (isPrivate(path, uid)) {
      return true;
    }
    try {
      make(path);
      return isPrivate(path, uid);
    } catch (IOException e) {
      // Something else is there, or another process has just made it.
      return isPrivate(path, uid);
    }
  }

  /**
   * Makes a directory that only its owner can do anything in.
   *
   * @throws IOException if that cannot be, or something is there already
   */
  static void make(Path path) throws IOException {
    Files.createDirectory(path, NEW);
    allowOwner(path);
  }

  static boolean isPrivate(Path path, long uid) {
    try {
      Map<String, Object> attributes =
          Files.readAttributes(path, "unix:uid,mode", LinkOption.NOFOLLOW_LINKS);
      int privateDirectory = 040700;
      // Java has the unsigned uid in a signed int.
      return Integer.valueOf((int) uid).equals(attributes.get("uid"))
          && Integer.valueOf(privateDirectory).equals(attributes.get("mode"));
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * Whether files can be executed here. Asked of a file: of a directory, access(2) does not say
   * whether its mount has {@code noexec}.
   */
  private static boolean allowsExecution(Path path) {
    try {
      Path file = new PrivateDirectory(path).reserve();
      boolean allowed = file.toFile().canExecute();
      Files.deleteIfExists(file);
      return allowed;
    } catch (IOException e) {
      // No launcher could be written here, either.
      return false;
    }
  }

  /**
   * Makes an empty file under a name nobody has. The caller removes it. The name may be guessed:
   * only the owner can do anything with it.
   */
  public Path reserve() throws IOException {
    return reserve(0);
  }

  /**
   * The same.
   *
   * @param digits how many digits the name ends with, at least
   */
  Path reserve(int digits) throws IOException {
    while (true) {
      String number = Long.toString(System.nanoTime());
      String zeros = "0".repeat(Math.max(0, digits - number.length()));
      Path file = path.resolve(PREFIX + zeros + number);
      // Else another process's clock said the same.
      if (file.toFile().createNewFile()) {
        allowOwner(file);
        return file;
      }
    }
  }

  /** A umask(2) can take permissions from the owner, too. */
  private static void allowOwner(Path path) throws IOException {
    Files.setPosixFilePermissions(path, OWNER_ONLY);
  }

  /** Writes an executable to a reserved file. */
  public void write(Path file, ElfImage image) throws IOException {
    SmallFiles.write(file, image.bytes());
  }

  /**
   * An executable that has no name any more, for hosts that execute no memory files. It is gone
   * with its descriptor.
   */
  public Descriptor unnamed(ElfImage image) throws IOException {
    Path file = reserve();
    try {
      write(file, image);
      return Descriptor.open(OsString.of(file).bytes(), LinuxConstant.O_RDONLY);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  /** Removes files that were reserved and never used up. */
  public void removeAbandoned() {
    long limit = System.currentTimeMillis() - ABANDONED.toMillis();
    File[] files = path.toFile().listFiles();
    if (files == null) {
      return;
    }
    try {
      for (File file : files) {
        if (file.getName().startsWith(PREFIX) && file.lastModified() < limit) {
          Files.deleteIfExists(file.toPath());
        }
      }
    } catch (IOException e) {
      // Another process cleans up at the same time, or the next one will.
    }
  }
}
