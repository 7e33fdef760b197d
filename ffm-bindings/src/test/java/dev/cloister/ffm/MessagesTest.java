package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.MSG_CMSG_CLOEXEC;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class MessagesTest {
  /** What one recvmsg(2) gave; the descriptors are the test's to close. */
  private record Received(String text, List<Descriptor> descriptors) {}

  private static Received receive(Descriptor socket) throws LinuxException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(65536);
      MemorySegment control = arena.allocate(100, LinuxStruct.CMSGHDR.alignment());
      Structure part = Structure.allocate(arena, LinuxStruct.IOVEC);
      part.set(StructField.IOVEC_BASE, data.address());
      part.set(StructField.IOVEC_LEN, data.byteSize());
      Structure message = Structure.allocate(arena, LinuxStruct.MSGHDR);
      message.set(StructField.MSGHDR_IOV, part.memory().address());
      message.set(StructField.MSGHDR_IOVLEN, 1);
      message.set(StructField.MSGHDR_CONTROL, control.address());
      message.set(StructField.MSGHDR_CONTROLLEN, control.byteSize());
      long size =
          new KernelCall(SystemCall.RECVMSG)
              .number(socket.number())
              .memory(message.memory(), "message")
              .flags(MSG_CMSG_CLOEXEC)
              .runUninterrupted();
      String text = Bytes.text(data.asSlice(0, size).toArray(JAVA_BYTE));
      boolean any = message.get(StructField.MSGHDR_CONTROLLEN) > 0;
      return new Received(text, any ? descriptors(control) : List.of());
    }
  }

  private static List<Descriptor> descriptors(MemorySegment control) {
    long start = LinuxStruct.CMSGHDR.size();
    long end = new Structure(control).get(StructField.CMSGHDR_LEN);
    List<Descriptor> descriptors = new ArrayList<>();
    for (long offset = start; offset < end; offset += Integer.BYTES) {
      descriptors.add(Descriptor.owning(control.get(JAVA_INT, offset)));
    }
    return descriptors;
  }

  @Test
  void descriptorsArriveInOrderWithTheBytes() throws Exception {
    try (SocketPair pair = SocketPair.open();
        Pipe first = Pipe.open();
        Pipe second = Pipe.open()) {
      Messages.send(
          pair.first(), Bytes.of("with two"), List.of(first.writeEnd(), second.writeEnd()));
      first.writeEnd().close();
      second.writeEnd().close();
      Received received = receive(pair.second());
      assertEquals("with two", received.text());
      assertEquals(2, received.descriptors().size());
      try (Descriptor toFirst = received.descriptors().get(0);
          Descriptor toSecond = received.descriptors().get(1)) {
        toFirst.write(Bytes.of("through the first"));
        toSecond.write(Bytes.of("through the second"));
      }
      assertEquals("through the first", Bytes.readAll(first.readEnd()));
      assertEquals("through the second", Bytes.readAll(second.readEnd()));
    }
  }

  @Test
  void bytesMayGoWithoutDescriptors() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      Messages.send(pair.first(), Bytes.of("alone"), List.of());
      Messages.send(pair.first(), new byte[0], List.of());
      assertEquals(new Received("alone", List.of()), receive(pair.second()));
    }
  }

  /** A process that is stopped while its socket is full has sent a part when it goes on. */
  @Test
  void sendsTheRestAndNoDescriptorTwiceAfterAStop() throws Exception {
    byte[] much = new byte[3_000_000];
    new Random(1).nextBytes(much);
    try (SocketPair pair = SocketPair.open();
        Pipe pipe = Pipe.open();
        ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Future<?> sender =
          threads.submit(
              () -> {
                Messages.send(pair.first(), much, List.of(pipe.writeEnd()));
                pair.first().close();
                return null;
              });
      Received start = receive(pair.second());
      stopForAMoment();
      StringBuilder text = new StringBuilder(start.text());
      List<Descriptor> descriptors = new ArrayList<>(start.descriptors());
      for (Received next = receive(pair.second());
          !next.text().isEmpty();
          next = receive(pair.second())) {
        text.append(next.text());
        descriptors.addAll(next.descriptors());
      }
      sender.get();
      assertEquals(1, descriptors.size());
      descriptors.getFirst().close();
      assertTrue(Bytes.text(much).contentEquals(text));
    }
  }

  private static void stopForAMoment() throws LinuxException {
    String script = "kill -STOP $PPID; sleep 0.1; kill -CONT $PPID";
    Spawn shell = Spawn.of(Bytes.of("/bin/sh"), Bytes.listOf("sh", "-c", script), List.of());
    try (ChildProcess child = shell.start()) {
      assertEquals(new ExitStatus.Exited(0), child.waitFor());
    }
  }

  @Test
  void withoutAReceiverSendingIsAnErrorAndNotTheEndOfTheJvm() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      pair.second().close();
      LinuxException e =
          assertThrows(
              LinuxException.class, () -> Messages.send(pair.first(), new byte[1], List.of()));
      assertEquals(
          "sendmsg(%d, message, MSG_NOSIGNAL): EPIPE (Broken pipe)"
              .formatted(pair.first().number()),
          e.getMessage());
    }
  }

  @Test
  void refusesDescriptorsWithoutAByte() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      assertThrows(
          IllegalArgumentException.class,
          () -> Messages.send(pair.first(), new byte[0], List.of(pair.second())));
    }
  }

  @Test
  void oneDescriptorIsReceivedAndMoreAreClosed() throws LinuxException {
    try (SocketPair pair = SocketPair.open();
        Pipe pipe = Pipe.open()) {
      Messages.send(pair.first(), Bytes.of("two"), List.of(pipe.writeEnd(), pipe.writeEnd()));
      pipe.writeEnd().close();
      byte[] buffer = new byte[10];
      List<Descriptor> received = new ArrayList<>();
      assertEquals(3, Messages.receive(pair.second(), buffer, received::add));
      assertEquals(1, received.size());
      received.getFirst().write(Bytes.of("x"));
      received.getFirst().close();
      assertEquals(1, pipe.readEnd().read(buffer));
      assertEquals(-1, pipe.readEnd().read(buffer));
    }
  }

  @Test
  void receivingTellsNothingYetFromTheEnd() throws LinuxException {
    try (SocketPair pair = SocketPair.open()) {
      pair.second().setNonBlocking();
      byte[] buffer = new byte[10];
      List<Descriptor> received = new ArrayList<>();
      assertEquals(Descriptor.WOULD_BLOCK, Messages.receive(pair.second(), buffer, received::add));
      pair.first().write(Bytes.of("last"));
      pair.first().close();
      assertEquals(4, Messages.receive(pair.second(), buffer, received::add));
      assertEquals(-1, Messages.receive(pair.second(), buffer, received::add));
      assertEquals(List.of(), received);
    }
  }

  @Test
  void whoLeftWithoutReadingAllIsAnEndToo() throws LinuxException {
    try (SocketPair pair = SocketPair.open()) {
      pair.second().write(Bytes.of("unread"));
      pair.first().close();
      assertEquals(-1, Messages.receive(pair.second(), new byte[10], _ -> {}));
    }
  }
}
