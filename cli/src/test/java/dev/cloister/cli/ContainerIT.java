package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * In containers of a real runtime, which covers parts of {@code /proc}, takes most capabilities and
 * sets no_new_privs. Rootless means that an unprivileged user runs the runtime.
 */
@ExtendWith(HostLabTable.class)
final class ContainerIT {
  private static final String LOOK =
      "id -u; grep -E '^(CapEff|NoNewPrivs):' /proc/self/status; [ -e %s ] || echo hidden"
          .formatted(Installation.HOME);

  private static final long SOMEBODY = 1000;

  private static Container byRoot() {
    Required.that(CallingUser.own().isRoot(), "root, whose containers can have other users");
    return Container.of(CallingUser.own());
  }

  private static Verdicts probe(String row, Container container) {
    return Verdicts.of(container.cloister("probe", "--json")).print(row, container.user());
  }

  /** A real command runs, sees nothing it was not shown, and can do nothing. */
  private static void runs(Container container, long uid, String... options) {
    List<String> words = new ArrayList<>(List.of("run"));
    words.addAll(List.of(options));
    words.addAll(List.of("--preset", "host", "--", "sh", "-c", LOOK));
    container
        .cloister(words.toArray(String[]::new))
        .prints("%d\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nhidden\n".formatted(uid));
  }

  /** Every strategy is named with the cause, and nothing was run. */
  private static void refuses(Container container, String cause) {
    Ran ran = container.cloister("run", "--preset", "host", "--", "echo", "ran").exits(125);
    assertEquals("", ran.out(), ran::toString);
    for (String strategy : List.of("pivot_root", "chroot", "bwrap")) {
      assertTrue(
          ran.err().lines().anyMatch(l -> l.contains(strategy + ": ") && l.contains(cause)),
          ran::toString);
    }
  }

  private static void lacksFreshProc(Verdicts verdicts) {
    verdicts
        .lacks("fresh_proc")
        .capability("fresh_proc")
        .refusedBecause("EPERM", "covered in parts", "/proc/sys")
        .remedy("--proc", "whole /proc");
  }

  /** As the runtime proposes it, nobody in the container may map root's id. */
  @EveryUser
  void namesTheCapabilityThatTheContainedRootLacks(CallingUser engine) {
    Container container = Container.of(engine);
    Verdicts verdicts = probe("container", container);

    verdicts.choosesNothingBecause("CAP_SETFCAP");
    verdicts.strategy("pivot_root").remedy("as another uid");
    verdicts.capability("user_namespace").refusedBecause("write(uid_map", "EPERM", "CAP_SETFCAP");
    refuses(container, "CAP_SETFCAP");
  }

  /** What engines leave to the contained root suffices, as long as they do not filter. */
  @EveryUser
  void runsWithTheCapabilitiesThatEnginesLeave(CallingUser engine) {
    Container container = Container.of(engine).withCapabilities(Container.ENGINE_CAPABILITIES);
    Verdicts verdicts = probe("container, engine's capabilities", container);

    verdicts.chooses("pivot_root");
    lacksFreshProc(verdicts);
    for (String strategy : List.of("pivot_root", "chroot", "bwrap")) {
      runs(container, 0, "--strategy", strategy);
    }
  }

  @EveryUser
  void blamesTheFilterOfTheContainer(CallingUser engine) {
    Container container =
        Container.of(engine).withCapabilities(Container.ENGINE_CAPABILITIES).filtered();
    Verdicts verdicts = probe("container, engine's capabilities and filter", container);

    verdicts.choosesNothingBecause("seccomp filter");
    for (String strategy : List.of("pivot_root", "chroot", "bwrap")) {
      verdicts.strategy(strategy).remedy("seccomp=");
    }
    verdicts.capability("user_namespace").refusedBecause("unshare(CLONE_NEWUSER", "EPERM");
    refuses(container, "seccomp filter");
  }

  /** Another id would not help behind a filter, though the capability is missing too. */
  @EveryUser
  void blamesTheFilterBeforeTheCapability(CallingUser engine) {
    Container container = Container.of(engine).filtered();
    probe("container, filter", container).choosesNothingBecause("seccomp filter");
    refuses(container, "seccomp filter");
  }

  @Test
  void runsAsAnotherUserThanTheContainedRoot() {
    Container container = byRoot().as(SOMEBODY);
    Verdicts verdicts = probe("container", container);

    verdicts.chooses("pivot_root");
    lacksFreshProc(verdicts);
    runs(container, SOMEBODY);
  }

  @Test
  void runsWhereTheContainerHasItsOwnIds() {
    Container container = byRoot().mapped().as(SOMEBODY);
    Verdicts verdicts = probe("container with own ids", container);

    verdicts.chooses("pivot_root");
    lacksFreshProc(verdicts);
    runs(container, SOMEBODY);
  }

  @Test
  void refusesAnotherUserBehindAFilter() {
    Container container = byRoot().as(SOMEBODY).filtered();
    probe("container, filter", container).choosesNothingBecause("seccomp filter");
    refuses(container, "seccomp filter");
  }
}
