package dev.cloister.cli;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** A program in C beside the tests, compiled. */
final class CProgram {
  private CProgram() {}

  /** The executable of {@code name.c}, where every user can read it. */
  static Path compile(String name) {
    Path source = Installation.resource(name + ".c");
    Path program = Installation.BASE.resolve(name);
    try {
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
      if (gcc.waitFor() != 0) {
        throw new AssertionError("gcc cannot compile " + source);
      }
      return program;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
