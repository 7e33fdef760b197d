package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The executable, as readelf and the kernel see it. */
class ElfImageTest {
  private static final String HELLO = "hello";

  @TempDir Path directory;

  private static ElfImage image(String text) {
    Instruction write =
        Instruction.Call.of(
            SystemCall.WRITE, Operand.of(1), Operand.of(text), Operand.of(text.length()));
    SyscallProgram program = new SyscallProgram("test", List.of(write, new Instruction.Exit()));
    return ProgramCompiler.compile(program, Launcher.options());
  }

  private Execution.Ended readelf(ElfImage image, String option) throws IOException {
    Path file = Launcher.write(directory, image);
    return Execution.of(Path.of(Required.program("readelf")), "-W", option, file.toString()).end();
  }

  /** Constants of many sizes move code and sections over every alignment and over pages. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 15, 16, 17, 4095, 4096, 65_535, 65_536, 131_071, 200_001})
  void isCleanAndRunsWhateverTheSizeOfItsConstants(int size) throws Exception {
    ElfImage image = image("x".repeat(size));
    Execution.Ended all = readelf(image, "-a");
    assertEquals(0, all.exit());
    assertEquals("", all.error());
    assertFalse(all.text().toLowerCase(Locale.ROOT).contains("warning"), all.text());
    Execution.Ended run = Execution.of(Launcher.write(directory, image), "command").end();
    assertEquals(0, run.exit());
    assertEquals("x".repeat(size), run.text());
  }

  @Test
  void noSegmentIsWritableAndExecutable() throws Exception {
    List<String> segments =
        readelf(image(HELLO), "-l").lines().stream()
            .filter(line -> line.matches("\\s+(LOAD|NOTE|GNU_STACK)\\s.*"))
            .toList();
    assertEquals(5, segments.size(), segments.toString());
    for (String segment : segments) {
      assertFalse(segment.matches(".* RWE .*| .* WE .*"), segment);
    }
    assertTrue(segments.stream().anyMatch(s -> s.matches("\\s+GNU_STACK .* RW +0x[0-9a-f]+")));
    assertEquals(1, segments.stream().filter(s -> s.matches("\\s+LOAD .* R E +0x.*")).count());
  }

  @Test
  void noteNamesCloisterAndItsVersion() throws Exception {
    String notes = readelf(image(HELLO), "-n").text();
    assertTrue(notes.contains("Cloister"), notes);
    StringBuilder version = new StringBuilder();
    for (char c : (Launcher.VERSION + "\0").toCharArray()) {
      version.append("%02x ".formatted((int) c));
    }
    assertTrue(notes.contains(version.toString().strip()), notes);
  }

  @Test
  void sameInputGivesSameBytes() {
    assertArrayEquals(image(HELLO).bytes(), image(HELLO).bytes());
    assertEquals(image(HELLO).bytes().length, image(HELLO).size());
  }

  @Test
  void givesItsBytesAwayAsACopy() {
    ElfImage image = image(HELLO);
    byte[] bytes = image.bytes();
    bytes[0] = 0;
    assertEquals(0x7f, image.bytes()[0]);
  }
}
