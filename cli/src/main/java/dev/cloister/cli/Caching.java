package dev.cloister.cli;

import dev.cloister.host.HostFiles;
import dev.cloister.host.KernelFile;
import dev.cloister.launch.HostConditions;
import dev.cloister.launch.LauncherCache;
import dev.cloister.machine.CacheEntry;
import dev.cloister.machine.ElfImage;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a launcher that is about to be compiled will be kept.
 *
 * @param host what it depends on, which is looked at before anything is decided by it
 */
record Caching(LauncherCache cache, CacheEntry.Key key, HostConditions host) {
  private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");

  /** Set by the script where it wants to know what keeping a launcher takes, but not the entry. */
  private static final String TRAINING = "cloister.training";

  /** These decide where launchers and bubblewrap are looked for. */
  private static final List<String> VARIABLES = List.of("PATH", "TMPDIR", "XDG_RUNTIME_DIR");

  /** Whether all is to be tried, even what will never be found. */
  static boolean training() {
    return Boolean.getBoolean(TRAINING);
  }

  /**
   * Prepares to keep a launcher; empty where it could not be found again, or where there is no
   * place for it.
   *
   * @param command index of the command among the arguments
   */
  static Optional<Caching> of(Invocation invocation, int command, Sandboxing sandboxing) {
    if (!invocation.throughScript()
        || !(invocation.environmentIntact() || training())
        || Boolean.getBoolean(Invocation.REMOVED_PROPERTY)
        || !HostFiles.hasProc()) {
      return Optional.empty();
    }
    Optional<LauncherCache> cache =
        LauncherCache.open(sandboxing.host().caller().uid(), sandboxing.directory());
    Optional<String> boot = KernelFile.read(BOOT);
    if (cache.isEmpty() || boot.isEmpty()) {
      return Optional.empty();
    }
    try {
      CacheEntry.Key key =
          new CacheEntry.Key(
              (boot.get() + "\n").getBytes(StandardCharsets.US_ASCII),
              OsString.of(Sandboxing.programVersion()),
              OsString.of(Path.of("").toAbsolutePath()),
              invocation.arguments().subList(0, command));
      HostConditions host = new HostConditions();
      for (String name : VARIABLES) {
        addVariable(host, invocation, OsString.of(name));
      }
      host.launchers(sandboxing.directory());
      return Optional.of(new Caching(cache.get(), key, host));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static void addVariable(HostConditions host, Invocation invocation, OsString name) {
    Optional<OsString> value = invocation.variable(name);
    if (value.isPresent()) {
      host.conditions().variable(name, value.get());
    } else {
      host.conditions().unset(name);
    }
  }

  /** Adds what a sandbox depends on; empty if that cannot be told. */
  Optional<Caching> with(RunRequest request, Sandboxing.Planned planned, Invocation invocation) {
    try {
      host.sources(request.spec().mounts());
      for (OsString absent : request.absent()) {
        host.conditions().absent(absent);
      }
      for (OsString kept : request.kept()) {
        host.conditions().set(kept);
      }
      return known(planned, invocation) ? Optional.of(this) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private boolean known(Sandboxing.Planned planned, Invocation invocation) throws IOException {
    return switch (planned.choice().strategy().name()) {
      case "bwrap" ->
          host.bwrap(
              planned.choice().host().bwrap().orElseThrow(), Sandboxing.searchPath(invocation));
      // It looks at every link on the way to every path.
      case "landlock" -> false;
      default -> true;
    };
  }

  /** Where the entry will be: a launcher whose set-up fails removes it. */
  OsString file() {
    return OsString.of(cache.file(key));
  }

  void store(ElfImage image, Path launcher) throws IOException {
    cache.store(key, host.conditions(), image, launcher);
    if (training()) {
      Files.deleteIfExists(cache.file(key));
    }
  }
}
