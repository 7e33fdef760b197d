package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.host.Workaround;
import dev.cloister.program.Listing;
import dev.cloister.spec.Identity;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.Run.Ended;
import dev.cloister.strategies.landlock.Landlock;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Guarantee;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * The contract, as far as it can hold without a file system of the sandbox's own. What cannot is
 * listed, and must be refused beforehand with the reason that stands there; the tests below hold
 * the same promises for places as they are on the host.
 */
@ExtendWith(LandlockTest.Differences.class)
class LandlockTest extends StrategyContract {
  private static final String ELSEWHERE = "Landlock cannot show";
  private static final String MADE = "for the sandbox alone";
  private static final String TMPFS = "Landlock cannot put an empty tmpfs";
  private static final String NAMESPACE = "Landlock gives the command no";
  private static final String IDS = "without a user namespace, a caller without CAP_SETUID";

  /** What the strategy refuses, whoever calls, by the test that needs it. */
  private static final Map<String, String> REFUSED = new TreeMap<>();

  /** What it refuses to callers that cannot change ids. */
  private static final Map<String, String> REFUSED_TO_USERS =
      Map.of(
          "theCommandIsTheCallerUnlessAskedOtherwise", IDS,
          "theCommandHasNoCapabilityAndGetsNoneBack", IDS);

  static {
    REFUSED.put("aNewNetworkHasItsLoopback", NAMESPACE);
    REFUSED.put("aStepThatFailsLeavesNothingBehind", ELSEWHERE);
    REFUSED.put("anotherUserCanPassEveryDirectoryThatWasMade", "");
    REFUSED.put("bindsFilesBelowAndOverBinds", ELSEWHERE);
    REFUSED.put("bindsWhatIsNoDirectory", ELSEWHERE);
    REFUSED.put("closedStandardDescriptorsAreNoWayOut", ELSEWHERE);
    REFUSED.put("aLockThatAnotherHasIsAnError", "does not support --lock-file");
    REFUSED.put("dataBecomesFiles", TMPFS);
    REFUSED.put("dataIsReachedInNoOtherWay", TMPFS);
    REFUSED.put("dataOverwritesWhatIsThere", ELSEWHERE);
    REFUSED.put("laterMountsCoverEarlierOnes", ELSEWHERE);
    REFUSED.put("locksAreHeldWhileTheCommandRuns", "does not support --lock-file");
    REFUSED.put("makesWhatIsMissingAndLeavesWhatIsThere", ELSEWHERE);
    REFUSED.put("minimalDevicesWork", "Landlock cannot make a /dev");
    REFUSED.put("noDescriptorIsLeftToStartIn", ELSEWHERE);
    REFUSED.put("nothingLeadsToTheOldRoot", MADE);
    REFUSED.put("ordinaryLinksLeadWhereTheyShould", ELSEWHERE);
    REFUSED.put("passesDirectoriesItCannotRead", ELSEWHERE);
    REFUSED.put("readOnlyHoldsOnEverySubMount", ELSEWHERE);
    REFUSED.put("readOnlyHoldsOnOddSubMounts", ELSEWHERE);
    REFUSED.put("rootReallyBecomesTheOtherUser", ELSEWHERE);
    REFUSED.put("setUserIdBitsAndDevicesCountForNothing", ELSEWHERE);
    REFUSED.put("sharedMountsAreNotMountedOn", TMPFS);
    REFUSED.put("sourcesThroughTooManyParentsAreTheHosts", MADE);
    REFUSED.put("startsWhereTheCallerIsOrAtHomeOrAtTheRoot", MADE);
    REFUSED.put("subMountsInUnsearchableDirectoriesAreNoHindrance", ELSEWHERE);
    REFUSED.put("theHostNameIsOnlyTheSandboxes", NAMESPACE);
    REFUSED.put("theHostsMountsStayAsTheyAre", TMPFS);
    REFUSED.put("theRootCanBeBoundOver", TMPFS);
    REFUSED.put("theUmaskIsTheCallersAndChangesNothingInTheSandbox", MADE);
    REFUSED.put("userNamespacesCanBeDisabled", "does not support capabilities");
    REFUSED.put("whatIsMadeIsTheCommandsToWriteTo", TMPFS);
  }

  LandlockTest() {
    super(new Landlock());
  }

  /** Turns a test round: it must fail, and because the strategy refuses what it asks for. */
  static final class Differences implements InvocationInterceptor {
    @Override
    public void interceptTestMethod(
        Invocation<Void> test, ReflectiveInvocationContext<Method> context, ExtensionContext all)
        throws Throwable {
      intercept(test, context);
    }

