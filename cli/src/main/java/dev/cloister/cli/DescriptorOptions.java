package dev.cloister.cli;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import dev.cloister.spec.CallerDescriptors;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What options say of descriptors of the caller's. */
final class DescriptorOptions {
  private static final int CHUNK = 1 << 16;

  private Optional<Wish> held = Optional.empty();
  private Optional<Wish> awaited = Optional.empty();
  private final List<Wish> read = new ArrayList<>();

  private record Wish(RunOption option, int number) {
    @Override
    public String toString() {
      return option.word() + " " + number;
    }
  }

  /** One to keep open; a later one takes its place, as in bubblewrap. */
  void hold(RunOption option, OsString value) throws CliException {
    held = Optional.of(onlyLast(held, option, value));
  }

  /** One to wait for; likewise. */
  void await(RunOption option, OsString value) throws CliException {
    awaited = Optional.of(onlyLast(awaited, option, value));
  }

  private static Wish onlyLast(Optional<Wish> earlier, RunOption option, OsString value)
      throws CliException {
    Wish wish = new Wish(option, number(option, value));
    earlier.ifPresent(
        other -> Messages.print("only the last " + option.word() + " takes effect: not " + other));
    return wish;
  }

  /** One that is used up: it cannot be another option's, too. */
  int use(RunOption option, OsString value) throws CliException {
    Wish wish = new Wish(option, number(option, value));
    for (Wish other : read) {
      if (other.number() == wish.number()) {
        throw new CliException(wish + ": an earlier " + other + " leaves nothing of it");
      }
    }
    read.add(wish);
    return wish.number();
  }

  /** The number that an option says. */
  static int number(RunOption option, OsString value) throws CliException {
    // Nothing but digits: Long.parseLong would take more.
    String text = value.toString();
    long number = Digits.only(text, 10) ? Long.parseLong(text) : Long.MAX_VALUE;
    if (number > Integer.MAX_VALUE) {
      throw new CliException(
          "%s %s: not the number of a descriptor".formatted(option.word(), Messages.value(value)),
          "Invalid fd: " + value);
    }
    return (int) number;
  }

  /**
   * What this program reads of a descriptor itself: from where the caller left off, to the end or
   * to so many bytes.
   */
  static byte[] content(int number, int most) throws LinuxException {
    // The script's descriptor, not this process's to close.
    @SuppressWarnings("resource")
    Descriptor descriptor = Descriptor.owning(number);
    byte[] buffer = new byte[most];
    int size = 0;
    while (size < buffer.length) {
      byte[] chunk = new byte[Math.min(buffer.length - size, CHUNK)];
      int count = descriptor.read(chunk);
      if (count < 0) {
        break;
      }
      System.arraycopy(chunk, 0, buffer, size, count);
      size += count;
    }
    return Arrays.copyOf(buffer, size);
  }

  /** Where a descriptor leads, for a moment. */
  static OsString path(RunOption option, int number, Invocation invocation) throws CliException {
    Wish wish = new Wish(option, number);
    try {
      if (!invocation.inherited(number)) {
        throw new CliException(wish + ": not an open descriptor");
      }
      Path path = invocation.target(number);
      if (path.isAbsolute()) {
        return OsString.of(path);
      }
      throw new CliException(wish + ": leads to nothing that has a path: " + path);
    } catch (IOException e) {
      throw new CliException(wish + ": cannot be found in /proc: " + e.getMessage());
    }
  }

  /** Adds them all. */
  CallerDescriptors addTo(CallerDescriptors had) {
    CallerDescriptors all = had;
    for (Wish wish : read) {
      all = all.using(wish.option().word(), wish.number());
    }
    if (awaited.isPresent()) {
      all = all.awaiting(awaited.get().option().word(), awaited.get().number());
    }
    if (held.isPresent()) {
      all = all.holding(held.get().option().word(), held.get().number());
    }
    return all;
  }

  /** Refuses what is not open. A launcher that was kept finds that out itself. */
  static void check(CallerDescriptors descriptors, Invocation invocation) throws CliException {
    for (CallerDescriptors.Use use : descriptors.uses()) {
      if (!isOpen(use.number(), invocation)) {
        throw new CliException(use + ": not an open descriptor");
      }
    }
  }

  /** Without /proc, the launcher will say. */
  private static boolean isOpen(int number, Invocation invocation) {
    try {
      return invocation.inherited(number);
    } catch (IOException e) {
      return true;
    }
  }
}
