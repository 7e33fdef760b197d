package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Cases;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Operand;
import dev.cloister.program.SyscallProgram;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
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

  private static ElfImage standalone(byte[] options) {
    SyscallProgram program = new SyscallProgram("test", List.of(new Instruction.Exit()));
    return ProgramCompiler.compile(
        program,
        ProgramCompiler.Options.standalone(
            Architecture.host(),
            LauncherNote.of(Launcher.VERSION, options),
            new Standalone("help\n", Optional.empty())));
  }

  private static Stream<ElfImage> images() {
    return Stream.of(
        image(HELLO), standalone(new byte[0]), standalone(new byte[5]), standalone(new byte[4096]));
  }

  /** What is written to standard error would be a warning. */
  @ParameterizedTest
  @MethodSource("images")
  void toolsReadItWithoutComplaint(ElfImage image) throws Exception {
    Path file = Launcher.write(directory, image);
    for (List<String> tool :
        List.of(List.of("readelf", "-a"), List.of("objdump", "-d"), List.of("objdump", "-x"))) {
      Path program = Path.of(Required.program(tool.getFirst()));
      Execution.Ended ended = Execution.of(program, tool.get(1), file.toString()).end();
      assertEquals(0, ended.exit(), tool.toString());
      assertEquals("", ended.error(), tool.toString());
      assertFalse(ended.text().toLowerCase(Locale.ROOT).contains("warning"), ended.text());
    }
    Path program = Path.of(Required.program("file"));
    String said = Execution.of(program, "-b", file.toString()).end().text();
    assertTrue(said.startsWith("ELF 64-bit LSB executable"), said);
    assertTrue(said.contains("statically linked"), said);
    assertFalse(said.contains("no section header") || said.contains("missing"), said);
  }

  @Test
  void bothNotesCanBeRead() throws Exception {
    byte[] options = {1, 0, 2, -1, 7};
    ElfImage image = standalone(options);
    LauncherNote note = LauncherNote.parse(image.bytes());
    assertEquals(Launcher.VERSION, note.version());
    assertArrayEquals(options, note.options());
    String notes = readelf(image, "-n").text();
    assertTrue(notes.contains("01 00 02 ff 07"), notes);
    assertEquals(2, notes.lines().filter(line -> line.contains("Cloister")).count(), notes);
    LauncherNote none = LauncherNote.parse(image(HELLO).bytes());
    assertEquals(Launcher.VERSION, none.version());
    assertArrayEquals(new byte[0], none.options());
  }

  private static void refuses(byte[] file, String why) {
    assertEquals(
        why,
        assertThrows(IllegalArgumentException.class, () -> LauncherNote.parse(file)).getMessage());
  }

  private static byte[] with(int position, int... values) {
    byte[] file = standalone(new byte[] {1}).bytes();
    for (int i = 0; i < values.length; i++) {
      file[position + i] = (byte) values[i];
    }
    return file;
  }

  /** The note is behind five program headers; the fourth is its own. */
  @Test
  void saysWhatIsOddInWhatIsNoLauncher() throws Exception {
    final int header = 64 + 3 * 56;
    final int notes = 64 + 5 * 56;
    refuses(new byte[0], "not an ELF file");
    refuses("#!/bin/sh\n".getBytes(StandardCharsets.US_ASCII), "not an ELF file");
    refuses(Arrays.copyOf(image(HELLO).bytes(), 63), "an ELF file that ends within its header");
    refuses(with(4, 1), "not a little-endian ELF file of 64 bits");
    refuses(with(54, 57), "program headers of an unknown size");
    refuses(
        Arrays.copyOf(image(HELLO).bytes(), 65), "its program headers lies outside of the file");
    refuses(with(39, 0x80), "its program headers lies outside of the file");
    refuses(with(header, 6), "no PT_NOTE segment");
    refuses(with(64, 4), "more than one PT_NOTE segment");
    refuses(with(header + 15, 0x7f), "its PT_NOTE segment lies outside of the file");
    refuses(with(header + 39, 0x7f), "its PT_NOTE segment lies outside of the file");
    refuses(with(header + 32, 11), "a note without its header");
    refuses(with(notes, -1, -1, -1, -1), "a note that is longer than its segment");
    refuses(with(notes + 4, -1, -1, -1, -1), "a note that is longer than its segment");
    refuses(with(notes + 8, 2), "more than one note of type 2");
    refuses(with(notes + 8, 3), "no note of Cloister's version");
    refuses(with(notes + 12, 'c'), "no note of Cloister's version");
    refuses(with(notes + 24, 27), "a version with control characters");
    refuses(with(notes + 24, 0xff), "a version that is not UTF-8");
    refuses(with(notes + 24 + Launcher.VERSION.length(), 'x'), "a version without its end");
  }

  /** Whatever is in a file, it is read or refused. */
  @Test
  void damagedFilesAreReadOrRefused() throws Exception {
    byte[] image = standalone(new byte[] {1, 2, 3}).bytes();
    for (int i = 0; i < Cases.times(3000); i++) {
      Random random = Cases.random("damaged launchers", i);
      byte[] file = Arrays.copyOf(image, random.nextInt(4) == 0 ? random.nextInt(600) : 600);
      for (int changes = random.nextInt(6); changes > 0 && file.length > 0; changes--) {
        file[random.nextInt(Math.min(file.length, 450))] = (byte) random.nextInt();
      }
      try {
        LauncherNote.parse(file);
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage() != null && !e.getMessage().isEmpty());
      }
    }
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
