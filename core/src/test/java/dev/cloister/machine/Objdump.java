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

  private static final Pattern AARCH64_LINE =
      Pattern.compile("^\\s*([0-9a-f]+):\\t[0-9a-f ]+\\t(.*?)(\\s+//.*)?$");

  private Objdump() {}

  /** An instruction of the disassembly. */
  record Line(long address, String text) {}

  /** Disassembles x86_64 code that lies at {@code base}. */
  static List<Line> x8664(byte[] code, long base) throws IOException, InterruptedException {
    return run(code, base, LINE, "objdump", "-m", "i386:x86-64", "-M", "intel");
  }

  /** Disassembles aarch64 code that lies at {@code base}. */
  static List<Line> aarch64(byte[] code, long base) throws IOException, InterruptedException {
    return run(code, base, AARCH64_LINE, "aarch64-linux-gnu-objdump", "-m", "aarch64");
  }

  private static List<Line> run(
      byte[] code, long base, Pattern pattern, String program, String... options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(Required.program(program)));
    command.addAll(List.of(options));
    command.addAll(List.of("-D", "-z", "-b", "binary", "--insn-width=16"));
    Path file = Files.createTempFile("cloister", ".bin");
    try {
      Files.write(file, code);
      command.add("--adjust-vma=0x" + Long.toHexString(base));
      command.add(file.toString());
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IOException("objdump failed: " + output);
      }
      return parse(output, pattern);
    } finally {
      Files.delete(file);
    }
  }

  private static List<Line> parse(String output, Pattern pattern) {
    List<Line> lines = new ArrayList<>();
    for (String line : output.split("\n", -1)) {
      Matcher matcher = pattern.matcher(line);
      if (matcher.matches()) {
        // "rex" stands where a prefix changes nothing, which is as good as none.
        String text = matcher.group(2).replaceAll("\\s+", " ").replaceFirst("^rex ", "").strip();
        lines.add(new Line(Long.parseLong(matcher.group(1), 16), text));
      }
    }
    return lines;
  }
}
