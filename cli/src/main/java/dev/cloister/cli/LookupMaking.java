package dev.cloister.cli;

import dev.cloister.ffm.Architecture;
import dev.cloister.machine.CacheConditions;
import dev.cloister.machine.LookupProgram;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * {@code cloister make-lookup FILE HOME}, by which the script makes the program that finds
 * launchers in the cache. That knows this build: it finds nothing once a source changed, or another
 * jar is there.
 */
final class LookupMaking {
  static final String NAME = "make-lookup";
  private static final Path DIST = Path.of("cli", "target", "dist");

  private final Path home;
  private final CacheConditions conditions = new CacheConditions();

  private LookupMaking(Path home) {
    this.home = home;
  }

  static int run(List<OsString> arguments) throws CliException {
    if (arguments.size() != 3) {
      throw new CliException("is the script's own");
    }
    try {
      Path file = Path.of(arguments.get(1).toString());
      new LookupMaking(Path.of(arguments.get(2).toString())).write(file);
      return 0;
    } catch (IOException e) {
      throw new CliException("cannot make " + arguments.get(1) + ": " + e);
    }
  }

  private void write(Path file) throws IOException {
    unchanged(DIST.resolve("stamp"));
    for (String jar : System.getProperty("java.class.path").split(":", -1)) {
      unchanged(DIST.resolve("lib").resolve(Path.of(jar).getFileName()));
    }
    if (Files.exists(home.resolve("pom.xml"))) {
      addSources(nanos(home.resolve(DIST).resolve("stamp")));
    }
    LookupProgram.Settings settings =
        new LookupProgram.Settings(
            Architecture.host(), OsString.of(Sandboxing.programVersion()), options(), conditions);
    Files.write(file, LookupProgram.compile(settings).bytes());
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static Map<String, Integer> options() {
    Map<String, Integer> options = new HashMap<>();
    for (EnvOption option : EnvOption.values()) {
      options.put(option.word(), option.operands().size());
    }
    for (RunOption option : RunOption.values()) {
      if (option.cacheable()) {
        options.put(option.word(), option.operands().size());
      }
    }
    CliOption prefix = BwrapOption.LEVEL_PREFIX;
    options.put(prefix.word(), prefix.operands().size());
    return options;
  }

  private void unchanged(Path file) throws IOException {
    conditions.sameTime(OsString.of(file), nanos(home.resolve(file)));
  }

  /**
   * Those that the script looks at: a build is out of date once one of them is newer. What is not
   * there yet would be.
   */
  private void addSources(long built) throws IOException {
    notNewer(home.resolve("pom.xml"), built);
    List<Path> modules;
    try (Stream<Path> all = Files.list(home)) {
      modules = all.filter(Files::isDirectory).toList();
    }
    for (Path module : modules) {
      notNewer(module.resolve("pom.xml"), built);
      Path sources = module.resolve("src/main/java");
      notNewer(sources, built);
      if (Files.isDirectory(sources)) {
        addTree(sources, built);
      }
    }
  }

  private void addTree(Path sources, long built) throws IOException {
    List<Path> files;
    try (Stream<Path> tree = Files.walk(sources)) {
      files = tree.filter(f -> Files.isDirectory(f) || f.toString().endsWith(".java")).toList();
    }
    for (Path file : files) {
      notNewer(file, built);
    }
  }

  private void notNewer(Path file, long built) {
    conditions.notNewer(OsString.of(home.relativize(file)), built);
  }

  private static long nanos(Path file) throws IOException {
    return Files.getLastModifiedTime(file).to(TimeUnit.NANOSECONDS);
  }
}
