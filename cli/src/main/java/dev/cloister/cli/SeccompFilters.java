package dev.cloister.cli;

import dev.cloister.ffm.LinuxException;
import dev.cloister.seccomp.BpfProgram;
import dev.cloister.seccomp.DefaultProfile;
import dev.cloister.seccomp.MalformedFilterException;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SeccompFilter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The filters that options ask for. */
final class SeccompFilters {
  /** In bytes: struct sock_filter (seccomp(2)). */
  private static final int INSTRUCTION_SIZE = 8;

  /** What the three options said, in the order in which they were said. */
  private final List<Wish> wishes = new ArrayList<>();

  private final Dialect dialect;
  private boolean profile;

  /**
   * None yet.
   *
   * @param dialect whose warnings are said elsewhere, if it is bubblewrap's
   */
  SeccompFilters(Dialect dialect) {
    this.dialect = dialect;
  }

  private record Wish(RunOption option, OsString descriptor, int number) {
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
    Wish wish = new Wish(option, descriptor, DescriptorOptions.number(option, descriptor));
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
              .formatted(wish.option().word(), Messages.value(wish.descriptor())),
          "%s cannot be combined with %s".formatted(wish.option().word(), last.option().word()));
    }
    if (wish.option() == RunOption.SECCOMP) {
      if (dialect == Dialect.CLOISTER) {
        Messages.print("only the last --seccomp takes effect: not " + last.words());
      }
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
    List<byte[]> contents = new ArrayList<>();
    Set<Integer> numbers = new HashSet<>();
    for (Wish wish : wishes) {
      contents.add(read(wish, numbers.add(wish.number()), invocation));
    }
    for (int i = 0; i < contents.size(); i++) {
      filters.add(parse(wishes.get(i), contents.get(i)));
    }
    return filters;
  }

  /**
   * Reads one.
   *
   * @param isFirst whether no other has the same descriptor, which is at its end then
   */
  private static byte[] read(Wish wish, boolean isFirst, Invocation invocation)
      throws CliException {
    try {
      Optional<String> reason = invocation.unreadable(wish.number());
      if (reason.isPresent()) {
        throw unreadable(wish, reason.get(), "Bad file descriptor");
      }
      if (!isFirst) {
        throw unreadable(wish, "is empty, as it was read before", "Bad file descriptor");
      }
      // Not by its name in /proc: that would open the file anew, which the user may not be allowed
      // to, and a socket has no such name.
      byte[] content = DescriptorOptions.content(wish.number(), BpfProgram.MAX_SIZE + 1);
      if (content.length < BpfProgram.MAX_SIZE && content.length % INSTRUCTION_SIZE != 0) {
        throw new CliException(
            wish.words()
                + ": not a seccomp filter: its %d bytes are not a multiple of %d"
                    .formatted(content.length, INSTRUCTION_SIZE),
            "Invalid seccomp data, must be multiple of " + INSTRUCTION_SIZE);
      }
      return content;
    } catch (LinuxException e) {
      throw unreadable(wish, "cannot be read: " + e.getMessage(), String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new CliException(wish.words() + ": cannot be found in /proc: " + e.getMessage());
    }
  }

  private static CliException unreadable(Wish wish, String why, String bubblewraps) {
    return new CliException(wish.words() + ": " + why, "Can't read seccomp data: " + bubblewraps);
  }

  private static SeccompFilter parse(Wish wish, byte[] content) throws CliException {
    try {
      return BpfProgram.of(content);
    } catch (MalformedFilterException e) {
      throw new CliException(wish.words() + ": not a seccomp filter: " + e.getMessage());
    }
  }
}
