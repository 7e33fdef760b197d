package dev.cloister.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * A copy of the script and of what was packaged, where every user can read it; the checkout may lie
 * in somebody's home. Without a {@code pom.xml} beside it the script never builds.
 */
final class Installation {
  /** Everything the tests write is below this, and goes when they end. */
  static final Path BASE = makeBase();

  /** The directory to mount for a Cloister inside a sandbox. */
  static final Path HOME = copy();

  static final Path SCRIPT = HOME.resolve("cloister");

  private Installation() {}

  private static Path makeBase() {
    try {
      Path base = Files.createTempDirectory("cloister-it").toRealPath();
      Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxr-xr-x"));
      Runtime.getRuntime().addShutdownHook(new Thread(() -> removeTree(base)));
      return base;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path copy() {
    Path checkout = Path.of("..").toAbsolutePath().normalize();
    Path home = BASE.resolve("installation");
    Path dist = Path.of("cli", "target", "dist");
    try {
      Files.createDirectories(home.resolve("cli/target"));
      copyTree(checkout.resolve(dist), home.resolve(dist));
      Files.copy(
          checkout.resolve("cloister"),
          home.resolve("cloister"),
          StandardCopyOption.COPY_ATTRIBUTES);
      makeCache(home);
      return home;
    } catch (IOException e) {
      throw new UncheckedIOException("not packaged? These tests run after mvn package", e);
    }
  }

  /** The first start makes a cache for the others, if it is its owner's. */
  private static void makeCache(Path home) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(home.resolve("cloister").toString(), "--version");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("TMPDIR", BASE.toString());
    builder.redirectErrorStream(true).start().getInputStream().readAllBytes();
  }

  private static void copyTree(Path from, Path to) throws IOException {
    List<Path> files;
    try (Stream<Path> tree = Files.walk(from)) {
      files = tree.toList();
    }
    for (Path file : files) {
      // A cache is good for the class path it was made with.
      if (file.getFileName().toString().startsWith("aot-")) {
        continue;
      }
      Path copy = to.resolve(from.relativize(file).toString());
      Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  /** What {@code java -cp} needs. */
  static String classPath() {
    return HOME.resolve("cli/target/dist/lib") + "/*";
  }

  /** A copy of a file beside the tests' classes, which every user can read. */
  static Path resource(String name) {
    try (InputStream source = Installation.class.getResourceAsStream(name)) {
      Path copy = BASE.resolve(name);
      return Files.write(copy, Objects.requireNonNull(source, name).readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes what can be removed: a test may have left something that is still in use. */
  private static void removeTree(Path root) {
    List<Path> files;
    try (Stream<Path> tree = Files.walk(root)) {
      files = tree.sorted(Comparator.reverseOrder()).toList();
    } catch (IOException | UncheckedIOException e) {
      return;
    }
    for (Path file : files) {
      if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
        boolean removed = file.toFile().delete();
        if (!removed) {
          System.err.println("cannot remove " + file);
        }
      }
    }
  }
}
