package dev.cloister.machine;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Binutils' disassembler: what others read in the bytes that the assembler wrote. */
final class Objdump {
  private static final Pattern LINE =
      Pattern.compile("^\\s*([0-9a-f]+):\\t[0-9a-f ]+\\t(.*?)(\\s+#.*)?$");

  private Objdump() {}

  /** An instruction of the disassembly. */
  record Line(long address, String text) {}

  /** Disassembles x86_64 code that lies at {@code base}. */
  static List<Line> x8664(byte[] code, long base) throws IOException, InterruptedException {
    Path file = Files.createTempFile("cloister", ".bin");
    try {
      Files.write(file, code);
      Process process =
          new ProcessBuilder(
                  Required.program("objdump"),
                  "-D",
                  "-b",
                  "binary",
                  "-m",
                  "i386:x86-64",
                  "-M",
                  "intel",
                  "--insn-width=16",
                  "--adjust-vma=0x" + Long.toHexString(base),
                  file.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException("objdump failed: " + output);
      }
      return parse(output);
    } finally {
      Files.delete(file);
    }
  }

  private static List<Line> parse(String output) {
    List<Line> lines = new ArrayList<>();
    for (String line : output.split("\n", -1)) {
      Matcher matcher = LINE.matcher(line);
      if (matcher.matches()) {
        // "rex" stands where a prefix changes nothing, which is as good as none.
        String text = matcher.group(2).replaceAll("\\s+", " ").replaceFirst("^rex ", "").strip();
        lines.add(new Line(Long.parseLong(matcher.group(1), 16), text));
      }
    }
    return lines;
  }
}
