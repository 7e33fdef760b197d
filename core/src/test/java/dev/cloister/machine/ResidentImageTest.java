package dev.cloister.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.ResidentProgram;
import dev.cloister.ffm.ResourceLimit;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.program.SyscallProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Programs that run in this JVM's memory. */
@Timeout(60)
class ResidentImageTest {
  private static final Instruction EXECUTE =
      new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND);
  private static final Slot SLOT = new Slot("slot");

  private static Optional<ResidentImage> compile(Instruction... instructions) {
    return ProgramCompiler.compileResident(
        new SyscallProgram("test", List.of(instructions)), Launcher.options());
  }

  private static ResidentProgram load(Instruction... instructions) throws LinuxException {
    return ResidentProgram.load(compile(instructions).orElseThrow()).orElseThrow();
  }

  private static List<byte[]> bytes(List<String> strings) {
    return strings.stream().map(string -> string.getBytes(UTF_8)).toList();
  }

  /** The launcher's own name comes first. */
  private static List<byte[]> command(String... words) {
    List<String> all = new ArrayList<>(List.of("launcher"));
    Collections.addAll(all, words);
    return bytes(all);
  }

  private static int status(Optional<ChildProcess> started) throws LinuxException {
    try (ChildProcess child = started.orElseThrow()) {
      return child.waitFor() instanceof ExitStatus.Exited(int code) ? code : -1;
    }
  }

  /** What it writes to standard output, which must fit into a pipe. */
  private static String output(
      ResidentProgram program, List<byte[]> command, List<byte[]> variables) throws IOException {
    try (Pipe pipe = Pipe.open()) {
      int[] moves = {pipe.writeEnd().number(), 1};
      assertEquals(0, status(program.start(command, variables, moves)));
      byte[] output = new byte[65536];
      pipe.readEnd().setNonBlocking();
      int size = pipe.readEnd().tryRead(output, 0, output.length);
      return size > 0 ? new String(output, 0, size, UTF_8) : "";
    }
  }

  @Test
  void becomesItsCommand() throws Exception {
    try (ResidentProgram program = load(EXECUTE)) {
      String script = "echo \"$0 $1 $A\"; exit $2";
      List<byte[]> variables = bytes(List.of("A=b c"));
      assertEquals(
          "sh ü b c\n",
          output(program, command("/bin/sh", "-c", script, "sh", "ü", "0"), variables));
      assertEquals(
          7, status(program.start(command("/bin/sh", "-c", "exit 7"), List.of(), new int[0])));
    }
  }

  @Test
  void endsWithoutOne() throws Exception {
    try (ResidentProgram program = load(new Instruction.Exit())) {
      assertEquals(0, status(program.start(command("x"), List.of(), new int[0])));
    }
  }

  @Test
  void startsAgainAsIfForTheFirstTime() throws Exception {
    Call once = Call.of(SystemCall.UMASK, Operand.of(077)).into(SLOT);
    Call say = Call.of(SystemCall.WRITE, Operand.of(1), Operand.of("set"), Operand.of(3));
    try (ResidentProgram program =
        load(new Instruction.IfSet(SLOT, List.of(say), List.of()), once, new Instruction.Exit())) {
      for (int i = 0; i < 3; i++) {
        assertEquals("", output(program, command("x"), List.of()));
      }
    }
  }

  @Test
  void theCommandHasTheDescriptorsItWasGiven() throws Exception {
    try (ResidentProgram program = load(EXECUTE);
        Pipe pipe = Pipe.open()) {
      int end = pipe.writeEnd().number();
      int[] moves = {end, 1, end, end};
      String script = "ls /proc/self/fd | grep -cx " + end;
      assertEquals(0, status(program.start(command("/bin/sh", "-c", script), List.of(), moves)));
      byte[] output = new byte[2];
      assertEquals(2, pipe.readEnd().read(output));
      assertArrayEquals("1\n".getBytes(UTF_8), output);
    }
  }

  @Test
  void aDescriptorThatCannotBeGivenIsAnError() throws Exception {
    long limit = ResourceLimit.of(LinuxConstant.RLIMIT_NOFILE).soft();
    try (ResidentProgram program = load(EXECUTE)) {
      int[] moves = {1, Math.toIntExact(limit)};
      List<byte[]> command = command("/bin/true");
      LinuxException e =
          assertThrows(LinuxException.class, () -> program.start(command, List.of(), moves));
      assertTrue(e.is(Errno.EBADF), e.getMessage());
    }
    assertEquals(List.of(), zombies());
  }

  private static List<Path> zombies() throws IOException {
    try (Stream<Path> children = Files.list(Path.of("/proc"))) {
      String marker = ") Z " + ProcessHandle.current().pid() + " ";
      return children
          .filter(path -> path.getFileName().toString().matches("[0-9]+"))
          .filter(path -> read(path.resolve("stat")).contains(marker))
          .toList();
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return "";
    }
  }

  @Test
  void whatIsTooLongForItsStackIsLeftToOthers() throws Exception {
    try (ResidentProgram program = load(EXECUTE)) {
      List<String> words = new ArrayList<>(List.of("launcher", "/bin/sh", "-c", "echo $#", "sh"));
      words.addAll(Collections.nCopies(1000, "x".repeat(20)));
      assertEquals("1000\n", output(program, bytes(words), List.of()));
      words.addAll(Collections.nCopies(1000, "x".repeat(200)));
      assertEquals(Optional.empty(), program.start(bytes(words), List.of(), new int[0]));
    }
  }

  @Test
  void noSignalIsBlockedOrHandledInIt() throws Exception {
    try (ResidentProgram program = load(EXECUTE)) {
      String status = output(program, command("/bin/cat", "/proc/self/status"), List.of());
      assertTrue(status.contains("\nSigBlk:\t0000000000000000\n"), status);
      assertTrue(status.contains("\nSigCgt:\t0000000000000000\n"), status);
    }
  }

  @Test
  void theJvmStaysWhatItIs() throws Exception {
    List<String> before = self();
    try (ResidentProgram program =
        load(
            Call.of(SystemCall.UMASK, Operand.of(0)),
            Call.of(SystemCall.CHDIR, Operand.of("/proc")),
            Call.of(SystemCall.CLOSE_RANGE, Operand.of(3), Operand.of(0xffff), Operand.of(0)),
            Call.of(
                SystemCall.UNSHARE,
                Operand.of(LinuxConstant.CLONE_NEWUSER, LinuxConstant.CLONE_NEWNS)),
            Call.of(SystemCall.CHROOT, Operand.of("/proc")),
            new Instruction.Exit())) {
      assertEquals(0, status(program.start(command("x"), List.of(), new int[0])));
    }
    assertEquals(before, self());
  }

  /** What a process could have changed of this one's. */
  private static List<String> self() throws IOException {
    List<String> all = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of("/proc/thread-self/status"))) {
      if (line.matches("(Umask|Uid|Gid|Groups|Sig...|Shd...|Cap...|NoNewPrivs|Seccomp):.*")) {
        all.add(line);
      }
    }
    all.add(Files.readSymbolicLink(Path.of("/proc/self/cwd")).toString());
    all.add(Files.readSymbolicLink(Path.of("/proc/self/root")).toString());
    for (String namespace : List.of("user", "mnt", "net", "ipc", "uts", "cgroup", "pid")) {
      all.add(Files.readSymbolicLink(Path.of("/proc/self/ns/" + namespace)).toString());
    }
    all.addAll(Files.readAllLines(Path.of("/proc/self/limits")));
    // Its owner is root where the memory may not be looked at (prctl(2), PR_SET_DUMPABLE).
    all.add(Files.getOwner(Path.of("/proc/self/environ")).getName());
    return all;
  }

  @Test
  void whatWouldChangeTheMemoryIsNotCompiled() {
    Operand dumpable = Operand.of(LinuxConstant.PR_SET_DUMPABLE);
    Operand zero = Operand.of(0);
    assertFalse(compile(Call.of(SystemCall.PRCTL, dumpable, zero, zero, zero, zero)).isPresent());
    assertFalse(compile(Call.of(SystemCall.SETRESUID, zero, zero, zero)).isPresent());
    assertFalse(compile(Call.of(SystemCall.SETFSGID, zero)).isPresent());
    assertFalse(compile(Instruction.Supervise.of(List.of(EXECUTE))).isPresent());
    assertFalse(compile(new Instruction.AwaitCommand(3)).isPresent());
    Operand noNewPrivileges = Operand.of(LinuxConstant.PR_SET_NO_NEW_PRIVS);
    assertTrue(
        compile(Call.of(SystemCall.PRCTL, noNewPrivileges, zero, zero, zero, zero)).isPresent());
  }
}