    @Override
    public void interceptTestTemplateMethod(
        Invocation<Void> test, ReflectiveInvocationContext<Method> context, ExtensionContext all)
        throws Throwable {
      intercept(test, context);
    }

    private static void intercept(
        Invocation<Void> test, ReflectiveInvocationContext<Method> context) throws Throwable {
      String name = context.getExecutable().getName();
      boolean powerless =
          context.getArguments().stream()
              .anyMatch(user -> user == User.NOBODY || (user == User.CURRENT && !isRoot()));
      String reason = REFUSED.get(name);
      if (reason == null && powerless) {
        reason = REFUSED_TO_USERS.get(name);
      }
      if (reason == null) {
        test.proceed();
        return;
      }
      try {
        test.proceed();
      } catch (Refused refused) {
        String said = String.valueOf(refused.getMessage());
        assertTrue(said.contains(reason), said);
        return;
      }
      throw new AssertionError(name + " holds, and is listed as a difference");
    }

    private static boolean isRoot() {
      try {
        return User.isRoot();
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  private MountOperation inPlace(Path place, Access access) throws Exception {
    return bind(place, place.toString(), access);
  }

  /** Less than of the others, and never what only namespaces or mounts can give. */
  @Override
  @EachUser
  void claimsWhatIsAskedForAndWhatEveryStrategyGives(User user) throws Exception {
    Set<Guarantee> given = new Landlock().guarantees(hostPrograms(user).build(), user.host());
    assertTrue(
        given.containsAll(
            Set.of(
                Guarantee.NO_CAPABILITIES,
                Guarantee.NO_NEW_PRIVILEGES,
                Guarantee.NO_INHERITED_DESCRIPTORS)),
        given::toString);
    for (Guarantee never :
        Set.of(
            Guarantee.OLD_ROOT_UNREACHABLE,
            Guarantee.OLD_ROOT_UNMOUNTED,
            Guarantee.OWN_USER_NAMESPACE,
            Guarantee.READ_ONLY_RECURSIVE,
            Guarantee.NO_MOUNT_PROPAGATION,
            Guarantee.NETWORK_ISOLATION,
            Guarantee.IPC_ISOLATION,
            Guarantee.PID_ISOLATION)) {
      assertFalse(given.contains(never), never::word);
    }
    assertEquals(user.caller().uid() != 0, given.contains(Guarantee.UNPRIVILEGED_USER));
  }

  /** All are the caller's; each that is asked for is refused by its name. */
  @Override
  @EachUser
  void theCommandHasTheNamespacesThatWereAskedFor(User user) throws Exception {
    String script = "for n in net ipc uts cgroup mnt user pid; do readlink /proc/self/ns/$n; done";
    assertEquals(
        new Run(List.of("/bin/sh", "-c", script)).end().good().lines(),
        inside(user, hostPrograms(user).build(), script).lines());
    for (Namespace namespace : Namespace.values()) {
      Assessment assessment =
          new Landlock().assess(hostPrograms(user).unshare(namespace).build(), user.host());
      assertTrue(
          assessment instanceof Assessment.Unusable unusable
              && unusable.reason().contains("no " + namespace.word() + " namespace"),
          assessment::toString);
    }
  }

  @EachUser
  void readOnlyHoldsForTheContentOfEverySubMount(User user) throws Exception {
    Required.that(User.isRoot(), "to be root, for a sub-mount");
    Path source = folder(user, "source");
    Path inner = folder(user, "source/inner");
    String mount =
        "mount -t tmpfs -o mode=1777 none '%s'; echo old >'%s/old'; chmod 666 '%s/old'"
            .formatted(inner, inner, inner);
    String write = "cd '%s'; echo new >old; touch made; cat old; ls".formatted(inner);
    SandboxSpec writable = hostPrograms(user).mount(inPlace(source, Access.READ_WRITE)).build();
    Ended written =
        sandbox(user, writable, write).after(mount).through(PRIVATE_MOUNTS).end().good();
    assertEquals("new\nmade\nold\n", written.output());
    SandboxSpec readOnly = hostPrograms(user).mount(inPlace(source, Access.READ_ONLY)).build();
    Ended refused =
        sandbox(user, readOnly, write).after(mount).through(PRIVATE_MOUNTS).end().good();
    assertEquals("old\nold\n", refused.output());
    assertTrue(refused.error().contains("Permission denied"), refused.error());
  }

  @EachUser
  void noDescriptorIsLeftToStartInInPlace(User user) throws Exception {
    Path source = folder(user, "source");
    for (int number = 3; number <= 70; number++) {
      Path link = source.resolve("to" + number);
      Files.createSymbolicLink(link, Path.of("/proc/self/fd/" + number));
      SandboxSpec spec =
          hostPrograms(user)
              .mount(inPlace(source, Access.READ_ONLY))
              .workingDirectory(OsString.of(link))
              .build();
      assertEquals(125, sandbox(user, spec, "pwd -P; ls").end().status(), link.toString());
    }
    removeLinks(source);
  }

  @EachUser
  void closedStandardDescriptorsStayClosed(User user) throws Exception {
    Path source = folder(user, "source");
    SandboxSpec spec = hostPrograms(user).mount(inPlace(source, Access.READ_WRITE)).build();
    for (String closed : List.of("exec 0<&-", "exec 2>&-", "exec 0<&- 1>&- 2>&-")) {
      Path out = source.resolve("out");
      Ended works =
          sandbox(user, spec, "ls /proc/self/fd >'" + out + "'").after(closed).end().good();
      assertEquals("", works.output() + works.error());
      String open = Files.readString(out);
      assertTrue(open.lines().count() <= 4, open);
      assertTrue(open.lines().allMatch(line -> line.matches("[0-3]")), open);
    }
  }

  @EachUser
  void bindsWhatIsNoDirectoryInPlace(User user) throws Exception {
    Path file = file(user, directory.resolve("file"), "content\n");
    Path other = file(user, directory.resolve("other"), "other\n");
    Path socket = directory.resolve("socket");
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(socket));
      SandboxSpec spec =
          hostPrograms(user)
              .mount(inPlace(file, Access.READ_ONLY))
              .mount(inPlace(socket, Access.READ_WRITE))
              .mount(inPlace(Path.of("/dev/zero"), Access.DEVICES))
              .build();
      String script =
          "cat file && head -c 3 /dev/zero | wc -c && ! echo x 2>/dev/null >file"
              + " && ! cat other 2>/dev/null";
      Ended ended = sandbox(user, spec, script).in(directory).end().good();
      assertEquals(List.of("content", "3"), ended.lines());
    }
    assertEquals("other\n", Files.readString(other));
  }

