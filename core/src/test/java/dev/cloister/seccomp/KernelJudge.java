package dev.cloister.seccomp;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** The kernel's own opinion on filters; see {@code judge.c}. */
final class KernelJudge {
  private final Path directory;
  private final Path program;

  /** Compiles it into a directory. */
  KernelJudge(Path directory) throws Exception {
    this.directory = directory;
    this.program = directory.resolve("judge");
    Path source = Path.of(Objects.requireNonNull(getClass().getResource("judge.c")).toURI());
    Process gcc =
        new ProcessBuilder(
                Required.program("gcc"),
                "-Wall",
                "-Wextra",
                "-Werror",
                "-o",
                program.toString(),
                source.toString())
            .inheritIO()
            .start();
    assertEquals(0, gcc.waitFor(), "gcc");
  }

  /** The errno of each filter; 0 if it was installed. */
  List<Integer> errnos(List<byte[]> filters) throws IOException, InterruptedException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] filter : filters) {
      int length = filter.length / Bpf.INSTRUCTION_SIZE;
      all.write(length);
      all.write(length >> 8);
      all.writeBytes(filter);
    }
    Path input = Files.write(directory.resolve("filters"), all.toByteArray());
    Path output = directory.resolve("errnos");
    Process judge =
        new ProcessBuilder(program.toString())
            .redirectInput(input.toFile())
            .redirectOutput(output.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals(0, judge.waitFor(), "judge");
    return Files.readAllLines(output).stream().map(Integer::valueOf).toList();
  }
}
