package dev.cloister.ffm;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Claims about the C headers of an architecture, checked by its compiler. Nothing is run, so a
 * cross compiler will do.
 */
final class CHeaders {
  private final Architecture architecture;
  private final StringBuilder source = new StringBuilder();

  private CHeaders(Architecture architecture) {
    this.architecture = architecture;
  }

  /**
   * Claims about what a header of {@code src/main/jextract} declares. Skips the test without a
   * compiler, or with headers too old to declare everything.
   */
  static CHeaders of(Architecture architecture, String header)
      throws IOException, InterruptedException {
    CHeaders probe = new CHeaders(architecture);
    probe.source.append("#include <features.h>\n");
    probe.claim("__GLIBC_PREREQ(2, 36)");
    Required.that(probe.errors().isEmpty(), "glibc 2.36 or newer for " + architecture);
    CHeaders headers = new CHeaders(architecture);
    headers.source.append("#include <stddef.h>\n#include \"").append(header).append("\"\n");
    return headers;
  }

  /** Forgets a macro: glibc has some with the names of the nested members they stand for. */
  void undefine(String macro) {
    source.append("#undef ").append(macro).append('\n');
  }

  /** Claims that a constant expression is true. */
  void claim(String expression) {
    String text = expression.replace("\"", "");
    source
        .append("_Static_assert(")
        .append(expression)
        .append(", \"")
        .append(text)
        .append("\");\n");
  }

  /** Claims the value of a constant. */
  void claimValue(String type, String expression, long value) {
    claim("(%s)(%s) == %dLL".formatted(type, expression, value));
  }

  /** What the compiler objects to; empty if every claim is true. */
  String errors() throws IOException, InterruptedException {
    Process compiler = start();
    try (var input = compiler.getOutputStream()) {
      input.write(source.toString().getBytes(StandardCharsets.UTF_8));
    }
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return compiler.waitFor() == 0 ? "" : "the compiler failed\n" + output;
  }

  private Process start() {
    List<String> command =
        List.of(compiler(), "-fsyntax-only", "-x", "c", "-I", Symbol.DIRECTORY.toString(), "-");
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      Required.that(false, command.getFirst());
      throw new AssertionError(e);
    }
  }

  private String compiler() {
    return architecture == Architecture.host()
        ? "gcc"
        : architecture.name().toLowerCase(Locale.ROOT) + "-linux-gnu-gcc";
  }
}
