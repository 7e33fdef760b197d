package dev.cloister.strategies;

import dev.cloister.ffm.ResourceUsage;
import dev.cloister.sandbox.Capture;
import dev.cloister.sandbox.CaptureLimits;
import dev.cloister.sandbox.Result;
import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxProcess;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * What {@code docs/library.md}, the README and the Javadoc show: {@link LibrarySnippetsTest} runs
 * it, and compares it with what stands there.
 */
final class LibrarySnippets {
  private LibrarySnippets() {}

  static int run() throws Exception {
    // @start region="run"
    try (Sandbox sandbox = Sandbox.builder().preset("host").unshareNet().build()) {
      SandboxProcess process = sandbox.command("sh", "-c", "ls /; exit 42").start();
      process.inputReader().lines().forEach(System.out::println);
      return process.waitFor();
    }
    // @end
  }

  static Capture compile(Path work) throws Exception {
    // @start region="compile"
    SandboxBuilder builder =
        Sandbox.builder()
            .preset("host") // the host's programs, read-only
            .bind(work, Path.of("/work"))
            .chdir(Path.of("/work"))
            .unshareAll() // no network, and no other processes
            .uid(65534) // where root does this: files that only root may read
            .gid(65534)
            .clearEnv()
            .setEnv("PATH", "/usr/bin:/bin")
            .seccomp()
            .newSession()
            .dieWithParent()
            .rlimit("as", 1L << 30)
            .rlimit("fsize", 100L << 20);
    try (Sandbox sandbox = builder.build()) {
      return sandbox
          .command("gcc", "-pipe", "-o", "program", "main.c")
          .capture(new CaptureLimits(100_000, Duration.ofSeconds(30)));
    }
    // @end
  }

  static String judge(Sandbox sandbox, Path input, long memory) throws Exception {
    // @start region="judge"
    Capture run =
        sandbox
            .command("/work/program")
            .redirectInput(input.toFile())
            .capture(new CaptureLimits(1 << 20, Duration.ofSeconds(2)));
    ResourceUsage usage = run.result().usage();
    return switch (run.exceeded()) {
      case TIME -> "too slow";
      case BYTES -> "too much output";
      case NONE -> usage.maxResidentBytes() > memory ? "too much memory" : run.outputText();
    };
    // @end
  }

  static List<String> build(Path project, List<List<String>> actions) throws Exception {
    // @start region="build"
    CaptureLimits limits = new CaptureLimits(1 << 20, Duration.ofMinutes(10));
    SandboxBuilder builder = Sandbox.builder().preset("host").bind(project).unsharePid();
    try (Sandbox sandbox = builder.build();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      sandbox.prewarm(4);
      List<Future<Capture>> running = new ArrayList<>();
      for (List<String> action : actions) {
        running.add(
            threads.submit(() -> sandbox.command(action).directory(project).capture(limits)));
      }
      List<String> outputs = new ArrayList<>();
      for (Future<Capture> each : running) {
        outputs.add(each.get().outputText());
      }
      return outputs;
    }
    // @end
  }

  static String converse(Sandbox sandbox) throws Exception {
    // @start region="converse"
    SandboxCommand command = sandbox.command("sort", "-r").redirectError(Redirect.INHERIT);
    command.environment().put("LC_ALL", "C");
    SandboxProcess process = command.start();
    try (Writer input = process.outputWriter(StandardCharsets.UTF_8)) {
      input.write("one\ntwo\n");
    }
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    // @end
  }

  static String explain(Sandbox sandbox, String name) throws Exception {
    // @start region="errors"
    try {
      return "ended with " + sandbox.command(name).start().waitFor();
    } catch (SandboxException e) {
      String hint = e.hint().map(text -> " - " + text).orElse("");
      return switch (e.phase()) {
        case BUILD, SPAWN, SET_UP -> "no sandbox: " + e.getMessage();
        case COMMAND -> "no command: " + e.errno().map(Enum::name).orElse("?") + hint;
      };
    }
    // @end
  }

  static Result end(SandboxProcess process) throws Exception {
    // @start region="end"
    process.destroy(); // SIGTERM
    if (!process.waitFor(5, TimeUnit.SECONDS)) {
      process.destroyForcibly(); // SIGKILL, which nobody survives
    }
    return process.await();
    // @end
  }
}
