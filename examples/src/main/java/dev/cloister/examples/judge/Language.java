package dev.cloister.examples.judge;

import dev.cloister.sandbox.Capture;
import dev.cloister.sandbox.SandboxBuilder;
import java.nio.file.Path;
import java.util.List;

/** How programs are compiled and run, and what running out of memory looks like. */
public enum Language {
  /** C, by gcc. */
  C(".c", "main.c", 32) {
    // Of address space, for the libraries and what the allocator does not hand out.
    private static final long SLACK = 64L << 20;

    // Of address space: a source can include a file that never ends.
    private static final long COMPILER = 512L << 20;

    // Between its own programs it passes files.
    @Override
    SandboxBuilder toCompile(SandboxBuilder sandbox) {
      return sandbox.rlimit("as", COMPILER).setEnv("TMPDIR", ".");
    }

    @Override
    List<String> compiler() {
      return List.of("gcc", "-pipe", "-std=c17", "-O2", "-o", "main", fileName(), "-lm");
    }

    @Override
    SandboxBuilder toRun(SandboxBuilder sandbox, long memory) {
      return sandbox.rlimit("as", memory + SLACK);
    }

    @Override
    List<String> program(long memory) {
      return List.of("/work/main");
    }

    @Override
    boolean ranOutOfMemory(Capture run, long memory) {
      return run.result().usage().maxResidentBytes() > memory;
    }
  },

  /** Java, by the JDK that runs this; the time of a JVM's start is the program's. */
  JAVA(".java", "Main.java", 256) {
    // For the JVM itself; and for what a program allocates outside of the heap.
    private static final long JVM = 256L << 20;

    private static final String OUT_OF_MEMORY = "java.lang.OutOfMemoryError";

    @Override
    SandboxBuilder toCompile(SandboxBuilder sandbox) {
      return HostPrograms.withJava(sandbox);
    }

    @Override
    List<String> compiler() {
      String javac = HostPrograms.JDK.resolve("bin/javac").toString();
      // An annotation processor would be a program that runs before any judge looks.
      return List.of(javac, "-J-Xmx256m", "-J-XX:-UsePerfData", "-proc:none", fileName());
    }

    // Not of address space: a JVM reserves far more than it uses, and that counts as no data.
    @Override
    SandboxBuilder toRun(SandboxBuilder sandbox, long memory) {
      return HostPrograms.withJava(sandbox).rlimit("data", memory + JVM);
    }

    @Override
    List<String> program(long memory) {
      return List.of(
          HostPrograms.JDK.resolve("bin/java").toString(),
          "-Xmx" + memory,
          "-XX:+UseSerialGC",
          "-XX:-UsePerfData",
          "-XX:+ExitOnOutOfMemoryError",
          "-XX:+DisplayVMOutputToStderr",
          "-cp",
          "/work",
          "Main");
    }

    @Override
    boolean ranOutOfMemory(Capture run, long memory) {
      return !run.result().isSuccess() && run.errorText().contains(OUT_OF_MEMORY);
    }
  };

  private final String suffix;
  private final String fileName;
  private final int processes;

  Language(String suffix, String fileName, int processes) {
    this.suffix = suffix;
    this.fileName = fileName;
    this.processes = processes;
  }

  /**
   * The language that a source's name says.
   *
   * @throws IllegalArgumentException if it says none of these
   */
  public static Language of(Path source) {
    for (Language language : values()) {
      if (source.toString().endsWith(language.suffix)) {
        return language;
      }
    }
    throw new IllegalArgumentException("of no known language: " + source);
  }

  /** What the compiler wants the source to be called. */
  String fileName() {
    return fileName;
  }

  /** How many processes and threads it takes at most, with some to spare for the program. */
  int processes() {
    return processes;
  }

  /** Adds to a sandbox for programs what the compiler needs, and its limits. */
  abstract SandboxBuilder toCompile(SandboxBuilder sandbox);

  /** The command that compiles the source, in its directory. */
  abstract List<String> compiler();

  /** Adds to a sandbox for programs what these need, and their limit of memory in bytes. */
  abstract SandboxBuilder toRun(SandboxBuilder sandbox, long memory);

  /** The command that runs what was compiled. */
  abstract List<String> program(long memory);

  /** Whether a program that ended by itself took more memory than that. */
  abstract boolean ranOutOfMemory(Capture run, long memory);
}
