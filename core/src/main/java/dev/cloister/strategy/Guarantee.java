package dev.cloister.strategy;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a sandbox can be relied on for. Which of these hold depends on the strategy, on who calls
 * and on what the specification asks for; {@code docs/guarantees.md} names the test that attacks
 * each.
 */
public enum Guarantee {
  OLD_ROOT_UNREACHABLE(
      "old-root-unreachable",
      "no path, descriptor or process leads the command to the host's root",
      "allow user namespaces: `cloister probe` says what forbids them"),

  OLD_ROOT_UNMOUNTED(
      "old-root-unmounted",
      "the host's root is not mounted in the sandbox, not even below the new"),

  NO_CAPABILITIES(
      "no-capabilities",
      "the command has no capability, and no program it executes gets one",
      "leave out --cap-add"),

  NO_NEW_PRIVILEGES(
      "no-new-privileges", "set-user-ID bits and file capabilities give the command nothing"),

  OWN_USER_NAMESPACE(
      "own-user-namespace",
      "the command's user namespace owns none of its mounts and, but for what --cap-add is to act"
          + " on, no other namespace",
      "allow user namespaces: `cloister probe` says what forbids them"),

  UNPRIVILEGED_USER(
      "unprivileged-user",
      "the command does not own what belongs to root where Cloister is called",
      "add --uid with another id than 0; a root without CAP_SYS_ADMIN must call as another user"),

  GROUPS_DROPPED(
      "groups-dropped",
      "no supplementary group of the caller's opens anything to the command",
      "call without supplementary groups: only a caller with CAP_SYS_ADMIN and CAP_SETGID drops"
          + " them"),

  NO_INHERITED_DESCRIPTORS(
      "no-inherited-descriptors", "no descriptor but 0, 1 and 2 is open in the command"),

  READ_ONLY_RECURSIVE(
      "read-only-recursive", "what is bound read-only is so on every mount below it, too"),

  NO_MOUNT_PROPAGATION(
      "no-mount-propagation", "what the host mounts later does not appear in the sandbox"),

  NO_SYMLINK_RACES(
      "no-symlink-races",
      "no symbolic link that is planted while the sandbox is made leads a mount point out of it"),

  NETWORK_ISOLATION(
      "network-isolation",
      "the host's network devices, ports and abstract sockets are out of reach",
      "add --unshare-net"),

  IPC_ISOLATION(
      "ipc-isolation",
      "the host's System V shared memory, semaphores and message queues are out of reach",
      "add --unshare-ipc"),

  PID_ISOLATION(
      "pid-isolation", "no process outside can be sent a signal or traced", "add --unshare-pid"),

  IN_PLACE(
      "in-place",
      "the command has the pid of the process that was started, and none waits for it",
      "leave out what somebody must wait for: --unshare-pid, --die-with-parent, --new-session,"
          + " --timeout, --memory, --pids, --cpu, --pidns, --json-status-fd, --lock-file and"
          + " --sync-fd");

  private final String word;
  private final String meaning;
  private final String remedy;

  Guarantee(String word, String meaning) {
    this(word, meaning, "no strategy that can be used gives it");
  }

  Guarantee(String word, String meaning, String remedy) {
    this.word = word;
    this.meaning = meaning;
    this.remedy = remedy;
  }

  /** As in {@code --require}. */
  public String word() {
    return word;
  }

  /** What it says, in a sentence for a person. */
  public String meaning() {
    return meaning;
  }

  /** What to do where no strategy gives it. */
  String remedy() {
    return remedy;
  }

  public static Optional<Guarantee> of(String word) {
    for (Guarantee guarantee : values()) {
      if (guarantee.word.equals(word)) {
        return Optional.of(guarantee);
      }
    }
    return Optional.empty();
  }

  /** All that are not among {@code guarantees}. */
  public static Set<Guarantee> allBut(Set<Guarantee> guarantees) {
    Set<Guarantee> rest = EnumSet.allOf(Guarantee.class);
    rest.removeAll(guarantees);
    return Collections.unmodifiableSet(rest);
  }

  /** Their words, for a person. */
  public static String words(Set<Guarantee> guarantees) {
    StringBuilder words = new StringBuilder();
    for (Guarantee guarantee : guarantees) {
      words.append(words.isEmpty() ? "" : ", ").append(guarantee.word);
    }
    return words.isEmpty() ? "nothing" : words.toString();
  }

  /** Unchangeable, and in the order of the constants. */
  static Set<Guarantee> copy(Set<Guarantee> guarantees) {
    return Collections.unmodifiableSet(new TreeSet<>(guarantees));
  }
}
