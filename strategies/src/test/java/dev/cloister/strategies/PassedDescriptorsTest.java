package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.Pipe;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxException;
import dev.cloister.sandbox.SandboxProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Descriptors that a command is given by number, and those that it is not given. */
@Timeout(120)
class PassedDescriptorsTest {
  @BeforeAll
  static void openWhatStaysOpen() throws SandboxException {
    SandboxKind.buildAll();
  }

  @TempDir private Path directory;

  private static SandboxCommand command(SandboxKind kind, String script) throws Exception {
    return kind.sandbox().command("/bin/sh", "-c", script);
  }

  private static String output(SandboxCommand command) throws Exception {
    SandboxProcess process = command.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private Descriptor file(String content) throws Exception {
    Path path = Files.writeString(directory.resolve(content), content);
    return Descriptor.open(path.toString().getBytes(UTF_8), LinuxConstant.O_RDONLY);
  }

  @EachSandbox
  void nothingElseIsOpen(SandboxKind kind) throws Exception {
    try (Pipe pipe = Pipe.open()) {
      // ls has one more, for the directory that it lists.
      SandboxCommand none = command(kind, "exec ls /proc/self/fd");
      assertEquals("0\n1\n2\n3\n", output(none));
      SandboxCommand some =
          command(kind, "exec ls /proc/self/fd")
              .passDescriptor(pipe.readEnd().number(), 3)
              .passDescriptor(pipe.writeEnd().number(), 9);
      TreeSet<String> open = new TreeSet<>(output(some).lines().toList());
      assertEquals(List.of("0", "1", "2", "3", "4", "9"), List.copyOf(open));
    }
  }

  @EachSandbox
  void theyHaveTheirNumbers(SandboxKind kind) throws Exception {
    try (Descriptor three = file("three");
        Descriptor nine = file("nine")) {
      String script = "cat <&3; cat <&9";
      assertEquals(
          "threenine",
          output(
              command(kind, script)
                  .passDescriptor(three.number(), 3)
                  .passDescriptor(nine.number(), 9)));
    }
  }

  @EachSandbox
  void theLastNumberIs255(SandboxKind kind) throws Exception {
    try (Pipe pipe = Pipe.open()) {
      // dash knows only numbers of one digit.
      SandboxCommand command =
          kind.sandbox()
              .command("/bin/bash", "-c", "echo sent >&255; ls /proc/self/fd | sort -n | tail -1")
              .passDescriptor(pipe.writeEnd().number(), 255);
      assertEquals("255\n", output(command));
      byte[] received = new byte[10];
      assertEquals(5, pipe.readEnd().read(received));
      assertThrows(IllegalArgumentException.class, () -> command.passDescriptor(0, 256));
      assertThrows(IllegalArgumentException.class, () -> command.passDescriptor(0, 2));
      assertThrows(IllegalArgumentException.class, () -> command.passDescriptor(-1, 3));
    }
  }

  @EachSandbox
  void theyMayLieWhereOthersGo(SandboxKind kind) throws Exception {
    List<Descriptor> files = new ArrayList<>();
    try {
      for (int i = 0; i < 5; i++) {
        files.add(file("file" + i));
      }
      // A circle.
      StringBuilder names = new StringBuilder();
      StringBuilder expected = new StringBuilder();
      List<Integer> numbers = files.stream().map(Descriptor::number).toList();
      for (int i = 0; i < files.size(); i++) {
        names.append(numbers.get(i)).append(' ');
        expected.append("file").append((i + 1) % files.size());
      }
      SandboxCommand command =
          kind.sandbox()
              .command("/bin/bash", "-c", "for i in $0; do cat <&$i; done", names.toString());
      for (int i = 0; i < files.size(); i++) {
        command.passDescriptor(numbers.get((i + 1) % files.size()), numbers.get(i));
      }
      assertEquals(expected.toString(), output(command));
    } finally {
      for (Descriptor file : files) {
        file.close();
      }
    }
  }

  @EachSandbox
  void oneCanBeGivenTwiceAndStaysOpenHere(SandboxKind kind) throws Exception {
    try (Pipe pipe = Pipe.open()) {
      int number = pipe.writeEnd().number();
      SandboxCommand command =
          command(kind, "echo 5 >&5; echo 7 >&7")
              .passDescriptor(number, 5)
              .passDescriptor(number, 7);
      assertEquals("", output(command));
      pipe.writeEnd().write("own".getBytes(UTF_8));
      byte[] received = new byte[20];
      assertEquals("5\n7\nown", new String(received, 0, pipe.readEnd().read(received), UTF_8));
    }
  }

  @Test
  void oneThatIsNotOpenIsRefused() throws Exception {
    SandboxCommand command = command(SandboxKind.PIVOT_ROOT, "exit").passDescriptor(9999, 3);
    List<String> before = HostProcess.descriptors();
    SandboxException e = assertThrows(SandboxException.class, command::start);
    assertEquals(SandboxException.Phase.SPAWN, e.phase());
    assertEquals(Optional.of(Errno.EBADF), e.errno());
    assertTrue(before.containsAll(HostProcess.descriptors()));
  }
}
