package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Which options bubblewrap 0.11.1 has, and with how many operands. */
final class BwrapOptionTest {
  /** As its {@code --help} and bwrap(1) list them; {@code --help} itself is the parser's. */
  private static final Map<String, Integer> BUBBLEWRAPS =
      Map.ofEntries(
          Map.entry("--version", 0),
          Map.entry("--args", 1),
          Map.entry("--argv0", 1),
          Map.entry("--level-prefix", 0),
          Map.entry("--unshare-all", 0),
          Map.entry("--share-net", 0),
          Map.entry("--unshare-user", 0),
          Map.entry("--unshare-user-try", 0),
          Map.entry("--unshare-ipc", 0),
          Map.entry("--unshare-pid", 0),
          Map.entry("--unshare-net", 0),
          Map.entry("--unshare-uts", 0),
          Map.entry("--unshare-cgroup", 0),
          Map.entry("--unshare-cgroup-try", 0),
          Map.entry("--userns", 1),
          Map.entry("--userns2", 1),
          Map.entry("--disable-userns", 0),
          Map.entry("--assert-userns-disabled", 0),
          Map.entry("--pidns", 1),
          Map.entry("--uid", 1),
          Map.entry("--gid", 1),
          Map.entry("--hostname", 1),
          Map.entry("--chdir", 1),
          Map.entry("--clearenv", 0),
          Map.entry("--setenv", 2),
          Map.entry("--unsetenv", 1),
          Map.entry("--lock-file", 1),
          Map.entry("--sync-fd", 1),
          Map.entry("--bind", 2),
          Map.entry("--bind-try", 2),
          Map.entry("--dev-bind", 2),
          Map.entry("--dev-bind-try", 2),
          Map.entry("--ro-bind", 2),
          Map.entry("--ro-bind-try", 2),
          Map.entry("--bind-fd", 2),
          Map.entry("--ro-bind-fd", 2),
          Map.entry("--remount-ro", 1),
          Map.entry("--overlay-src", 1),
          Map.entry("--overlay", 3),
          Map.entry("--tmp-overlay", 1),
          Map.entry("--ro-overlay", 1),
          Map.entry("--exec-label", 1),
          Map.entry("--file-label", 1),
          Map.entry("--proc", 1),
          Map.entry("--dev", 1),
          Map.entry("--tmpfs", 1),
          Map.entry("--mqueue", 1),
          Map.entry("--dir", 1),
          Map.entry("--file", 2),
          Map.entry("--bind-data", 2),
          Map.entry("--ro-bind-data", 2),
          Map.entry("--symlink", 2),
          Map.entry("--seccomp", 1),
          Map.entry("--add-seccomp-fd", 1),
          Map.entry("--block-fd", 1),
          Map.entry("--userns-block-fd", 1),
          Map.entry("--info-fd", 1),
          Map.entry("--json-status-fd", 1),
          Map.entry("--new-session", 0),
          Map.entry("--die-with-parent", 0),
          Map.entry("--as-pid-1", 0),
          Map.entry("--cap-add", 1),
          Map.entry("--cap-drop", 1),
          Map.entry("--perms", 1),
          Map.entry("--size", 1),
          Map.entry("--chmod", 2));

  @Test
  void eachOfBubblewrapsIsKnownWithItsOperands() {
    for (Map.Entry<String, Integer> option : new TreeMap<>(BUBBLEWRAPS).entrySet()) {
      Optional<CliOption> found = BwrapOption.find(option.getKey());
      assertTrue(found.isPresent(), option::getKey);
      assertEquals(option.getValue(), found.get().operands().size(), option::getKey);
    }
  }

  @Test
  void noOtherIs() {
    Set<String> others = new TreeSet<>();
    for (RunOption option : RunOption.values()) {
      if (BwrapOption.find(option.word()).isPresent() && !BUBBLEWRAPS.containsKey(option.word())) {
        others.add(option.word());
      }
    }
    assertEquals(Set.of(), others);
  }
}
