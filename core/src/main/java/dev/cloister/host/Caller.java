package dev.cloister.host;

import dev.cloister.ffm.Architecture;
import dev.cloister.ffm.Identity;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.LinuxException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.StringTokenizer;

/**
 * Who asks for a sandbox.
 *
 * @param uid effective
 * @param gid effective
 * @param setuid whether the real ids are others: this process was started set-user-ID
 * @param groups supplementary
 * @param setgroups whether this user namespace lets groups be changed at all (user_namespaces(7))
 * @param capabilities effective, one bit each (capabilities(7))
 * @param noNewPrivs as prctl(2) PR_GET_NO_NEW_PRIVS
 * @param seccomp 0 none, 1 strict, 2 a filter
 */
public record Caller(
    long uid,
    long gid,
    boolean setuid,
    List<Long> groups,
    boolean setgroups,
    long capabilities,
    boolean noNewPrivs,
    int seccomp) {
  public Caller {
    groups = List.copyOf(groups);
  }

  /**
   * Reads {@code /proc/self/status} (proc_pid_status(5)) and {@code /proc/self/setgroups}; asks the
   * kernel by system calls where no {@code /proc} is mounted.
   *
   * @throws IOException if neither works
   */
  public static Caller current() throws IOException {
    List<String> status;
    try {
      status = SmallFiles.lines(Path.of("/proc/self/status"), StandardCharsets.ISO_8859_1);
    } catch (NoSuchFileException e) {
      return bySystemCalls();
    }
    byte[] setgroups = SmallFiles.read(Path.of("/proc/self/setgroups"));
    return parse(status, new String(setgroups, StandardCharsets.ISO_8859_1).strip());
  }

  /** The first such call costs a starting JVM more than all else, so it is the second choice. */
  static Caller bySystemCalls() throws IOException {
    try {
      Identity identity = Identity.current();
      int seccompIsNotKnown = 0;
      return new Caller(
          identity.effectiveUser(),
          identity.effectiveGroup(),
          identity.user() != identity.effectiveUser()
              || identity.group() != identity.effectiveGroup(),
          Identity.groups(),
          Identity.maySetGroups(),
          Identity.capabilities(),
          Identity.noNewPrivs(),
          seccompIsNotKnown);
    } catch (LinuxException e) {
      throw new IOException(e);
    }
  }

  static Caller parse(List<String> status, String setgroups) {
    Map<String, String> fields = new HashMap<>();
    for (String line : status) {
      int colon = line.indexOf(':');
      fields.put(line.substring(0, colon), line.substring(colon + 1));
    }
    List<String> uid = words(fields.getOrDefault("Uid", ""));
    List<String> gid = words(fields.getOrDefault("Gid", ""));
    return new Caller(
        Long.parseLong(uid.get(1)),
        Long.parseLong(gid.get(1)),
        !uid.get(0).equals(uid.get(1)) || !gid.get(0).equals(gid.get(1)),
        groups(words(fields.getOrDefault("Groups", ""))),
        setgroups.equals("allow"),
        Long.parseUnsignedLong(fields.getOrDefault("CapEff", "0").strip(), 16),
        fields.getOrDefault("NoNewPrivs", "0").strip().equals("1"),
        Integer.parseInt(fields.getOrDefault("Seccomp", "0").strip()));
  }

  /** What stands between tabs and blanks. */
  private static List<String> words(String text) {
    List<String> words = new ArrayList<>();
    StringTokenizer tokenizer = new StringTokenizer(text);
    while (tokenizer.hasMoreTokens()) {
      words.add(tokenizer.nextToken());
    }
    return words;
  }

  private static List<Long> groups(List<String> words) {
    List<Long> groups = new ArrayList<>();
    for (String word : words) {
      groups.add(Long.valueOf(word));
    }
    return groups;
  }

  /** The same caller after it has given up its capabilities. */
  public Caller withoutCapabilities() {
    return new Caller(uid, gid, setuid, groups, setgroups, 0, noNewPrivs, seccomp);
  }

  /** Whether the capability is effective. */
  public boolean has(LinuxConstant capability) {
    // Capability numbers are the same everywhere (linux/capability.h).
    return (capabilities >> capability.value(Architecture.X86_64) & 1) != 0;
  }

  /** Whether the supplementary groups can be dropped. */
  public boolean canDropGroups() {
    return setgroups && has(LinuxConstant.CAP_SETGID);
  }

  /** Whether mounts can be made without a user namespace. */
  public boolean isPrivileged() {
    return has(LinuxConstant.CAP_SYS_ADMIN);
  }

  /** Written out: what javac makes for a record links method handles at run time, for 20 ms. */
  @Override
  public String toString() {
    return "uid "
        + uid
        + " gid "
        + gid
        + (setuid ? " setuid" : "")
        + " groups "
        + groups
        + " capabilities "
        + Long.toHexString(capabilities)
        + (noNewPrivs ? " no_new_privs" : "")
        + " seccomp "
        + seccomp;
  }
}
