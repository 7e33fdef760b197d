package dev.cloister.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * Looks to the script like a checkout, with a {@code mvn} that takes the build from the {@link
 * Installation} and keeps count. Another one takes the place of {@code java} and writes down what
 * it is started with.
 */
final class Checkout {
  private final CallingUser user;
  private final Path home;
  private final Path tools;

  /** Makes a checkout of {@code user}'s that was never built. */
  Checkout(CallingUser user) throws IOException {
    this.user = user;
    this.home = user.work();
    this.tools = user.work();
    Files.copy(Installation.SCRIPT, script());
    executable(script());
    user.write(home, "pom.xml", "");
    source("core/src/main/java/module-info.java");
    executable(
        user.write(
            tools,
            "mvn",
            """
            #!/bin/sh
            echo 'to standard output'; echo 'to standard error' >&2
            echo "$PWD $*" >>%1$s
            sleep 0.3
            [ ! -e %2$s/broken ] || exit 1
            mkdir -p cli/target/dist
            cp -r %3$s/lib cli/target/dist/
            touch cli/target/dist/stamp
            """
                .formatted(buildLog(), tools, Installation.HOME.resolve("cli/target/dist"))));
  }

  private static void executable(Path file) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  Path home() {
    return home;
  }

  Path script() {
    return home.resolve("cloister");
  }

  Path dist() {
    return home.resolve("cli/target/dist");
  }

  private Path buildLog() {
    return tools.resolve("builds");
  }

  /** A call of this checkout's script by {@code caller}. */
  Call call(CallingUser caller, String... arguments) {
    return caller
        .call(script().toString())
        .and(arguments)
        .env("PATH", path())
        .env("JAVA_HOME", System.getProperty("java.home"));
  }

  Call call(String... arguments) {
    return call(user, arguments);
  }

  /** Where the {@code mvn} is found. */
  String path() {
    return tools + ":/usr/bin:/bin";
  }

  /** How often something was built. */
  int builds() throws IOException {
    return Files.exists(buildLog()) ? Files.readAllLines(buildLog()).size() : 0;
  }

  /** Makes all builds fail. */
  void breakBuild() {
    user.write(tools, "broken", "");
  }

  /** Changes a file, as if after the build. */
  void source(String name) throws IOException {
    Path file = home.resolve(name);
    Path parent = file.resolveSibling("");
    for (int depth = home.getNameCount() + 1; depth <= parent.getNameCount(); depth++) {
      Path directory = Path.of("/").resolve(parent.subpath(0, depth));
      if (!Files.exists(directory)) {
        user.give(Files.createDirectory(directory));
      }
    }
    user.write(parent, String.valueOf(file.getFileName()), "");
    Files.setLastModifiedTime(file, FileTime.from(Instant.now().plus(1, ChronoUnit.MINUTES)));
  }

  /** The source is no newer than the build any more. */
  void age(String name) throws IOException {
    Files.setLastModifiedTime(home.resolve(name), FileTime.from(Instant.EPOCH));
  }

  List<String> caches() throws IOException {
    try (var files = Files.list(dist())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("aot-"))
          .toList();
    }
  }

  /**
   * A JDK that starts the real one, and has it log.
   *
   * @param logging of java(1)'s {@code -Xlog}; appended to {@code log}
   */
  Path jdk(String logging, Path log) throws IOException {
    Path jdk = tools.resolve("jdk");
    user.write(jdk, "release", "JAVA_VERSION=\"25.0.0\"\n");
    executable(
        user.write(
            jdk.resolve("bin"),
            "java",
            """
            #!/bin/sh
            echo "$*" >>%1$s
            for word; do
              shift
              [ "$word" != -Xlog:disable ] || word=-Xlog:disable\\ -Xlog:%2$s:file=%1$s.%%p
              case $word in *\\ *) set -- "$@" ${word} ;; *) set -- "$@" "$word" ;; esac
            done
            exec %3$s/bin/java "$@"
            """
                .formatted(log, logging, System.getProperty("java.home"))));
    return jdk;
  }
}
