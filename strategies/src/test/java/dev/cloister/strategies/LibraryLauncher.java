package dev.cloister.strategies;

import dev.cloister.ffm.ChildProcess;
import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.ExitStatus;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import dev.cloister.ffm.Messages;
import dev.cloister.ffm.Pipe;
import dev.cloister.ffm.SocketPair;
import dev.cloister.ffm.Spawn;
import dev.cloister.spec.Handover;
import dev.cloister.spec.OsString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/** A launcher that is started with channels and descriptors, and what it says on them. */
final class LibraryLauncher implements AutoCloseable {
  static final int READY = -3;
  static final int EXECUTING = -2;
  static final int ENDED = -1;

  /** With it comes a descriptor, which is of no importance here. */
  private static final int MOUNTS = -4;

  /** In bytes, of a {@code struct rusage} (getrusage(2)) on every 64-bit machine. */
  private static final int USAGE_SIZE = 144;

  /** Above every number that a launcher is given. */
  private static final int APART = 400;

  /** So that a hanging launcher fails its test instead of stopping all others. */
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final long PAUSE_NANOS = 1_000_000;

  private final ChildProcess process;
  private final Descriptor report;
  private final Descriptor status;
  private final Descriptor output;

  private LibraryLauncher(
      ChildProcess process, Descriptor report, Descriptor status, Descriptor output) {
    this.process = process;
    this.report = report;
    this.status = status;
    this.output = output;
  }

  /** What to start a launcher with. */
  record Start(
      User user,
      Path launcher,
      Handover handover,
      Map<Integer, Descriptor> descriptors,
      List<String> environment) {
    static Start of(User user, Path launcher, Handover handover) {
      return new Start(user, launcher, handover, Map.of(), List.of("PATH=/usr/bin:/bin"));
    }

    /** With a descriptor under some number, be it a standard one. */
    Start giving(int number, Descriptor descriptor) {
      Map<Integer, Descriptor> more = new TreeMap<>(descriptors);
      more.put(number, descriptor);
      return new Start(user, launcher, handover, more, environment);
    }

    /** Starts it for a command in a directory, or in the default place if that is empty. */
    LibraryLauncher in(String directory, String... command) throws IOException {
      List<String> words = new ArrayList<>(user.become());
      words.addAll(List.of(launcher.toString(), directory));
      words.addAll(List.of(command));
      try (SocketPair report = SocketPair.open();
          Pipe status = Pipe.open();
          Pipe output = Pipe.open();
          Descriptor nothing = open("/dev/null")) {
        Map<Integer, Descriptor> all = new TreeMap<>(Map.of(0, nothing, 1, output.writeEnd()));
        all.put(2, nothing);
        all.putAll(descriptors);
        all.put(handover.report(), report.second());
        all.put(handover.status(), status.writeEnd());
        handover.gaps().forEach(gap -> all.put(gap, report.second()));
        ChildProcess process = spawn(words, all);
        return new LibraryLauncher(
            process,
            Descriptor.duplicateOf(report.first().number(), APART),
            Descriptor.duplicateOf(status.readEnd().number(), APART),
            Descriptor.duplicateOf(output.readEnd().number(), APART));
      }
    }

    private ChildProcess spawn(List<String> words, Map<Integer, Descriptor> all)
        throws IOException {
      List<Descriptor> copies = new ArrayList<>();
      try {
        Spawn spawn =
            Spawn.of(words.getFirst().getBytes(StandardCharsets.UTF_8), bytes(words), variables());
        for (Map.Entry<Integer, Descriptor> each : all.entrySet()) {
          // So that none is replaced before it was copied.
          Descriptor copy = Descriptor.duplicateOf(each.getValue().number(), APART);
          copies.add(copy);
          spawn.duplicate(copy, each.getKey());
        }
        return spawn.start();
      } finally {
        for (Descriptor copy : copies) {
          copy.close();
        }
      }
    }

    private List<byte[]> variables() {
      return bytes(environment);
    }
  }

  static List<byte[]> bytes(List<String> words) {
    return words.stream().map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
  }

  static Descriptor open(String path) throws IOException {
    return Descriptor.open(OsString.of(path).bytes(), LinuxConstant.O_RDWR);
  }

