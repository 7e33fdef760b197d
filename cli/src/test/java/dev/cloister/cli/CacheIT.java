package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * Launchers that are used again: no JVM, but nothing else is different.
 *
 * <p>Each script has the place of the cache to itself, in a mount namespace of its own.
 */
final class CacheIT {
  private static final String CLOISTER = Installation.SCRIPT.toString();

  /** Makes a private place for user $1, and runs the script $2 as that user with words $3... */
  private static final String ALONE =
      """
      user=$1 place=/tmp/cloister-$1
      mkdir -p -m 700 "$place" && chown "$user:$user" "$place" &&
      mount -t tmpfs -o "mode=700,uid=$user,gid=$user" tmpfs "$place" || exit
      shift
      [ "$user" -eq 0 ] || set -- -u "$user" "$@"
      if [ "$1" = -u ]; then
        shift 2
        exec setpriv --reuid "$user" --regid "$user" --clear-groups -- sh -c "$@"
      fi
      exec sh -c "$@"
      """;

  /** What scripts start with: {@code $c} is the command line; {@code starts} counts JVMs. */
  private static final String PRELUDE =
      """
      c=$1 log=$2 cache=$3
      starts() { echo "jvm $(wc -l <"$log")"; }
      hits() { b=$(wc -l <"$log"); "$@" >/dev/null || echo "failed: $*"
        [ "$b" -eq "$(wc -l <"$log")" ] || echo "no hit: $*"; }
      misses() { b=$(wc -l <"$log"); "$@" >/dev/null || echo "failed: $*"
        [ "$b" -lt "$(wc -l <"$log")" ] || echo "no miss: $*"; }
      entries() { ls "$cache" | wc -l; }
      """;

  /** A JDK that starts the real one, and says so in a file. */
  private static Path jdk(CallingUser user, Path log) throws IOException {
    Path real = Path.of(System.getProperty("java.home"));
    // The script's own cache is known by this name.
    Path jdk = user.work().resolve(String.valueOf(real.getFileName()));
    user.write(jdk, "release", Files.readString(real.resolve("release")));
    Path java =
        user.write(
            jdk.resolve("bin"),
            "java",
            "#!/bin/sh\necho >>" + log + "\nexec " + real + "/bin/java \"$@\"\n");
    Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    return jdk;
  }

  private static Call script(CallingUser user, String text) throws IOException {
    CallingUser root = CallingUser.own();
    Required.that(root.isRoot(), "root, who can have a /tmp of its own");
    Path work = user.work();
    Path log = user.write(work, "log", "");
    return root.call(Required.program("unshare"), "--mount", "sh", "-c", ALONE, "alone")
        .and(Long.toString(user.uid()), PRELUDE + text, "sh")
        .and(CLOISTER, log.toString(), "/tmp/cloister-" + user.uid() + "/cache")
        .env("JAVA_HOME", jdk(user, log).toString())
        .env("HOME", work.toString())
        .env("TMPDIR", user.temporary().toString())
        .in(work);
  }

  @EveryUser
  void aSecondCallStartsNoJvm(CallingUser user) throws IOException {
    String text =
        """
        "$c" run -- echo a; starts
        "$c" run -- echo b; starts
        "$c" env --keep PATH -- /bin/echo c; starts
        "$c" env --keep PATH -- /bin/echo d; starts
        entries
        """;
    script(user, text).run().prints("a\njvm 1\nb\njvm 1\nc\njvm 2\nd\njvm 2\n2\n");
  }

  /** Its words are others, and so is what it says when something fails. */
  @EveryUser
  void soIsBubblewrapsCommandLine(CallingUser user) throws IOException {
    String text =
        """
        cd /usr
        b() { "$c" bwrap --ro-bind / / --setenv A 1 "$@"; }
        b sh -c 'echo $PWD $A'; starts
        cd /usr; b sh -c 'echo $PWD $A'; starts
        b /no/such; echo $?; starts
        cd /etc; hits b true || echo other
        cd /usr; ln -s "$c" "$HOME/bwrap"
        "$HOME/bwrap" --ro-bind / / --setenv A 1 sh -c 'echo $A'; starts
        misses "$c" bwrap --ro-bind / / --args 9 true 9</dev/null
        misses "$c" bwrap --ro-bind / / --args 9 true 9</dev/null
        """;
    Ran ran = script(user, text).run().exits(0);
    assertEquals(
        List.of("/usr 1", "jvm 1", "/usr 1", "jvm 1", "1", "jvm 1", "no hit: b true", "1", "jvm 2"),
        ran.lines(),
        ran::toString);
    assertTrue(ran.err().startsWith("bwrap: execvp /no/such: No such file"), ran::toString);
  }

