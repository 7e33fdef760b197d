package dev.cloister.probe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Cases;
import dev.cloister.host.Bwrap;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.HostState;
import dev.cloister.host.Workaround;
import dev.cloister.launch.PrivateDirectory;
import dev.cloister.program.SyscallProgram;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import dev.cloister.strategy.IsolationStrategy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VerdictStoreTest {
  private static final HostState STATE = new HostState("this host");

  @TempDir Path temporary;
  private final List<String> tried = new ArrayList<>();

  private record Named(String name) implements IsolationStrategy {
    @Override
    public Set<Guarantee> guarantees(SandboxSpec spec, HostReport host) {
      throw new AssertionError("a store knows no guarantees");
    }

    @Override
    public Assessment assess(SandboxSpec spec, HostReport host) {
      throw new AssertionError("nothing is assessed by a store");
    }

    @Override
    public SyscallProgram plan(SandboxSpec spec, HostReport host) {
      throw new AssertionError("nothing is planned by a store");
    }
  }

  private PrivateDirectory directory() throws IOException {
    return PrivateDirectory.in(temporary, Caller.current().uid()).orElseThrow();
  }

  private VerdictStore store(HostState state, Assessment verdict) throws IOException {
    return new VerdictStore(
        directory(),
        state,
        strategy -> {
          tried.add(strategy.name());
          return verdict;
        });
  }

  private static final Assessment.Unusable BROKEN =
      new Assessment.Unusable("why\tit is\nso \u00e9", "what\rhelps");

  @Test
  void remembers() throws Exception {
    VerdictStore first = store(STATE, Assessment.USABLE);
    assertEquals(Assessment.USABLE, first.of(new Named("one")));
    assertEquals(Assessment.USABLE, first.of(new Named("one")));
    assertEquals(BROKEN, store(STATE, BROKEN).of(new Named("two")));
    VerdictStore later = store(STATE, BROKEN);
    assertEquals(Assessment.USABLE, later.of(new Named("one")));
    assertEquals(
        new Assessment.Unusable("why it is so é", "what helps"), later.of(new Named("two")));
    assertEquals(List.of("one", "two"), tried);
  }

  @Test
  void remembersWorkarounds() throws Exception {
    Assessment usable =
        new Assessment.Usable(Set.of(Workaround.LEAVE_CHROOT, Workaround.NO_USER_NAMESPACE));
    assertEquals(usable, store(STATE, usable).of(new Named("one")));
    assertEquals(usable, store(STATE, BROKEN).of(new Named("one")));
    assertEquals(List.of("one"), tried);
  }

  @Test
  void remembersWhatBubblewrapSaysOfItself() throws Exception {
    Supplier<Set<String>> says =
        () -> {
          tried.add("bwrap --help");
          return Set.of("--bind", "--args");
        };
    HostReport host =
        HostReport.of(Caller.current(), "/nowhere").with(new Bwrap(OsString.of("/bwrap"), says));
    for (int i = 0; i < 2; i++) {
      Bwrap bwrap = store(STATE, BROKEN).remembering(host).bwrap().orElseThrow();
      assertEquals(Optional.empty(), bwrap.lacks(List.of("--args", "--bind")));
      assertEquals(Optional.of("--perms"), bwrap.lacks(List.of("--bind", "--perms")));
    }
    assertEquals(List.of("bwrap --help"), tried);
    // Beside verdicts, and none by itself.
    store(STATE, Assessment.USABLE).of(new Named("one"));
    assertEquals(Assessment.USABLE, store(STATE, BROKEN).of(new Named("one")));
    assertEquals(BROKEN, store(STATE, BROKEN).of(new Named("bwrap")));
  }

  @Test
  void anotherStateForgets() throws Exception {
    store(STATE, Assessment.USABLE).of(new Named("one"));
    HostState other = new HostState("this host, changed");
    assertEquals(BROKEN, store(other, BROKEN).of(new Named("one")));
    assertEquals(List.of("one", "one"), tried);
    // And what was true of the first state is gone.
    assertEquals(BROKEN, store(STATE, BROKEN).of(new Named("one")));
  }

  @Test
  void forgetsWhenTold() throws Exception {
    VerdictStore store = store(STATE, Assessment.USABLE);
    store.of(new Named("one"));
    store.forget();
    store.of(new Named("one"));
    assertEquals(List.of("one", "one"), tried);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "this host",
        "this host\n\n",
        "this host\none\treason only\n",
        "this host\nbwrap --help\n",
        "\u00ff\n"
      })
  void aFileThatMakesNoSenseIsIgnored(String content) throws Exception {
    Files.write(VerdictStore.file(directory()), content.getBytes(StandardCharsets.ISO_8859_1));
    assertEquals(BROKEN, store(STATE, BROKEN).of(new Named("one")));
    assertEquals(List.of("one"), tried);
  }

  /** However it was damaged: at worst, strategies are tried anew. */
  @Test
  void aDamagedFileIsNoHindrance() throws Exception {
    Assessment usable = new Assessment.Usable(Set.of(Workaround.LEAVE_CHROOT));
    HostReport host =
        HostReport.of(Caller.current(), "/nowhere")
            .with(new Bwrap(OsString.of("/bwrap"), () -> Set.of("--bind")));
    assertTrue(
        store(STATE, usable).remembering(host).bwrap().orElseThrow().options().get().size() == 1);
    store(STATE, usable).of(new Named("one"));
    store(STATE, BROKEN).of(new Named("two"));
    byte[] whole = Files.readAllBytes(VerdictStore.file(directory()));
    Cases.check(
        "damaged verdicts",
        500,
        random -> damage(random, whole),
        _ -> List.of(),
        damaged -> {
          Files.write(VerdictStore.file(directory()), damaged);
          VerdictStore store = store(STATE, BROKEN);
          assertNotNull(store.remembering(host).bwrap().orElseThrow().options().get());
          store.of(new Named("one"));
          store.of(new Named("two"));
        });
  }

  private static byte[] damage(Random random, byte[] whole) {
    byte[] damaged = Arrays.copyOf(whole, random.nextInt(whole.length + 1));
    for (int left = random.nextInt(4); left > 0 && damaged.length > 0; left--) {
      damaged[random.nextInt(damaged.length)] =
          random.nextBoolean()
              ? (byte) random.nextInt(256)
              : (byte) "\t\n \r".charAt(random.nextInt(4));
    }
    return damaged;
  }

  @Test
  void leavesNothingButItsFile() throws Exception {
    store(STATE, BROKEN).of(new Named("one"));
    try (var files = Files.list(directory().path())) {
      assertEquals(List.of(VerdictStore.file(directory())), files.toList());
    }
    assertEquals(
        PosixFilePermissions.fromString("rwx------"),
        Files.getPosixFilePermissions(VerdictStore.file(directory())));
  }

  @Test
  void canDoWithoutItsDirectory() throws Exception {
    VerdictStore store = store(STATE, Assessment.USABLE);
    Path path = directory().path();
    Files.delete(path);
    assertEquals(Assessment.USABLE, store.of(new Named("one")));
    assertFalse(Files.exists(path));
  }

  @Test
  void theStateDiffersWithWhatMatters() throws Exception {
    Caller caller = Caller.current();
    HostReport host = HostReport.of(caller, "/usr/bin:/bin");
    HostState state = HostState.of(host, "1");
    assertEquals(state, HostState.of(host, "1"));
    assertFalse(state.equals(HostState.of(host, "2")));
    assertFalse(state.text().contains("\n"));
    Caller other =
        new Caller(
            caller.uid() + 1,
            caller.gid(),
            caller.setuid(),
            caller.groups(),
            caller.setgroups(),
            caller.capabilities(),
            caller.noNewPrivs(),
            caller.seccomp());
    assertFalse(state.equals(HostState.of(HostReport.of(other, "/usr/bin:/bin"), "1")));
    assertTrue(state.text().contains("uid " + caller.uid()));
  }
}
