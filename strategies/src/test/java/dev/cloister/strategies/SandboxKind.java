package dev.cloister.strategies;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The ways in which a sandboxed process can come about, between which a user sees no difference.
 */
enum SandboxKind {
  PIVOT_ROOT("pivot_root", false),
  PIVOT_ROOT_WITH_INIT("pivot_root", true),
  CHROOT("chroot", false),
  CHROOT_WITH_INIT("chroot", true),
  BWRAP("bwrap", false),
  BWRAP_WITH_INIT("bwrap", true),
  LANDLOCK("landlock", false);

  private static final String[] IN_PLACE = {"/usr", "/bin", "/lib", "/lib64", "/etc", "/proc"};

  private static final Map<SandboxKind, Sandbox> SHARED = new HashMap<>();

  private final String strategy;
  private final boolean hasInit;

  SandboxKind(String strategy, boolean hasInit) {
    this.strategy = strategy;
    this.hasInit = hasInit;
  }

  static Stream<SandboxKind> withInit() {
    return Stream.of(values()).filter(SandboxKind::hasInit);
  }

  static Stream<SandboxKind> withoutInit() {
    return Stream.of(values()).filter(kind -> !kind.hasInit);
  }

  /** Those whose view is made of mounts. */
  static Stream<SandboxKind> withMounts() {
    return Stream.of(values()).filter(kind -> kind != LANDLOCK);
  }

  /** Those whose mounts no other program makes. */
  static Stream<SandboxKind> madeByLaunchers() {
    return withMounts().filter(kind -> !kind.strategy.equals("bwrap"));
  }

  /** Those of which a launcher waits in each that is set up. */
  static Stream<SandboxKind> waitingAsProcesses() {
    return Stream.of(values()).filter(kind -> !kind.waitsAsNamespaces());
  }

  /** Those that are nothing but namespaces until they have a command. */
  static Stream<SandboxKind> waitingAsNamespaces() {
    return Stream.of(values()).filter(SandboxKind::waitsAsNamespaces);
  }

  private boolean waitsAsNamespaces() {
    return this == PIVOT_ROOT || this == CHROOT;
  }

  String strategy() {
    return strategy;
  }

  /** Whether it has a pid namespace, whose init waits for the command. */
  boolean hasInit() {
    return hasInit;
  }

  /** Whether a signal that ended the command shows as status 128+n, as bubblewrap has it. */
  boolean hidesSignals() {
    return this == BWRAP;
  }

  /** Programs and the kernel's file systems, as far as they exist. */
  SandboxBuilder builder() {
    SandboxBuilder builder = Sandbox.builder().strategy(strategy);
    if (this == LANDLOCK) {
      for (String path : IN_PLACE) {
        if (Files.exists(Path.of(path))) {
          builder.bind(Path.of(path));
        }
      }
      return builder.devBind(Path.of("/dev"));
    }
    builder.preset("host");
    return hasInit ? builder.unsharePid() : builder;
  }

  /** Builds {@link #sandbox} of each kind. */
  static void buildAll() throws SandboxException {
    for (SandboxKind kind : values()) {
      kind.sandbox();
    }
  }

  /** One that all tests use, and none closes: it never changes. */
  Sandbox sandbox() throws SandboxException {
    synchronized (SHARED) {
      Sandbox known = SHARED.get(this);
      if (known != null) {
        return known;
      }
      Sandbox sandbox = builder().build();
      // What a JVM opens once and keeps is open from now on, and no test takes it for a leak.
      sandbox.command("/bin/true").start().onExit().join();
      SHARED.put(this, sandbox);
      return sandbox;
    }
  }

  /** Lets a shell in it run a script. */
  SandboxProcess start(String script) throws SandboxException {
    return sandbox().command("/bin/sh", "-c", script).start();
  }
}