  /** A profile and what it includes are read again once they have changed. */
  @EveryUser
  void whoseProfileChangedIsCompiledAnew(CallingUser user) throws IOException {
    String text =
        """
        cd "$HOME"
        echo 'include ./other' >profile
        echo '--setenv A ${HOME}' >other
        r() { "$c" run --profile ./profile -- sh -c 'echo $A'; }
        misses r; hits r; r
        echo '--setenv A 2' >other; misses r; hits r; r
        echo '--setenv A ${HOME}' >profile; misses r; hits r
        HOME=/tmp; misses r; r
        misses "$c" run --profile offline true; hits "$c" run --profile offline true
        rm profile; r; echo $?
        """;
    Path work = user.work();
    Ran ran = script(user, text).env("HOME", work.toString()).run().exits(0);
    assertEquals(List.of(work.toString(), "2", "/tmp", "125"), ran.lines(), ran::toString);
  }

  @EverySetting
  void aSecondCallIsLikeTheFirst(Setting setting) throws IOException {
    setting.mustWork();
    String text =
        """
        show='env | sort; pwd; ulimit -a; umask; printf "<%s>" "$@"
          for fd in 0 1 2 3 4 5 6 7 8 9; do [ ! -e "/proc/$$/fd/$fd" ] || echo "$fd"; done
          grep -E "^(Sig(Blk|Ign)|Uid|Gid|Groups|Cap|NoNew|Seccomp)" /proc/self/status
          echo error >&2; cat; exit 7'
        cd /usr
        trap '' HUP
        umask 027
        ulimit -n 77
        exec 7</
        call() {
          echo input | strange=' a
        b ' "$c" run --strategy "$1" --preset host --ro-bind /usr/lib /x -- sh -c "$show" sh '' "$(printf '\\377')" 2>&1
          echo "status $?"
        }
        call "$4" >"$HOME/first"
        starts
        call "$4" >"$HOME/second"
        starts
        cmp "$HOME/first" "$HOME/second" && grep -E '^(status|input)' "$HOME/second"
        """;
    script(setting.user(), text)
        .and(setting.strategy())
        .run()
        .prints("jvm 1\njvm 1\ninput\nstatus 7\n");
  }

  @EveryUser
  void aLauncherIsForOneKindOfCallOnly(CallingUser user) throws IOException {
    String text =
        """
        mkdir -p d e; echo 1 >f; ln -s d l
        "$c" run -- true
        hits "$c" run -- true
        misses "$c" run true
        misses "$c" run --preset host --tmpfs /a -- true
        misses "$c" run --preset host --tmpfs /b -- true
        misses env TMPDIR="$HOME" "$c" run -- true
        misses env PATH=/usr/bin:/bin "$c" run -- true
        misses env XDG_RUNTIME_DIR="$HOME" "$c" run -- true
        misses "$c" run -- true
        misses setpriv --no-new-privs "$c" run -- true
        misses unshare --map-root-user "$c" run -- true
        misses "$c" run -- true
        hits "$c" run -- true
        (cd d && misses "$c" run -- true)
        hits "$c" run -- true

        misses "$c" run --preset host --ro-bind l /l -- true
        hits "$c" run --preset host --ro-bind l /l -- true
        ln -sfn e l
        misses "$c" run --preset host --ro-bind l /l -- true
        misses "$c" run --preset host --ro-bind-try none /n -- true
        hits "$c" run --preset host --ro-bind-try none /n -- true
        mkdir none
        misses "$c" run --preset host --ro-bind-try none /n -- true
        misses "$c" run --preset host --ro-bind f /f -- true
        hits "$c" run --preset host --ro-bind f /f -- true
        rm f && mkdir f
        misses "$c" run --preset host --ro-bind f /f -- true
        rmdir f
        "$c" run --preset host --ro-bind f /f -- true
        echo "$?"
        """;
    Ran ran = script(user, text).run();
    assertEquals("125\n", ran.out(), ran::toString);
    assertTrue(ran.err().contains("--ro-bind f: no such file"), ran::toString);
  }

