package dev.cloister.strategies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.sandbox.Sandbox;
import dev.cloister.sandbox.SandboxBuilder;
import dev.cloister.sandbox.SandboxProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a command sees of itself is the same whether its sandbox waited for it or not. */
@Timeout(60)
class PrewarmedAsColdTest {
  private static final long OTHER = 12345;

  /** Without what numbers a sandbox among others. */
  private static final String LOOK =
      """
      grep -E '^(Umask|Uid|Gid|Groups|Sig...|Shd...|Cap...|NoNewPrivs|Seccomp)' /proc/self/status
      cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups /proc/self/cgroup
      cut -d ' ' -f 4-6 /proc/self/mountinfo
      ls /proc/self/fd; ls -A /tmp
      cat /proc/sys/user/max_user_namespaces; cat /proc/net/dev | cut -d : -f 1
      ulimit -a; uname -n; pwd; env | grep -v '^_=' | sort
      echo x >/tmp/x; echo x >/x; stat -c '%A %u %g %s' / /tmp /tmp/x /x
      """;

  record Variant(String name, Consumer<SandboxBuilder> settings) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Arguments> all() throws Exception {
    List<Variant> variants = new ArrayList<>();
    variants.add(new Variant("plain", _ -> {}));
    variants.add(new Variant("seccomp", SandboxBuilder::seccomp));
    variants.add(new Variant("rlimit", it -> it.rlimit("nofile", 50)));
    variants.add(new Variant("environment", it -> it.clearEnv().setEnv("A", "b")));
    variants.add(new Variant("place", it -> it.chdir(Path.of("/usr"))));
    variants.add(new Variant("capability", it -> it.unshareNet().capAdd("NET_ADMIN")));
    variants.add(
        new Variant(
            "namespaces", it -> it.unshareNet().unshareIpc().unshareCgroup().hostname("inside")));
    // An unprivileged caller's ids only look different; root's are.
    variants.add(new Variant("ids", it -> it.uid(OTHER).gid(OTHER)));
    return SandboxKind.waitingAsNamespaces()
        .flatMap(kind -> variants.stream().map(variant -> Arguments.of(kind, variant)));
  }

  private static String look(Sandbox sandbox) throws Exception {
    SandboxProcess process =
        sandbox.command("/bin/sh", "-c", LOOK).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String seen = new String(process.getInputStream().readAllBytes(), UTF_8);
    process.waitFor();
    return seen;
  }

  @ParameterizedTest
  @MethodSource("all")
  void seesTheSame(SandboxKind kind, Variant variant) throws Exception {
    SandboxBuilder builder = kind.builder();
    variant.settings().accept(builder);
    try (Sandbox sandbox = builder.build()) {
      String cold = look(sandbox);
      assertTrue(cold.contains("NoNewPrivs:\t1"), cold);
      List<Long> others = HostProcess.children();
      sandbox.prewarm(1);
      assertEquals(others, HostProcess.children());
      assertEquals(cold, look(sandbox));
    }
  }
}
