package dev.cloister.cli;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.LinuxException;
import dev.cloister.seccomp.BpfProgram;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.seccomp.MalformedFilterException;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SeccompFilter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The filters that options ask for. */
final class SeccompFilters {
  /** What the three options said, in the order in which they were said. */
  private final List<Wish> wishes = new ArrayList<>();

  private boolean profile;

  private record Wish(RunOption option, OsString descriptor) {
    String words() {
      return option.word() + " " + Messages.value(descriptor);
    }
  }

  /**
   * A filter that may be the only one of its kind; a later one takes its place, as in bubblewrap.
   */
  void only(OsString descriptor) throws CliException {
    add(RunOption.SECCOMP, descriptor);
  }

  void add(RunOption option, OsString descriptor) throws CliException {
    Wish wish = new Wish(option, descriptor);
    number(wish);
    if (!wishes.isEmpty()) {
      replaceOrRefuse(wish);
    }
    wishes.add(wish);
  }

  private void replaceOrRefuse(Wish wish) throws CliException {
    Wish last = wishes.getLast();
    if (last.option() != wish.option()) {
      throw new CliException(
          "%s %s: --seccomp cannot be combined with --add-seccomp-fd"
              .formatted(wish.option().word(), Messages.value(wish.descriptor())));
    }
    if (wish.option() == RunOption.SECCOMP) {
      Messages.print("only the last --seccomp takes effect: not " + last.words());
      wishes.clear();
    }
  }

  void profile(OsString name) throws CliException {
    profile =
        switch (name.toString()) {
          case "default" -> true;
          case "none" -> false;
          default ->
              throw new CliException(
                  "--seccomp-profile %s: not one of default, none".formatted(Messages.value(name)));
        };
  }

  /**
   * Reads them. The default profile comes first: it lets more filters be installed, which others
   * need not.
   */
  List<SeccompFilter> read(Invocation invocation) throws CliException {
    List<SeccompFilter> filters = new ArrayList<>();
    if (profile) {
      filters.add(DefaultProfile.INSTANCE);
    }
    for (Wish wish : wishes) {
      filters.add(read(wish, invocation));
    }
    return filters;
  }

  private static SeccompFilter read(Wish wish, Invocation invocation) throws CliException {
    int number = number(wish);
    try {
      if (!invocation.inherited(number)) {
        throw new CliException(wish.words() + ": not an open descriptor");
      }
      return BpfProgram.of(content(number));
    } catch (MalformedFilterException e) {
      throw new CliException(wish.words() + ": not a seccomp filter: " + e.getMessage());
    } catch (LinuxException e) {
      throw new CliException(wish.words() + ": cannot be read: " + e.getMessage());
    } catch (IOException e) {
      throw new CliException(wish.words() + ": cannot be found in /proc: " + e.getMessage());
    }
  }

  private static int number(Wish wish) throws CliException {
    String text = wish.descriptor().toString();
    // Nothing but digits: Long.parseLong would take more.
    if (text.matches("[0-9]{1,10}") && Long.parseLong(text) <= Integer.MAX_VALUE) {
      return Integer.parseInt(text);
    }
    throw new CliException(wish.words() + ": not the number of a descriptor");
  }

  /**
   * From where the caller left off, to the end. Not by its name in /proc: that would open the file
   * anew, which the user may not be allowed to, and a socket has no such name.
   */
  private static byte[] content(int number) throws LinuxException {
    // The script's descriptor, not this process's to close.
    @SuppressWarnings("resource")
    Descriptor descriptor = Descriptor.owning(number);
    byte[] buffer = new byte[BpfProgram.MAX_SIZE + 1];
    int size = 0;
    while (size < buffer.length) {
      byte[] chunk = new byte[buffer.length - size];
      int count = descriptor.read(chunk);
      if (count < 0) {
        break;
      }
      System.arraycopy(chunk, 0, buffer, size, count);
      size += count;
    }
    return Arrays.copyOf(buffer, size);
  }
}