  /** Words, and after them perhaps a failure. */
  record Said(List<Integer> words, Optional<Failure> failure) {
    /** What stands before the text, and the text. */
    record Failure(int step, int errno, int status, String text) {}

    /** The status behind {@link #ENDED}, as wait4(2) has it. */
    static Optional<Integer> end(byte[] bytes) {
      ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      if (bytes.length != 2 * Integer.BYTES + USAGE_SIZE || words.getInt() != ENDED) {
        return Optional.empty();
      }
      return Optional.of(words.getInt());
    }

    static Said parse(byte[] bytes) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      List<Integer> words = new ArrayList<>();
      while (buffer.hasRemaining()) {
        int word = buffer.getInt();
        if (word >= 0) {
          Failure failure =
              new Failure(
                  word,
                  buffer.getInt(),
                  buffer.getInt(),
                  StandardCharsets.UTF_8.decode(buffer).toString());
          return new Said(words, Optional.of(failure));
        }
        if (word != MOUNTS) {
          words.add(word);
        }
      }
      return new Said(words, Optional.empty());
    }

    /** If there was none, the test fails. */
    Failure failed() {
      return failure.orElseThrow(() -> new AssertionError("no failure: " + words));
    }
  }

  /** All that it reports, to the end of that. */
  Said said() throws IOException {
    return Said.parse(readAll(report));
  }

  /** All that its waiting process says. */
  byte[] statusChannel() throws IOException {
    return readAll(status);
  }

  /** All that the command writes to its standard output, if that was not given. */
  String output() throws IOException {
    return new String(readAll(output), StandardCharsets.UTF_8);
  }

  /** Waits until it waits for its command. */
  void awaitReady() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (true) {
      Said said = Said.parse(all.toByteArray());
      if (said.words().contains(READY)) {
        return;
      }
      if (said.failure().isPresent() || !readSome(report, all)) {
        throw new AssertionError("not ready: " + Said.parse(all.toByteArray()));
      }
    }
  }

  static byte[] readAll(Descriptor channel) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    while (readSome(channel, all)) {
      // Until the end.
    }
    return all.toByteArray();
  }

  /** What comes with the bytes is closed by the kernel. */
  private static boolean readSome(Descriptor channel, ByteArrayOutputStream into)
      throws IOException {
    byte[] chunk = new byte[4096];
    try {
      int count = channel.read(chunk);
      into.write(chunk, 0, Math.max(0, count));
      return count > 0;
    } catch (LinuxException e) {
      // A socket whose other end left something unread (unix(7)).
      if (e.is(Errno.ECONNRESET)) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Sends a command to one that waits.
   *
   * @param arguments the launcher's own: its name, the directory, the command
   */
  void send(List<String> arguments, List<String> environment, List<Descriptor> standard)
      throws IOException {
    ByteArrayOutputStream strings = new ByteArrayOutputStream();
    for (List<String> words : List.of(arguments, environment)) {
      for (byte[] word : bytes(words)) {
        strings.writeBytes(word);
        strings.write(0);
      }
    }
    ByteBuffer message =
        ByteBuffer.allocate(4 * Integer.BYTES + strings.size()).order(ByteOrder.LITTLE_ENDIAN);
    message.putInt(strings.size()).putInt(arguments.size()).putInt(environment.size()).putInt(0);
    message.put(strings.toByteArray());
    Messages.send(report, message.array(), standard);
  }

  /** Closes the socket on which it waits for its command. */
  void leave() throws IOException {
    report.close();
  }

  boolean runs() throws IOException {
    return process.ended().isEmpty();
  }

  void signal(LinuxConstant signal) throws IOException {
    process.signal(signal);
  }

  ExitStatus end() throws IOException {
    long start = System.nanoTime();
    while (runs()) {
      if (System.nanoTime() - start > PATIENCE.toNanos()) {
        throw new AssertionError("it does not end: " + process.pid());
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    return process.waitFor();
  }

  /** Ends it, if that was not done. */
  @Override
  public void close() throws IOException {
    try (process;
        report;
        status;
        output) {
      if (runs()) {
        signal(LinuxConstant.SIGKILL);
        end();
      }
    }
  }
}
