package dev.cloister.ffm;

import static dev.cloister.ffm.LinuxConstant.EPOLLIN;
import static dev.cloister.ffm.LinuxConstant.EPOLLOUT;
import static dev.cloister.ffm.LinuxConstant.O_RDONLY;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

@Timeout(60)
class EventQueueTest {
  private EventQueue queue;
  private Pipe first;
  private Pipe second;

  @BeforeEach
  void open() throws Exception {
    queue = EventQueue.open();
    first = Pipe.open();
    second = Pipe.open();
  }

  @AfterEach
  void close() throws Exception {
    queue.close();
    first.close();
    second.close();
  }

  /** The tokens of one wait. */
  private List<Long> await() throws LinuxException {
    long[] tokens = new long[8];
    int count = queue.await(tokens);
    return Arrays.stream(tokens, 0, count).boxed().sorted().toList();
  }

  @Test
  void givesTheTokenOfWhatIsReady() throws Exception {
    queue.watch(first.readEnd(), Long.MIN_VALUE + 1, EPOLLIN);
    queue.watch(second.readEnd(), Long.MAX_VALUE, EPOLLIN);
    second.writeEnd().write(Bytes.of("x"));
    assertEquals(List.of(Long.MAX_VALUE), await());
    first.writeEnd().write(Bytes.of("x"));
    assertEquals(List.of(Long.MIN_VALUE + 1), await());
  }

  @Test
  void anEventComesOnceUntilItIsAskedForAgain() throws Exception {
    queue.watch(first.readEnd(), 1, EPOLLIN);
    queue.watch(second.readEnd(), 2, EPOLLIN);
    first.writeEnd().write(Bytes.of("x"));
    assertEquals(List.of(1L), await());
    second.writeEnd().write(Bytes.of("x"));
    assertEquals(List.of(2L), await(), "the first can be read from as well");
    queue.rearm(first.readEnd(), 3, EPOLLIN);
    assertEquals(List.of(3L), await());
  }

  @Test
  void watchesForRoom() throws Exception {
    queue.watch(first.writeEnd(), 1, EPOLLOUT);
    assertEquals(List.of(1L), await());
    queue.rearm(first.writeEnd(), 1, EPOLLIN);
    first.readEnd().close();
    assertEquals(List.of(1L), await(), "an error always counts");
  }

  @Test
  void whatDoesNotFitComesWithTheNextWait() throws Exception {
    List<Pipe> pipes = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      Pipe pipe = Pipe.open();
      pipes.add(pipe);
      queue.watch(pipe.writeEnd(), i, EPOLLOUT);
    }
    List<Long> seen = new ArrayList<>();
    long[] few = new long[3];
    int count = queue.await(few);
    assertEquals(3, count);
    Arrays.stream(few).forEach(seen::add);
    long[] many = new long[1000];
    while (seen.size() < 100) {
      count = queue.await(many);
      Arrays.stream(many, 0, count).forEach(seen::add);
    }
    assertEquals(100, seen.stream().distinct().count());
    for (Pipe pipe : pipes) {
      pipe.close();
    }
  }

  @Test
  void anotherThreadMayWakeIt() throws Exception {
    try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Future<List<Long>> waiting = threads.submit(this::await);
      queue.watch(first.readEnd(), 1, EPOLLIN);
      first.writeEnd().write(Bytes.of("x"));
      assertEquals(List.of(1L), waiting.get());
    }
  }

  @Test
  void forgetsWhatItIsTold() throws Exception {
    queue.watch(first.readEnd(), 1, EPOLLIN);
    queue.watch(second.readEnd(), 2, EPOLLIN);
    first.writeEnd().write(Bytes.of("x"));
    queue.forget(first.readEnd());
    queue.forget(first.readEnd());
    second.writeEnd().write(Bytes.of("x"));
    assertEquals(List.of(2L), await());
    queue.watch(first.readEnd(), 3, EPOLLIN);
    assertEquals(List.of(3L), await());
  }

  @Test
  void seesTheEndOfAProcess() throws Exception {
    try (ChildProcess child = shell("exit 7").start()) {
      queue.watch(child.pidfd().orElseThrow(), child.pid(), EPOLLIN);
      assertEquals(List.of((long) child.pid()), await());
      assertEquals(new ExitStatus.Exited(7), child.ended().orElseThrow().status());
    }
  }

  /** signal(7): a stopped process's epoll_pwait(2) fails with EINTR when it goes on. */
  @Test
  void aStopDoesNotEndTheWait() throws Exception {
    String script = "kill -STOP $PPID; sleep 0.1; kill -CONT $PPID; sleep 0.1; echo x";
    try (ChildProcess child = shell(script).duplicate(first.writeEnd(), 1).start()) {
      queue.watch(first.readEnd(), 1, EPOLLIN);
      assertEquals(List.of(1L), await());
      assertEquals(new ExitStatus.Exited(0), child.waitFor());
    }
  }

  private static Spawn shell(String script) {
    return Spawn.of(Bytes.of("/bin/sh"), Bytes.listOf("sh", "-c", script), List.of());
  }

  @Test
  void mistakesAreErrors() throws Exception {
    queue.watch(first.readEnd(), 1, EPOLLIN);
    assertFails(Errno.EEXIST, () -> queue.watch(first.readEnd(), 2, EPOLLIN));
    assertFails(Errno.ENOENT, () -> queue.rearm(second.readEnd(), 2, EPOLLIN));
    assertFails(Errno.EINVAL, () -> queue.await(new long[0]));
    try (Descriptor directory = Descriptor.open(Bytes.of("/"), O_RDONLY)) {
      assertFails(Errno.EPERM, () -> queue.watch(directory, 3, EPOLLIN));
    }
    queue.close();
    assertThrows(IllegalStateException.class, () -> queue.await(new long[1]));
  }

  private static void assertFails(Errno errno, Executable call) {
    LinuxException e = assertThrows(LinuxException.class, call);
    assertEquals(errno, e.errno().orElseThrow(), e.getMessage());
  }
}
