package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxCommand;
import dev.cloister.sandbox.SandboxProcess;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Variables, arguments and the directory of a sandboxed process. */
@Timeout(120)
class ProcessEnvironmentTest {
  private static String output(SandboxCommand command) throws Exception {
    SandboxProcess process = command.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    String error = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), error);
    return output;
  }

  private static Map<String, String> variables(SandboxCommand env) throws Exception {
    Map<String, String> variables = new TreeMap<>();
    for (String line : output(env).split("\0", -1)) {
      int equals = line.indexOf('=');
      if (equals >= 0) {
        variables.put(line.substring(0, equals), line.substring(equals + 1));
      }
    }
    return variables;
  }

  @EachSandbox
  void isThisProgramsAtFirst(SandboxKind kind) throws Exception {
    SandboxCommand env = kind.sandbox().command("/usr/bin/env", "-0");
    assertEquals(System.getenv(), env.environment());
    assertEquals(new TreeMap<>(System.getenv()), variables(env));
    assertEquals(
        new TreeMap<>(System.getenv()), variables(kind.sandbox().command("/usr/bin/env", "-0")));
  }

  @EachSandbox
  void isExactlyWhatWasAskedFor(SandboxKind kind) throws Exception {
    SandboxCommand env = kind.sandbox().command("/usr/bin/env", "-0");
    Map<String, String> expected =
        Map.of("A", "", "B", "a=b\nc", "LANG", "C", "ü", "\u20ac\ud83d\ude00", "with space", " ");
    env.environment().clear();
    env.environment().putAll(expected);
    assertEquals(new TreeMap<>(expected), variables(env));
  }

  @EachSandbox
  void canBeEmpty(SandboxKind kind) throws Exception {
    SandboxCommand env = kind.sandbox().command("/usr/bin/env", "-0");
    env.environment().clear();
    assertEquals(Map.of(), variables(env));
  }

  @EachSandbox
  void followsTheSandboxs(SandboxKind kind) throws Exception {
    try (Sandbox sandbox =
        kind.builder().clearEnv().keepEnv("PATH").setEnv("A", "1").setEnv("B", "2").build()) {
      SandboxCommand env = sandbox.command("env", "-0");
      assertEquals("1", env.environment().put("A", "3"));
      assertEquals("2", env.environment().remove("B"));
      assertNull(env.environment().put("C", "4"));
      Map<String, String> expected = Map.of("PATH", System.getenv("PATH"), "A", "3", "C", "4");
      assertEquals(new TreeMap<>(expected), variables(env));
      assertEquals("2", sandbox.command("env").environment().get("B"));
    }
  }

  @Test
  void isAMapAsProcessBuilders() throws Exception {
    List<Consumer<Map<String, String>>> misuses = new ArrayList<>();
    misuses.add(map -> map.put("A=B", "1"));
    misuses.add(map -> map.put("=A", "1"));
    misuses.add(map -> map.put("A\0", "1"));
    misuses.add(map -> map.put("A", "\0"));
    for (Consumer<Map<String, String>> each : nulls()) {
      misuses.add(each);
    }
    for (Consumer<Map<String, String>> misuse : misuses) {
      Map<String, String> plain = new ProcessBuilder("true").environment();
      Map<String, String> own = SandboxKind.PIVOT_ROOT.sandbox().command("true").environment();
      Exception expected = assertThrows(RuntimeException.class, () -> misuse.accept(plain));
      Exception actual = assertThrows(RuntimeException.class, () -> misuse.accept(own));
      assertEquals(expected.getClass(), actual.getClass());
      assertEquals(plain, own);
    }
  }

  @SuppressWarnings("NullAway") // that is what is tested
  private static List<Consumer<Map<String, String>>> nulls() {
    return List.of(
        map -> map.put(null, "1"),
        map -> map.put("A", null),
        map -> map.get(null),
        map -> assertFalse(map.containsKey(null)),
        map -> assertFalse(map.containsValue(null)),
        map -> map.remove(null));
  }

  @Test
  void canBeSearchedAndChangedThroughItsViews() throws Exception {
    for (Map<String, String> map :
        List.of(
            new ProcessBuilder("true").environment(),
            SandboxKind.PIVOT_ROOT.sandbox().command("true").environment())) {
      map.clear();
      map.put("A", "1");
      map.put("B", "2");
      assertTrue(map.containsKey("A"));
      assertTrue(map.containsValue("2"));
      assertFalse(map.containsKey("2"));
      assertTrue(map.keySet().remove("A"));
      assertEquals(Map.of("B", "2"), map);
      map.entrySet().iterator().next().setValue("3");
      assertEquals("3", map.get("B"));
      assertTrue(map.values().remove("3"));
      assertTrue(map.isEmpty());
    }
  }

  @EachSandbox
  void argumentsArriveAsTheyAre(SandboxKind kind) throws Exception {
    String script = "for i in \"$@\"; do printf '%s|' \"$i\"; done";
    List<String> command =
        List.of(
            "/bin/sh", "-c", script, "sh", "", " ", "a b", "\n", "*", "ü\u20ac\ud83d\ude00", "--");
    String plain =
        new String(new ProcessBuilder(command).start().getInputStream().readAllBytes(), UTF_8);
    String own = output(kind.sandbox().command(command));
    assertEquals("| |a b|\n|*|ü\u20ac\ud83d\ude00|--|", own);
    if (System.getProperty("sun.jnu.encoding").equals("UTF-8")) {
      assertEquals(plain, own);
    }
  }

  @EachSandbox
  void thereCanBeAMegabyteOfArguments(SandboxKind kind) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "echo $#", "sh"));
    // Fewer than bubblewrap's limit of 9000 words.
    for (int i = 0; i < 5_000; i++) {
      command.add("x".repeat(210));
    }
    assertEquals("5000\n", output(kind.sandbox().command(command)));
  }

  @EachSandbox
  void theDirectoryIsOneInside(SandboxKind kind) throws Exception {
    assertEquals("/usr/bin\n", output(pwd(kind).directory(Path.of("/usr/bin"))));
    assertEquals("/usr\n", output(pwd(kind).directory(new File("/usr"))));
    try (Sandbox sandbox = kind.builder().chdir(Path.of("/usr")).build()) {
      assertEquals("/usr\n", output(sandbox.command("pwd")));
      assertEquals("/usr/bin\n", output(sandbox.command("pwd").directory(Path.of("bin"))));
      assertEquals("/etc\n", output(sandbox.command("pwd").directory(Path.of("/etc"))));
    }
  }

  private static SandboxCommand pwd(SandboxKind kind) throws Exception {
    return kind.sandbox().command("/bin/pwd");
  }

  @EachSandbox
  void aNameWithoutASlashIsSearchedInThePathInside(SandboxKind kind) throws Exception {
    SandboxCommand command = kind.sandbox().command("env", "-0");
    command.environment().clear();
    command.environment().put("PATH", "/nowhere:/usr/bin");
    assertEquals(Map.of("PATH", "/nowhere:/usr/bin"), variables(command));
  }
}
