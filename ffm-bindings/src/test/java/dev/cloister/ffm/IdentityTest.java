package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class IdentityTest {
  @Test
  void isTheKernels() throws Exception {
    Identity identity = Identity.current();
    assertEquals(ids("Uid:"), List.of(identity.user(), identity.effectiveUser()));
    assertEquals(ids("Gid:"), List.of(identity.group(), identity.effectiveGroup()));
  }

  @Test
  void saysWhatProcSays() throws Exception {
    assertEquals(Long.parseUnsignedLong(field("CapEff:"), 16), Identity.capabilities());
    assertEquals(field("NoNewPrivs:").equals("1"), Identity.noNewPrivs());
    String groups =
        Identity.groups().stream().map(String::valueOf).collect(Collectors.joining(" "));
    assertEquals(field("Groups:"), groups);
  }

  @Test
  void settingTheSameGroupsChangesNothing() throws Exception {
    boolean expected =
        (Identity.capabilities() >> LinuxConstant.CAP_SETGID.value(KernelCall.HOST) & 1) == 1
            && Files.readString(Path.of("/proc/self/setgroups")).strip().equals("allow");
    List<Long> before = Identity.groups();
    assertEquals(expected, Identity.maySetGroups());
    assertEquals(before, Identity.groups());
  }

  private static String field(String name) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.substring(name.length()).strip())
        .findAny()
        .orElseThrow();
  }

  private static List<Long> ids(String name) throws Exception {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith(name))
        .map(line -> line.split("\t", -1))
        .map(words -> List.of(Long.valueOf(words[1]), Long.valueOf(words[2])))
        .findAny()
        .orElseThrow();
  }
}
