package dev.cloister.examples.judge;

import dev.cloister.sandbox.Capture;
import dev.cloister.sandbox.CaptureLimits;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Compiles and runs submissions, each step in a sandbox of its own, in which nothing of the host's
 * can be changed and nothing of the judge's or of other submissions be seen. Works as root and as
 * anybody else; any thread may use it, and several at once.
 *
 * <p>The limit of memory is one of each process's: only a cgroup ({@link SandboxBuilder#memory})
 * can count them together, and not everybody may make one.
 */
public final class Judge {
  private static final Path WORK = Path.of("/work");

  /** Of a file that a compiler writes, in bytes. */
  private static final long COMPILED = 64L << 20;

  private static final CaptureLimits COMPILER = new CaptureLimits(1 << 16, Duration.ofSeconds(30));

  private final Duration time;
  private final long memory;
  private final int output;

  private Judge(Builder builder) {
    time = builder.time;
    memory = builder.memory;
    output = builder.output;
  }

  /** Limits of two seconds, 64 MiB of memory and 1 MiB of output. */
  public static Builder builder() {
    return new Builder();
  }

  /** What a submission may take. */
  public static final class Builder {
    private Duration time = Duration.ofSeconds(2);
    private long memory = 64L << 20;
    private int output = 1 << 20;

    private Builder() {}

    /** How long a program may run, by the clock on the wall. */
    public Builder timeLimit(Duration limit) {
      time = limit;
      return this;
    }

    /** How much memory a process may have, in bytes; in Java, how large the heap may be. */
    public Builder memoryLimit(long bytes) {
      memory = bytes;
      return this;
    }

    /** How much a program may write, in bytes. */
    public Builder outputLimit(int bytes) {
      output = bytes;
      return this;
    }

    public Judge build() {
      return new Judge(this);
    }
  }

  /**
   * Judges a submission.
   *
   * @throws SandboxException if there can be no such sandbox on this host, or no compiler in it
   * @throws InterruptedException if this thread is interrupted; nothing of the submission goes on
   */
  public Judgement judge(Submission submission) throws IOException, InterruptedException {
    try (WorkDirectory work = WorkDirectory.of(submission)) {
      Capture compilation = compile(submission.language(), work.path());
      if (!compilation.result().isSuccess()) {
        return new Judgement(Verdict.COMPILE_ERROR, compilation.errorText(), Optional.empty());
      }
      Capture run = run(submission, work.path());
      return new Judgement(verdict(submission, run), run.errorText(), Optional.of(run.result()));
    }
  }

  private static Capture compile(Language language, Path work)
      throws IOException, InterruptedException {
    SandboxBuilder builder = language.toCompile(sandbox(language));
    try (Sandbox sandbox = builder.bind(work, WORK).rlimit("fsize", COMPILED).build()) {
      return sandbox.command(language.compiler()).capture(COMPILER);
    }
  }

  /** A program has nothing to write but its output: files in memory would be limited by nothing. */
  private Capture run(Submission submission, Path work) throws IOException, InterruptedException {
    Language language = submission.language();
    SandboxBuilder builder = language.toRun(sandbox(language), memory);
    try (Sandbox sandbox = builder.roBind(work, WORK).rlimit("fsize", 0).build()) {
      return sandbox
          .command(language.program(memory))
          .redirectInput(submission.input().toFile())
          .capture(new CaptureLimits(output, time));
    }
  }

  private static SandboxBuilder sandbox(Language language) throws IOException {
    return HostPrograms.sandbox().chdir(WORK).rlimit("nproc", language.processes());
  }

  private Verdict verdict(Submission submission, Capture run) throws IOException {
    return switch (run.exceeded()) {
      case TIME -> Verdict.TIMEOUT;
      case BYTES -> Verdict.WRONG;
      case NONE -> verdictOnEnd(submission, run);
    };
  }

  private Verdict verdictOnEnd(Submission submission, Capture run) throws IOException {
    if (submission.language().ranOutOfMemory(run, memory)) {
      return Verdict.MEMORY;
    }
    if (!run.result().isSuccess()) {
      return Verdict.CRASH;
    }
    String expected = Files.readString(submission.expected());
    return lines(run.outputText()).equals(lines(expected)) ? Verdict.OK : Verdict.WRONG;
  }

  /** What counts of a text. */
  private static List<String> lines(String text) {
    return text.stripTrailing().lines().map(String::stripTrailing).toList();
  }
}