  @EveryUser
  void whatRightsACallerHasIsPartOfIt(CallingUser user) throws IOException {
    Required.that(CallingUser.own().isRoot(), "root, who can change groups");
    if (!user.isRoot()) {
      return;
    }
    String text =
        """
        "$c" run -- true
        hits "$c" run -- true
        misses setpriv --regid 7 --clear-groups "$c" run -- true
        misses setpriv --groups 8,9 "$c" run -- true
        misses setpriv --bounding-set -net_raw "$c" run -- true
        misses unshare --uts "$c" run -- true
        misses unshare --net "$c" run -- true
        misses "$c" run -- true
        hits "$c" run -- true
        """;
    script(user, text).run().prints("");
  }

  @EveryUser
  void someOptionsAreCompiledEachTime(CallingUser user) throws IOException {
    String text =
        """
        for options in --no-cache --verbose --die-with-parent '--rlimit core=0'; do
          misses "$c" run $options -- true 2>/dev/null
          misses "$c" run $options -- true 2>/dev/null
        done
        entries
        """;
    script(user, text).run().prints("0\n");
  }

  @EveryUser
  void clearRemovesAll(CallingUser user) throws IOException {
    String text =
        """
        "$c" run -- true
        "$c" run --preset host --tmpfs /a -- true
        entries
        "$c" cache clear
        ls -A "$cache" 2>/dev/null
        misses "$c" run -- true
        hits "$c" run -- true
        entries
        "$c" cache clear && "$c" cache clear
        """;
    script(user, text).run().prints("2\n1\n");
    user.cloister("cache").run().refuses(125, "cache", "clear");
    user.cloister("cache", "clear", "now").run().refuses(125, "cache", "now");
    user.cloister("cache", "purge").run().refuses(125, "cache", "purge");
  }

  /** How a cache can be other than Cloister left it, and what is said of that. */
  private static final List<List<String>> CHANGES =
      List.of(
          List.of("chmod 644 $e", "not a file of this user's alone"),
          List.of("mv $e ../x && ln -s ../x $e", "not a file of this user's alone"),
          List.of("rm $e && mkdir $e", "not a file of this user's alone"),
          List.of("rm $e && mkfifo -m 600 $e", "not a file of this user's alone"),
          List.of(": >$e", "is damaged"),
          List.of("truncate -s -8 $e", "is damaged"),
          List.of("truncate -s +8 $e", "is damaged"),
          List.of("truncate -s 1M $e", "is damaged"),
          List.of("printf x | dd of=$e bs=1 seek=9000 conv=notrunc 2>/dev/null", "is damaged"),
          List.of("printf x | dd of=$e bs=1 seek=0 conv=notrunc 2>/dev/null", "is damaged"),
          List.of("chmod 750 .", "not a directory of this user's alone"),
          List.of("cd .. && mv cache x && ln -s x cache", "not a directory of this user's alone"),
          List.of("cd .. && mv cache x && : >cache", "not a directory of this user's alone"));

  @EveryUser
  void whatSomebodyChangedIsNotRun(CallingUser user) throws IOException {
    for (List<String> change : CHANGES) {
      String text =
          """
          "$c" run -- echo no >/dev/null
          (cd "$cache" && e=$(ls) && eval "$4")
          "$c" run -- echo no
          echo "status $?"
          "$c" run --no-cache -- echo yes
          "$c" cache clear
          misses "$c" run -- echo
          hits "$c" run -- echo
          """;
      Ran ran = script(user, text).and(change.getFirst()).run();
      assertEquals("status 125\nyes\n", ran.out(), () -> change + ": " + ran);
      assertEquals(1, ran.err().lines().count(), () -> change + ": " + ran);
      assertTrue(ran.err().contains(change.getLast()), () -> change + ": " + ran);
    }
  }

  @EveryUser
  void anotherUsersFileIsNotRun(CallingUser user) throws IOException {
    if (!user.isRoot()) {
      return;
    }
    String text =
        """
        "$c" run -- true
        chown 7 "$cache"/*
        "$c" run -- echo no; echo "status $?"
        "$c" cache clear; "$c" run -- true
        chown 7 "$cache"
        "$c" run -- echo no; echo "status $?"
        # A place that is somebody else's was never used.
        chown 7 "${cache%/*}"
        "$c" run -- echo yes
        """;
    Ran ran = script(user, text).run();
    assertEquals("status 125\nstatus 125\nyes\n", ran.out(), ran::toString);
    assertEquals(2, ran.err().lines().count(), ran::toString);
  }

