package dev.cloister.cli;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Who calls Cloister: the user who runs the tests and, where that is root, somebody unprivileged.
 *
 * @param current whether that is the user of this process
 */
record CallingUser(long uid, boolean current) {
  static final long UNPRIVILEGED = 65534;

  /** The user of this process. */
  static CallingUser own() {
    try {
      int uid = (Integer) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
      return new CallingUser(Integer.toUnsignedLong(uid), true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Everybody the tests can be. */
  static List<CallingUser> all() {
    List<CallingUser> users = new ArrayList<>(List.of(own()));
    if (own().uid() == 0) {
      users.add(new CallingUser(UNPRIVILEGED, false));
    }
    return users;
  }

  boolean isRoot() {
    return uid == 0;
  }

  /** What turns this process's user into this one. */
  List<String> become() {
    if (current) {
      return List.of();
    }
    String id = Long.toString(uid);
    return List.of(
        Required.program("setpriv"), "--reuid", id, "--regid", id, "--clear-groups", "--");
  }

  /** Any command as this user. */
  Call call(String... command) {
    return new Call(this, List.of(command));
  }

  /** A shell script as this user, outside of any sandbox. */
  Call shell(String script) {
    return call("sh", "-c", script);
  }

  /** The real command line as this user. */
  Call cloister(String... arguments) {
    List<String> command = new ArrayList<>(List.of(Installation.SCRIPT.toString()));
    command.addAll(List.of(arguments));
    return new Call(this, command);
  }

  /** The same as {@code cloister bwrap}. */
  Call bwrap(String... arguments) {
    return cloister("bwrap").and(arguments);
  }

  private Path place() {
    return Installation.BASE.resolve(Long.toString(uid));
  }

  Path home() {
    return existing(place().resolve("home"));
  }

  Path temporary() {
    return existing(place().resolve("tmp"));
  }

  /** A new empty directory of this user's. */
  Path work() {
    try {
      existing(place());
      return give(Files.createTempDirectory(place(), "work"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path existing(Path directory) {
    try {
      for (Path each : List.of(place(), directory)) {
        if (!Files.exists(each)) {
          give(Files.createDirectory(each));
        }
      }
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a file this user's. */
  Path give(Path file) throws IOException {
    if (!current) {
      Files.setAttribute(file, "unix:uid", (int) uid);
      Files.setAttribute(file, "unix:gid", (int) uid);
    }
    if (Files.isDirectory(file)) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
    return file;
  }

  /** A new file of this user's, in {@code directory}, which is made if it is missing. */
  Path write(Path directory, String name, String text) {
    try {
      return give(Files.writeString(existing(directory).resolve(name), text));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where the launchers of this user are written. */
  Path launcherDirectory() {
    return temporary().resolve("cloister-" + uid);
  }

  /** The launchers that were not removed. */
  List<String> launchers() {
    if (!Files.exists(launcherDirectory())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(launcherDirectory())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals("verdicts"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return uid == 0 ? "root" : "uid " + uid;
  }
}
