package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Ended;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With directories, which are removed as cgroups are; those themselves are shown in a guest. */
class CgroupRemovalTest {
  private static final Slot PLACE = new Slot("place");
  private static final Slot PID = new Slot("pid");
  private static final Buffer OUTER = new Buffer("outer", 64);
  private static final Buffer INNER = new Buffer("inner", 64);
  private static final Buffer KILL = new Buffer("kill", 64);

  @TempDir Path directory;

  private Path place = Path.of("");

  private static Call mkdir(Buffer name) {
    return Call.of(
        SystemCall.MKDIRAT, Operand.of(PLACE), Operand.of(name), new Operand.Literal(0755, "0755"));
  }

  private Ended run(String script) throws Exception {
    place = Files.createDirectories(directory.resolve("place"));
    List<Instruction> child =
        List.of(mkdir(INNER), new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    Path launcher =
        Launcher.of(
            directory,
            Call.of(
                    SystemCall.OPENAT,
                    Operand.of(LinuxConstant.AT_FDCWD),
                    Operand.of(place.toString()),
                    Operand.of(LinuxConstant.O_PATH))
                .into(PLACE),
            Call.of(SystemCall.GETPID).into(PID),
            name(OUTER, ""),
            name(INNER, "/inner"),
            name(KILL, "/kill"),
            mkdir(OUTER),
            Instruction.Supervise.of(child)
                .after(List.of(new Instruction.RemoveCgroup(PLACE, KILL, INNER, OUTER))));
    return Execution.of(launcher, "/bin/sh", "-c", script)
        .environment("PATH=/usr/bin:/bin", "PLACE=" + place)
        .end();
  }

  @Test
  void namesAreMadeOfTheProcessIdAndBothAreRemoved() throws Exception {
    Ended ended = run("cd $PLACE; [ -d own-$PPID/inner ] && ls; exit 3");
    assertEquals(3, ended.exit());
    assertTrue(ended.text().matches("own-[0-9]+\n"), ended.text());
    try (var all = Files.list(place)) {
      assertFalse(all.findAny().isPresent());
    }
  }

  /** What is killed is written to, but never made. */
  @Test
  void whatCannotBeRemovedStaysAndTheStatusIsTheCommands() throws Exception {
    Ended ended = run("cd $PLACE/own-$PPID; : >kill; exit 4");
    assertEquals(4, ended.exit());
    try (var all = Files.list(place)) {
      assertEquals("1", Files.readString(all.findFirst().orElseThrow().resolve("kill")));
    }
  }

  private static Instruction name(Buffer into, String after) {
    return new Instruction.Compose(
        into,
        List.of(Operand.of("own-"), Operand.of(PID), Operand.of(after)),
        new Slot("name_length"));
  }
}
