package dev.cloister.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.SocketPair;
import dev.cloister.ffm.SystemCall;
import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Execution.Running;
import dev.cloister.fixture.Required;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.spec.Handover;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A launcher whose command comes through a socket, on a real processor and an emulated one. */
class CommandReceiptTest {
  private static final int SOCKET = Handover.PREWARMED.report();

  private static final String READY = "ready";

  /** Above the numbers that the launcher has. */
  private static final int APART = 100;

  @TempDir Path directory;

  /** The strings, and what is said of them. */
  private record Message(int size, int arguments, int variables, List<String> strings) {
    static Message of(int arguments, int variables, String... strings) {
      List<String> all = List.of(strings);
      int size = all.stream().mapToInt(string -> string.length() + 1).sum();
      return new Message(size, arguments, variables, all);
    }

    Message saying(int otherSize) {
      return new Message(otherSize, arguments, variables, strings);
    }

    byte[] bytes() {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      all.writeBytes(
          ByteBuffer.allocate(4 * Integer.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN)
              .putInt(size)
              .putInt(arguments)
              .putInt(variables)
              .array());
      strings.forEach(
          string -> {
            all.writeBytes(string.getBytes(StandardCharsets.US_ASCII));
            all.write(0);
          });
      return all.toByteArray();
    }
  }

  /** One that waits, and the other end of its socket. */
  private record Waiting(Running running, Descriptor socket) implements AutoCloseable {
    void send(Message message, int descriptors) throws Exception {
      try (Descriptor nothing = nothing()) {
        Messages.send(socket, message.bytes(), Collections.nCopies(descriptors, nothing));
      }
    }

    /** What it says until it ends. */
    ByteBuffer said() throws Exception {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      byte[] chunk = new byte[4096];
      try {
        for (int count = socket.read(chunk); count > 0; count = socket.read(chunk)) {
          all.write(chunk, 0, count);
        }
      } catch (LinuxException e) {
        // It did not read all.
        assertTrue(e.is(Errno.ECONNRESET), e::toString);
      }
      return ByteBuffer.wrap(all.toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
      try (running) {
        socket.close();
      }
    }
  }

  private static Descriptor nothing() throws Exception {
    return Descriptor.open("/dev/null".getBytes(StandardCharsets.US_ASCII), LinuxConstant.O_RDWR);
  }

  private Waiting start(Architecture architecture, String... through) throws Exception {
    Path launcher =
        Launcher.of(
            directory,
            ProgramCompiler.Options.library(
                architecture, Handover.PREWARMED, ProcessHandle.current().pid()),
            Call.of(
                SystemCall.WRITE,
                Operand.of(SOCKET),
                Operand.of(READY),
                Operand.of(READY.length())),
            new Instruction.AwaitCommand(SOCKET),
            new Instruction.ExecuteCommand(Instruction.SearchPath.COMMAND));
    Execution execution = Execution.of(launcher, "", "").environment("OLD=1").through(through);
    if (architecture != Architecture.host()) {
      execution.through(Required.program("qemu-" + architecture.name().toLowerCase(Locale.ROOT)));
    }
    try (SocketPair sockets = SocketPair.open();
        Descriptor theirs = Descriptor.duplicateOf(sockets.second().number(), APART)) {
      Running running = execution.giving(SOCKET, theirs).start();
      return new Waiting(running, Descriptor.duplicateOf(sockets.first().number(), APART));
    }
  }

  /** One that waits for sure, and whose message was read. */
  private Waiting ready(Architecture architecture, String... through) throws Exception {
    Waiting waiting = start(architecture, through);
    byte[] ready = new byte[READY.length()];
    assertEquals(ready.length, waiting.socket().read(ready));
    return waiting;
  }

  private void isRefused(Architecture architecture, Message message, int descriptors)
      throws Exception {
    try (Waiting waiting = ready(architecture)) {
      waiting.send(message, descriptors);
      ByteBuffer said = waiting.said();
      assertEquals(List.of(0, 0, 125), List.of(said.getInt(), said.getInt(), said.getInt()));
      assertEquals(
          "cloister: test: what was sent is no command\n",
          StandardCharsets.UTF_8.decode(said).toString());
      assertEquals(125, waiting.running().end().exit());
    }
  }