  /** Every directory still has its name, so the command starts where the caller is. */
  @EachUser
  void startsWhereTheCallerIs(User user) throws Exception {
    Path elsewhere = folder(user, "elsewhere");
    Ended ended = sandbox(user, hostPrograms(user).build(), "pwd -P; ls").in(elsewhere).end();
    assertEquals(elsewhere + "\n", ended.output());
    assertTrue(ended.error().contains("Permission denied"), ended.error());
  }

  @EachUser
  void theUmaskIsTheCallers(User user) throws Exception {
    Ended ended =
        sandbox(user, hostPrograms(user).build(), "umask").after("umask 0137").end().good();
    assertEquals("0137\n", ended.output());
  }

  @EachUser
  void aStepThatFailsLeavesNothingBehindInPlace(User user) throws Exception {
    Path source = folder(user, "source");
    Path vanishing = folder(user, "vanishing");
    SandboxSpec spec =
        hostPrograms(user)
            .mount(inPlace(source, Access.READ_WRITE))
            .mount(inPlace(vanishing, Access.READ_WRITE))
            .build();
    Path launcher = launcher(user, spec).orElseThrow();
    Files.delete(vanishing);
    String before = mounts();
    Ended ended = run(user, launcher, "/bin/sh", "-c", "echo happened >" + source + "/x").end();
    assertEquals(125, ended.status(), ended.toString());
    assertEquals("", ended.output());
    assertTrue(ended.error().contains(vanishing.toString()), ended.error());
    assertTrue(isFailure(ended.error()), ended.error());
    assertEquals(before, mounts());
    assertFalse(Files.exists(source.resolve("x")));
  }

  /** What became a link meanwhile is no place any more, wherever it leads. */
  @EachUser
  void aPlaceThatBecameALinkIsRefused(User user) throws Exception {
    Path place = folder(user, "place");
    Path victim = folder(user, "victim");
    SandboxSpec spec = hostPrograms(user).mount(inPlace(place, Access.READ_WRITE)).build();
    Path launcher = launcher(user, spec).orElseThrow();
    Files.delete(place);
    Files.createSymbolicLink(place, victim);
    Ended ended = run(user, launcher, "/usr/bin/touch", victim + "/x").end();
    assertEquals(125, ended.status(), ended.toString());
    assertTrue(ended.error().contains("symbolic link"), ended.error());
    assertFalse(Files.exists(victim.resolve("x")));
    Files.delete(place);
  }

