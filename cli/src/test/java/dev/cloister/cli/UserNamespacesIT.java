package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import dev.cloister.host.KernelFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Whether a command can make user namespaces, and whether it has one. */
final class UserNamespacesIT {
  private static final Path LIMIT = Path.of("/proc/sys/user/max_user_namespaces");
  private static final String ATTEMPT = "unshare --user true 2>/dev/null && echo made || echo none";

  /** For everybody, also after the command has raised what it takes for the limit. */
  @EverySetting
  void areNotMadeOnceDisabled(Setting setting) {
    Optional<String> limit = KernelFile.read(LIMIT);
    String raise = "for n in 2 100; do echo $n >%s && cat %s; %s; done";
    String[][] identities = {{}, {"--uid", "0"}, {"--uid", "7", "--gid", "8"}};
    for (String[] identity : identities) {
      setting.run(identity).script(ATTEMPT).run().prints("made\n");
      setting.run(identity).and("--disable-userns").script(ATTEMPT).run().prints("none\n");
      setting
          .run(identity)
          .and("--preset", "host", "--bind", "/proc", "/proc", "--disable-userns")
          .and("--cap-add", "ALL")
          .script(raise.formatted(LIMIT, LIMIT, ATTEMPT))
          .run()
          .prints("2\nnone\n100\nnone\n");
    }
    assertEquals(limit, KernelFile.read(LIMIT), "the limit of the host's");
  }

  /** All that is needed to run Cloister inside. */
  private static Call nested(Setting setting, String... inner) {
    List<String> words = new ArrayList<>(List.of("--preset", "host", "--disable-userns"));
    for (Path path : List.of(Installation.HOME, Path.of(System.getProperty("java.home")))) {
      words.addAll(List.of("--ro-bind", path.toString(), path.toString()));
    }
    return setting
        .run(words.toArray(String[]::new))
        .and(inner)
        .and("--", Installation.SCRIPT.toString(), "run", "--preset", "host");
  }

  @EverySetting
  void aSandboxInsideNeedsThem(Setting setting) {
    Ran ran = nested(setting, "--uid", "7").and("--strategy", "pivot_root").command("true").run();
    ran.refuses(125, "pivot_root", "unshare");
  }

  /** With capabilities it is one of mounts alone, where none can be made, as it can assert. */
  @EverySetting
  void areAssertedToBeDisabled(Setting setting) {
    setting
        .run("--assert-userns-disabled", "--", "echo", "ran")
        .run()
        .refuses(125, "--assert-userns-disabled");
    for (String[] both :
        new String[][] {
          {"--disable-userns", "--assert-userns-disabled"},
          {"--assert-userns-disabled", "--disable-userns"}
        }) {
      setting.run(both).script(ATTEMPT).run().prints("none\n");
    }
    nested(setting, "--uid", "0", "--cap-add", "ALL")
        .and("--strategy", "pivot_root", "--assert-userns-disabled")
        .script(ATTEMPT)
        .run()
        .prints("none\n");
  }

  /** As in containers; the shell stays, because with its last process a mount namespace ends. */
  @EveryNativeSetting
  void aLimitThatCannotBeSetIsSaid(Setting setting) {
    Required.that(CallingUser.own().isRoot(), "root, who makes the mount");
    List<String> words = new ArrayList<>(List.of("unshare", "--mount", "sh", "-c"));
    words.add(
        "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && \"$@\"; exit $?");
    words.add("sh");
    words.addAll(setting.user().become());
    words.add(Installation.SCRIPT.toString());
    words.addAll(List.of(setting.words("run", "--disable-userns", "--", "echo", "ran")));
    Ran ran =
        CallingUser.own()
            .call(words.toArray(String[]::new))
            .env("HOME", setting.user().home().toString())
            .env("TMPDIR", setting.user().temporary().toString())
            .run()
            .refuses(125, "max_user_namespaces", "EROFS");
    assertTrue(ran.err().contains("\nhint: --disable-userns: "), ran::toString);
  }

  @EverySetting
  void theCommandHasOneWhereverItCan(Setting setting) throws IOException {
    Path own = Path.of("/proc/self/ns/user");
    for (String option : new String[] {"--unshare-user", "--unshare-user-try"}) {
      Ran ran = setting.run(option, "--", "readlink", own.toString()).run().exits(0);
      assertNotEquals(Files.readSymbolicLink(own) + "\n", ran.out());
    }
  }

  @EverySetting
  void aCgroupNamespaceIsMadeIfThereAreAny(Setting setting) throws IOException {
    Path cgroup = Path.of("/proc/self/ns/cgroup");
    Required.that(Files.exists(cgroup), "a kernel with cgroup namespaces");
    String[] look = {"readlink", cgroup.toString()};
    String outside = Files.readSymbolicLink(cgroup) + "\n";
    setting.run().command(look).run().prints(outside);
    Ran ran = setting.run("--unshare-cgroup-try").command(look).run().exits(0);
    assertNotEquals(outside, ran.out());
  }
}