  @ParameterizedTest
  @EnumSource(Architecture.class)
  void theCommandHasWhatWasSent(Architecture architecture) throws Exception {
    try (Pipe output = Pipe.open();
        Descriptor nothing = nothing();
        Waiting waiting = ready(architecture)) {
      Message message =
          Message.of(
              6,
              2,
              "any",
              "",
              "/bin/sh",
              "-c",
              "printf '%s|' \"$0\" \"$EMPTY\" \"$A\" \"$OLD\"",
              "zero",
              "EMPTY=",
              "A=b c");
      Messages.send(
          waiting.socket(), message.bytes(), List.of(nothing, output.writeEnd(), nothing));
      output.writeEnd().close();
      byte[] chunk = new byte[100];
      int count = output.readEnd().read(chunk);
      assertEquals("zero||b c||", new String(chunk, 0, count, StandardCharsets.UTF_8));
      assertEquals(0, waiting.running().end().exit());
    }
  }

  /** The rest of a long message comes when there is room for it. */
  @ParameterizedTest
  @EnumSource(Architecture.class)
  void theCommandMayComeInParts(Architecture architecture) throws Exception {
    try (Descriptor nothing = nothing();
        Waiting waiting = ready(architecture)) {
      byte[] all = Message.of(5, 0, "any", "", "/bin/sh", "-c", "exit 9").bytes();
      Messages.send(waiting.socket(), Arrays.copyOf(all, 17), Collections.nCopies(3, nothing));
      Messages.send(waiting.socket(), Arrays.copyOfRange(all, 17, all.length), List.of());
      assertEquals(9, waiting.running().end().exit());
    }
  }

  @ParameterizedTest
  @EnumSource(Architecture.class)
  void countsThatDoNotFitTheStringsAreRefused(Architecture architecture) throws Exception {
    String[] good = {"any", "", "/bin/true", "A=1"};
    isRefused(architecture, Message.of(2, 2, good), 3);
    isRefused(architecture, Message.of(0, 4, good), 3);
    isRefused(architecture, Message.of(3, 0, good), 3);
    isRefused(architecture, Message.of(3, 2, good), 3);
    isRefused(architecture, Message.of(4, 1, good), 3);
    isRefused(architecture, Message.of(-1, 1, good), 3);
    isRefused(architecture, Message.of(3, -1, good), 3);
    isRefused(architecture, Message.of(3, 1, good).saying(0), 3);
    // Its last byte is no NUL then.
    isRefused(architecture, Message.of(3, 1, good).saying(17), 3);
  }

  @ParameterizedTest
  @EnumSource(Architecture.class)
  void threeDescriptorsComeWithACommand(Architecture architecture) throws Exception {
    for (int number : new int[] {0, 1, 2, 4, 20, 100}) {
      isRefused(architecture, Message.of(3, 0, "any", "", "/bin/true"), number);
    }
  }

  @Test
  void aCommandThatDoesNotFitIntoMemoryIsAFailure() throws Exception {
    try (Waiting waiting =
        ready(Architecture.host(), Required.program("prlimit"), "--as=50000000")) {
      waiting.send(Message.of(3, 0, "any", "", "/bin/true").saying(100_000_000), 3);
      ByteBuffer said = waiting.said();
      assertEquals(
          List.of(0, Errno.ENOMEM.number(), 125),
          List.of(said.getInt(), said.getInt(), said.getInt()));
      String text = StandardCharsets.UTF_8.decode(said).toString();
      assertTrue(text.startsWith("cloister: test: receiving the command: ENOMEM ("), text);
      assertEquals(125, waiting.running().end().exit());
    }
  }

  @ParameterizedTest
  @EnumSource(Architecture.class)
  void endsQuietlyWhenNobodyIsThere(Architecture architecture) throws Exception {
    try (Waiting waiting = ready(architecture)) {
      waiting.socket().close();
      assertEquals(125, waiting.running().end().exit());
    }
    // What is not read makes the end an error.
    try (Waiting waiting = start(architecture)) {
      assertEquals(1, waiting.socket().read(new byte[1]));
      waiting.socket().close();
      assertEquals(125, waiting.running().end().exit());
    }
    try (Waiting waiting = ready(architecture)) {
      waiting.send(Message.of(3, 0, "any", "", "/bin/true").saying(1000), 3);
      waiting.socket().close();
      assertEquals(125, waiting.running().end().exit());
    }
  }
}