  /** A rule for a directory that became a file is an error; its rights do not fit (EINVAL). */
  @EachUser
  void aPlaceThatBecameAFileIsRefused(User user) throws Exception {
    Path place = folder(user, "place");
    SandboxSpec spec = hostPrograms(user).mount(inPlace(place, Access.READ_WRITE)).build();
    Path launcher = launcher(user, spec).orElseThrow();
    Files.delete(place);
    file(user, place, "");
    Ended ended = run(user, launcher, "/bin/true").end();
    assertEquals(125, ended.status(), ended.toString());
    assertTrue(ended.error().contains("landlock_add_rule"), ended.error());
  }

  @EachUser
  void linksAndParentsOnTheWayAreFollowed(User user) throws Exception {
    Path source = folder(user, "source");
    file(user, source.resolve("content"), "content\n");
    Path link = directory.resolve("link");
    Files.createSymbolicLink(link, Path.of("../".repeat(40) + source.toString().substring(1)));
    for (Path named : List.of(link, source.resolve("../source"))) {
      SandboxSpec spec =
          hostPrograms(user).mount(bind(named, source.toString(), Access.READ_ONLY)).build();
      assertEquals("content\n", inside(user, spec, "cat '" + source + "/content'").output());
    }
    SandboxSpec spec = hostPrograms(user).mount(inPlace(link, Access.READ_ONLY)).build();
    assertEquals("content\n", inside(user, spec, "cat '" + link + "/content'").output());
    Files.delete(link);
  }

  @Test
  void rootReallyBecomesTheOtherUserInPlace() throws Exception {
    Required.that(User.isRoot(), "to be root");
    Path source = mode(folder(User.CURRENT, "source"), "rwxrwxrwx");
    mode(file(User.CURRENT, source.resolve("secret"), "secret\n"), "rw-------");
    SandboxSpec spec =
        hostPrograms(User.CURRENT)
            .identity(Identity.CALLER.withUid(User.ID).withGid(User.ID))
            .mount(inPlace(source, Access.READ_WRITE))
            .build();
    Ended ended = sandbox(User.CURRENT, spec, "touch made; cat secret; id -G").in(source).end();
    assertEquals(List.of(Long.toString(User.ID)), ended.lines(), ended.error());
    Path made = source.resolve("made");
    assertEquals((int) User.ID, Files.getAttribute(made, "unix:uid", LinkOption.NOFOLLOW_LINKS));
    assertEquals((int) User.ID, Files.getAttribute(made, "unix:gid", LinkOption.NOFOLLOW_LINKS));
  }

  /** Root without its capabilities passes no directory that is closed to it; it is told so. */
  @Test
  void aPlaceThatTheCommandCannotReachIsAnError() throws Exception {
    Required.that(User.isRoot(), "to be root");
    mode(folder(User.NOBODY, "closed"), "rwx------");
    Path place = folder(User.NOBODY, "closed/place");
    SandboxSpec spec = hostPrograms(User.CURRENT).mount(inPlace(place, Access.READ_WRITE)).build();
    Ended ended = sandbox(User.CURRENT, spec, "echo happened").end();
    assertEquals(125, ended.status(), ended.toString());
    assertEquals("", ended.output());
    assertTrue(ended.error().contains("may not search"), ended.error());
  }

  /** Older kernels are not asked for what they do not know, and it is said what that costs. */
  @EachUser
  void olderLandlocksAreAskedForLess(User user) throws Exception {
    SandboxSpec spec = hostPrograms(user).build();
    Set<Workaround> older =
        Set.of(Workaround.LANDLOCK_WITHOUT_SCOPES, Workaround.LANDLOCK_WITHOUT_IOCTL);
    String newest = program(user, spec, Set.of());
    assertTrue(newest.contains("SCOPE_SIGNAL") && newest.contains("IOCTL_DEV"), newest);
    String oldest = program(user, spec, older);
    assertFalse(oldest.contains("SCOPE") || oldest.contains("IOCTL_DEV"), oldest);
    assertTrue(oldest.contains("TRUNCATE"), oldest);
    String caveats = new Landlock().caveats(user.host().with(older)).toString();
    assertTrue(caveats.contains("signals") && caveats.contains("ioctl"), caveats);
    assertFalse(new Landlock().caveats(user.host()).toString().contains("signals"));
  }

  private static String program(User user, SandboxSpec spec, Set<Workaround> workarounds)
      throws Exception {
    return String.join(
        "\n",
        Listing.of(new Landlock().plan(spec, user.host().with(workarounds)), OsString.of("true")));
  }
}