  @EveryUser
  void callsAtTheSameTimeDoNotDisturbEachOther(CallingUser user) throws IOException {
    String text =
        """
        for i in 1 2 3 4 5 6; do
          (for j in 1 2 3 4 5; do "$c" run --preset host --tmpfs /t$((j % 2)) -- echo "$i.$j" || echo bad; done) &
        done >"$HOME/out"
        (for j in 1 2 3; do "$c" cache clear; done)
        wait
        sort "$HOME/out" | uniq | wc -l
        grep -c bad "$HOME/out"
        ls "${cache%/*}" | grep launcher-
        true
        """;
    script(user, text).run().prints("30\n0\n");
  }

  @EverySetting
  void aLauncherWhoseSetUpFailsIsForgotten(Setting setting) throws IOException {
    if (setting.isBwrap()) {
      // It is bubblewrap that fails, in place of the launcher.
      return;
    }
    setting.mustWork();
    String text =
        """
        mkdir -p d/s
        call() { "$c" run --strategy "$1" --preset host --ro-bind d /d --tmpfs /d/s -- echo ran; }
        call "$4"
        call "$4"
        starts; entries
        rmdir d/s
        call "$4"
        echo "status $?"; entries
        """;
    Ran ran = script(setting.user(), text).and(setting.strategy()).run();
    assertEquals("ran\nran\njvm 1\n1\nstatus 125\n0\n", ran.out(), ran::toString);
    assertTrue(ran.err().startsWith("cloister: " + setting.strategy()), ran::toString);
  }

  @EveryUser
  void theOldestMakeRoom(CallingUser user) throws IOException {
    String text =
        """
        "$c" run -- true
        i=0
        while [ $i -lt 80 ]; do i=$((i + 1)); touch -d '2 days ago' "$cache/old$i"; done
        "$c" run --preset host --tmpfs /a -- true
        entries
        hits "$c" run -- true
        hits "$c" run --preset host --tmpfs /a -- true
        """;
    script(user, text).run().prints("64\n");
  }

  @EverySetting
  void noSandboxReachesTheCache(Setting setting) throws IOException {
    setting.mustWork();
    String text =
        """
        for binds in '--bind / /' '--preset host --bind /tmp /tmp' '--mount /tmp' '--dev-bind / /' \\
            "--preset host --bind ${cache%/*} /x" "--preset host --bind $cache /x" \\
            '--ro-bind / / --bind /tmp /tmp'; do
          for first in true false; do
            rm -rf "$cache"
            $first && "$c" run -- true
            "$c" run --strategy "$4" $binds -- sh -c '
              find /tmp/cloister-*/cache /x -type f
              mkdir -p "$1"; echo no >"$1/planted"
              [ ! -d /x ] || { mkdir /x/cache; echo no >/x/planted; echo no >/x/cache/planted; }
              true' sh "$cache" 2>/dev/null || echo "failed: $binds"
            find "${cache%/*}" -name planted
          done
        done
        """;
    script(setting.user(), text).and(setting.strategy()).run().prints("");
  }

  @EveryUser
  void anotherUsersCacheIsHiddenFromWhomRootMakesThatUser(CallingUser user) throws IOException {
    if (!user.isRoot()) {
      return;
    }
    String text =
        """
        "$c" run --uid 54321 --preset host --bind /tmp /tmp -- sh -c '
          id -u; mkdir -p /tmp/cloister-54321/cache && echo no >/tmp/cloister-54321/cache/planted'
        ls -A /tmp/cloister-54321
        stat -c '%u %a' /tmp/cloister-54321
        rmdir /tmp/cloister-54321
        """;
    Ran ran = script(user, text).run();
    assertEquals("54321\n54321 700\n", ran.out(), ran::toString);
  }

  @EveryUser
  void aChangedSourceIsBuilt(CallingUser user) throws IOException {
    Checkout checkout = new Checkout(user);
    String source = "core/src/main/java/module-info.java";
    checkout.age(source);
    checkout.call("run", "--", "true").env("PWD", user.home().toString()).run().exits(0);
    checkout.call("run", "--", "true").env("PWD", user.home().toString()).run().exits(0);
    assertEquals(1, checkout.builds());
    assertTrue(Files.isExecutable(checkout.dist().resolve("lookup")));
    checkout.source(source);
    checkout.call("run", "--", "true").env("PWD", user.home().toString()).run().exits(0);
    assertEquals(2, checkout.builds());
    checkout.age(source);
    checkout.source("core/src/main/java/New.java");
    checkout.call("run", "--", "true").env("PWD", user.home().toString()).run().exits(0);
    assertEquals(3, checkout.builds());
  }
}
