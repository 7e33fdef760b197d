package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.O_CLOEXEC;
import static dev.cloister.ffm.LinuxConstant.O_DIRECTORY;
import static dev.cloister.ffm.LinuxConstant.O_EXCL;
import static dev.cloister.ffm.LinuxConstant.O_PATH;
import static dev.cloister.ffm.LinuxConstant.O_RDONLY;
import static dev.cloister.ffm.LinuxConstant.O_WRONLY;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class DescriptorTest {
  /** A number that the JVM will not use meanwhile. */
  private static final int HIGH = 1000;

  @TempDir Path directory;

  private byte[] path(String latin1Name) {
    byte[] parent = directory.toString().getBytes(StandardCharsets.UTF_8);
    byte[] name = Bytes.of("/" + latin1Name);
    byte[] path = new byte[parent.length + name.length];
    System.arraycopy(parent, 0, path, 0, parent.length);
    System.arraycopy(name, 0, path, parent.length, name.length);
    return path;
  }

  @Test
  void readsBackWhatItWrote() throws Exception {
    byte[] content = new byte[300_000];
    new Random(1).nextBytes(content);
    try (Descriptor file = Descriptor.create(path("file"), 0640, O_WRONLY, O_EXCL)) {
      file.write(content);
      file.write(new byte[0]);
    }
    Path file = directory.resolve("file");
    assertArrayEquals(content, Files.readAllBytes(file));
    assertEquals("rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    try (Descriptor again = Descriptor.open(path("file"), O_RDONLY)) {
      assertEquals(0, again.read(new byte[0]));
      assertEquals(Bytes.text(content), Bytes.readAll(again));
      assertEquals(-1, again.read(new byte[1]));
    }
  }

  @Test
  void saysWhereAFileIs() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory.toRealPath());
    byte[] real = Bytes.of(directory.toRealPath() + "/caf\u00e9");
    Descriptor.create(path("caf\u00e9"), 0600, O_WRONLY).close();
    try (Descriptor file = Descriptor.open(Bytes.of(link + "/caf\u00e9"), O_PATH)) {
      assertArrayEquals(real, file.path());
    }
  }

  @Test
  void opensNamesThatAreNotUtf8() throws Exception {
    try (Descriptor file = Descriptor.create(path("\u00ff\u00e9"), 0600, O_WRONLY)) {
      file.write(Bytes.of("found"));
    }
    try (Descriptor file = Descriptor.open(path("\u00ff\u00e9"), O_RDONLY)) {
      assertEquals("found", Bytes.readAll(file));
    }
    try (Stream<Path> names = Files.list(directory)) {
      Path name = names.findAny().orElseThrow();
      // A URI shows the bytes of a name, whatever the JVM's locale makes of them.
      assertTrue(name.toUri().getRawPath().endsWith("/%FF%E9"), name.toUri().toString());
    }
  }

  @Test
  void refusesANameWithNul() {
    assertThrows(
        IllegalArgumentException.class, () -> Descriptor.open(path("file\0name"), O_RDONLY));
  }

  @Test
  void aFailureNamesTheCallAndTheError() {
    LinuxException missing =
        assertThrows(
            LinuxException.class,
            () -> Descriptor.open(Bytes.of("/missing/\u00ff"), O_PATH, O_DIRECTORY));
    String call = "openat(AT_FDCWD, \"/missing/\\377\", O_PATH|O_DIRECTORY|O_CLOEXEC, 0)";
    assertEquals(call, missing.call());
    assertEquals(call + ": ENOENT (No such file or directory)", missing.getMessage());
    assertEquals(Optional.of(Errno.ENOENT), missing.errno());
    assertTrue(missing.is(Errno.ENOENT));
    assertFalse(missing.is(Errno.EPERM));

    LinuxException exists =
        assertThrows(
            LinuxException.class, () -> Descriptor.create(Bytes.of("/"), 0600, O_WRONLY, O_EXCL));
    assertEquals(
        "openat(AT_FDCWD, \"/\", O_WRONLY|O_EXCL|O_CREAT|O_CLOEXEC, 0600): EEXIST (File exists)",
        exists.getMessage());
  }

  @Test
  void aFailedWriteSaysSo() throws Exception {
    try (Descriptor full = Descriptor.open(Bytes.of("/dev/full"), O_WRONLY)) {
      LinuxException e = assertThrows(LinuxException.class, () -> full.write(new byte[3]));
      assertEquals(
          "write(%d, buffer, 3): ENOSPC (No space left on device)".formatted(full.number()),
          e.getMessage());
    }
  }

  @Test
  void isClosedOnExec() throws Exception {
    try (Descriptor file = Descriptor.open(Bytes.of("/dev/null"), O_RDONLY)) {
      long flags = Long.parseLong(fdinfo(file, "flags:"), 8);
      assertEquals(cloexec(), flags & cloexec());
    }
  }

  @Test
  void readsAndWritesWhatItCanWithoutWaiting() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      pipe.readEnd().setNonBlocking();
      pipe.writeEnd().setNonBlocking();
      byte[] buffer = new byte[200_000];
      assertEquals(Descriptor.WOULD_BLOCK, pipe.readEnd().tryRead(buffer, 0, buffer.length));

      byte[] text = Bytes.of("a few bytes");
      assertEquals(3, pipe.writeEnd().tryWrite(text, 2, 3));
      assertEquals(3, pipe.readEnd().tryRead(buffer, 5, 100));
      assertEquals("\0few\0", Bytes.text(Arrays.copyOfRange(buffer, 4, 9)));

      int capacity = fill(pipe.writeEnd());
      assertEquals(Descriptor.WOULD_BLOCK, pipe.writeEnd().tryWrite(text, 0, 1));
      pipe.writeEnd().close();
      int size = 0;
      for (int count = 0; count >= 0; count = pipe.readEnd().tryRead(buffer, 0, buffer.length)) {
        size += count;
      }
      assertEquals(capacity, size);
      assertEquals(-1, pipe.readEnd().tryRead(buffer, 0, 1), "the end");
    }
  }

  private static int fill(Descriptor pipe) throws LinuxException {
    byte[] much = new byte[200_000];
    int capacity = 0;
    for (int count = 0; count >= 0; count = pipe.tryWrite(much, 0, much.length)) {
      capacity += count;
    }
    return capacity;
  }

  @Test
  void anEmptyPartOfABufferIsNeitherTheEndNorAWait() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      assertEquals(0, pipe.readEnd().tryRead(new byte[2], 2, 0));
      assertEquals(0, pipe.writeEnd().tryWrite(new byte[2], 2, 0));
      byte[] buffer = new byte[2];
      assertThrows(IndexOutOfBoundsException.class, () -> pipe.readEnd().tryRead(buffer, 1, 2));
      assertThrows(IndexOutOfBoundsException.class, () -> pipe.writeEnd().tryWrite(buffer, -1, 2));
    }
  }

  @Test
  void anErrorOtherThanAWaitIsStillOne() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      LinuxException e =
          assertThrows(LinuxException.class, () -> pipe.readEnd().tryWrite(new byte[1], 0, 1));
      assertTrue(e.is(Errno.EBADF), e.getMessage());
    }
  }

  @Test
  void aDuplicateIsAnotherDescriptorForTheSameFile() throws Exception {
    try (Pipe pipe = Pipe.open()) {
      try (Descriptor copy = Descriptor.duplicateOf(pipe.writeEnd().number(), HIGH);
          Descriptor second = Descriptor.duplicateOf(copy.number(), HIGH)) {
        assertTrue(copy.number() >= HIGH, copy.toString());
        assertTrue(second.number() > copy.number(), second.toString());
        assertEquals(cloexec(), Long.parseLong(fdinfo(copy, "flags:"), 8) & cloexec());
        pipe.writeEnd().close();
        copy.write(Bytes.of("one "));
        second.write(Bytes.of("two"));
      }
      assertEquals("one two", Bytes.readAll(pipe.readEnd()));
    }
    LinuxException e =
        assertThrows(LinuxException.class, () -> Descriptor.duplicateOf(999_999, 3).close());
    assertEquals("fcntl(999999, F_DUPFD_CLOEXEC, 3): EBADF (Bad file descriptor)", e.getMessage());
  }

  private static long cloexec() {
    return O_CLOEXEC.value(Architecture.host());
  }

  private static String fdinfo(Descriptor file, String name) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/fdinfo/" + file.number())).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()).strip())
        .findAny()
        .orElseThrow();
  }

  @Test
  void closesOnce() throws Exception {
    try (Descriptor source = Descriptor.open(Bytes.of("/dev/zero"), O_RDONLY)) {
      Descriptor first = duplicate(source, HIGH);
      first.close();
      assertFalse(exists(HIGH));
      assertEquals("closed descriptor", first.toString());
      assertThrows(IllegalStateException.class, first::number);
      assertThrows(IllegalStateException.class, () -> first.read(new byte[1]));
      assertThrows(IllegalStateException.class, () -> first.write(new byte[1]));
      assertThrows(IllegalStateException.class, () -> first.tryRead(new byte[1], 0, 1));
      assertThrows(IllegalStateException.class, () -> first.tryWrite(new byte[1], 0, 1));

      // Something else under the same number must survive a second close.
      try (Descriptor second = duplicate(source, HIGH)) {
        first.close();
        assertEquals(1, second.read(new byte[1]));
      }
    }
  }

  private static Descriptor duplicate(Descriptor source, int number) throws LinuxException {
    KernelCall dup3 = new KernelCall(SystemCall.DUP3).number(source.number()).number(number);
    return Descriptor.owning(dup3.flags(O_CLOEXEC));
  }

  private static boolean exists(int number) {
    return Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS);
  }

  @Test
  void closingWhatIsNotOpenIsAnError() {
    LinuxException e = assertThrows(LinuxException.class, () -> Descriptor.owning(999_999).close());
    assertEquals("close(999999): EBADF (Bad file descriptor)", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Descriptor.owning(-1));
  }

  @Test
  void anEventCanBeReadFromOnceItWasWritten() throws LinuxException {
    byte[] one = {1, 0, 0, 0, 0, 0, 0, 0};
    byte[] buffer = new byte[8];
    try (Descriptor event = Descriptor.event();
        Pipe pipe = Pipe.open()) {
      assertEquals(Descriptor.WOULD_BLOCK, event.tryRead(buffer, 0, 8));
      event.write(one);
      Descriptor.awaitAny(pipe.readEnd(), event);
      assertEquals(8, event.tryRead(buffer, 0, 8));
      assertArrayEquals(one, buffer);
    }
  }

  /** What is written meanwhile does not end it: that is all there still is afterwards. */
  @Test
  @Timeout(60)
  void aHangupIsWaitedForWhateverIsWritten() throws Exception {
    try (SocketPair pair = SocketPair.open()) {
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try (Descriptor end = pair.first()) {
                      end.write(Bytes.of("a"));
                      Thread.sleep(50);
                      end.write(Bytes.of("b"));
                    } catch (LinuxException | InterruptedException e) {
                      throw new IllegalStateException(e);
                    }
                  });
      pair.second().awaitHangup();
      byte[] buffer = new byte[10];
      assertEquals(2, pair.second().read(buffer));
      other.join();
    }
  }
}
