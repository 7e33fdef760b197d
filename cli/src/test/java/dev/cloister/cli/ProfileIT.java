package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code --profile}: files of options, and those that come with Cloister. */
final class ProfileIT {
  private static Call run(CallingUser user, String... options) {
    return user.cloister("run").and(options);
  }

  @EveryUser
  void aFilesOptionsStandInItsPlace(CallingUser user) {
    Path work = user.work();
    user.write(work, "profile", "# a comment\n--dir '/a b'\n--setenv A ${PWD} # there\n");
    run(user, "--preset", "host", "--profile", "./profile", "--setenv", "B", "c")
        .script("ls -d /a*; echo $A $B")
        .in(work)
        .run()
        .prints("/a b\n" + work + " c\n");
    // What comes later counts, as on a command line.
    run(user, "--setenv", "A", "1", "--profile", work + "/profile", "--preset", "host")
        .script("echo $A")
        .in(work)
        .run()
        .prints(work + "\n");
    run(user, "--preset", "host", "--profile", work + "/profile", "--setenv", "A", "2")
        .script("echo $A")
        .in(work)
        .run()
        .prints("2\n");
  }

  @EveryUser
  void whatIsWrongIsNamedWithFileAndLine(CallingUser user) {
    Path work = user.work();
    for (List<String> wrong :
        List.of(
            List.of("--nope", "unknown option --nope"),
            List.of("--dir", "--dir needs DEST"),
            List.of("--dir /a /b", "--dir takes DEST"),
            List.of("--unshare-net x", "--unshare-net takes nothing"),
            List.of("--dir relative", "--dir relative"),
            List.of("--bind /no/such /x", "/no/such"),
            List.of("--uid many", "--uid many"),
            List.of("true", "true is no option"),
            List.of("-- true", "-- is no option"),
            List.of("--help", "--help is no option"),
            List.of("--profile x", "--profile cannot stand in a profile"),
            List.of("--args 3", "--args cannot stand in a profile"))) {
      user.write(work, "wrong", "--unshare-ipc\n" + wrong.get(0) + "\n");
      run(user, "--profile", "./wrong")
          .command("touch", work.resolve("ran").toString())
          .in(work)
          .run()
          .refuses(125, "run: ", "./wrong:2: ", wrong.get(1));
      assertFalse(Files.exists(work.resolve("ran")));
    }
    run(user, "--profile", "none")
        .command("true")
        .run()
        .refuses(125, "none", "build, nix, offline");
    run(user, "--profile", "./none").command("true").run().refuses(125, "./none: no such file");
    user.shell(Installation.SCRIPT + " run --profile \"$(printf './x\\377')\" true")
        .run()
        .refuses(125, "./x\\xff: ", "not UTF-8");
  }

  @EveryUser
  void explainAndEmitHaveItsOptions(CallingUser user) throws IOException {
    Path work = user.work();
    user.write(work, "profile", "--dir /a/b/c\n--unshare-uts\n");
    Ran ran = user.cloister("explain", "--profile", "./profile", "true").in(work).run().exits(0);
    assertTrue(ran.out().contains("\"a/b/c\"") && ran.out().contains("NEWUTS"), ran::toString);
    user.cloister("emit", "-o", "launcher", "--preset", "host", "--profile", "./profile")
        .command("ls", "/a/b")
        .in(work)
        .run()
        .exits(0);
    Files.delete(work.resolve("profile"));
    user.call("./launcher").in(work).run().prints("c\n");
    Ran audit = user.cloister("explain", "--elf", "launcher").in(work).run().exits(0);
    assertTrue(audit.out().contains("--dir /a/b/c"), audit::toString);
  }

  @EveryUser
  void offlineHasNoNetwork(CallingUser user) {
    run(user, "--profile", "offline")
        .script("grep -c : /proc/net/dev; ls /usr/bin/env")
        .run()
        .prints("1\n/usr/bin/env\n");
  }

  @EveryUser
  void untrustedShowsNothingOfTheCallers(CallingUser user) {
    Path work = user.work();
    user.write(work, "secret", "");
    Ran ran =
        run(user, "--profile", "untrusted")
            .script(
                "env | sort; pwd; ls -A /tmp; ls "
                    + work
                    + " 2>/dev/null; unshare -Ur true 2>/dev/null && echo namespace; ps -e | wc -l")
            .env("TOKEN", "x")
            .in(work)
            .run()
            .exits(0);
    assertEquals(
        List.of(
            "HOME=/tmp",
            "LANG=C.UTF-8",
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "PWD=/tmp",
            "/tmp"),
        ran.lines().subList(0, 5),
        ran::toString);
    assertFalse(ran.out().contains("secret") || ran.hasLine("namespace"), ran::toString);
  }

  /** A compiler in it makes what stays, and nothing else does. */
  @EveryUser
  void buildWritesToTheWorkingDirectoryOnly(CallingUser user) throws IOException {
    Path work = user.work();
    user.write(work, "hello.c", "int puts(const char *); int main(void) { puts(\"built\"); }\n");
    for (String profile : List.of("build", "nix")) {
      run(user, "--profile", profile)
          .script(
              "gcc -o hello hello.c && ./hello && touch ~/cached && touch " + user.home() + "/x")
          .in(work)
          .run()
          .exits(1);
      user.call("./hello").in(work).run().prints("built\n");
      Files.delete(work.resolve("hello"));
      assertFalse(Files.exists(user.home().resolve("x")));
    }
    run(user, "--profile", "build", "--profile", "offline")
        .script("grep -c : /proc/net/dev")
        .in(work)
        .run()
        .prints("1\n");
  }
}
