package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Cases;
import dev.cloister.fixture.Required;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Random command lines through the real script: a run, or one error, and nothing left behind. */
final class CommandLineFuzzIT {
  private static final int CASES = 25;

  /** As a shell says that a signal ended something. */
  private static final int KILLED = 128;

  private static final Set<Integer> STATUSES = Set.of(0, 125, 126, 127);

  @EveryUser
  void endsWithACommandOrOneError(CallingUser user) throws Exception {
    Path work = user.work();
    List<Path> tree = tree(user, work);
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    Cases.check(
        "started command lines as " + user,
        CASES,
        random -> words(random, tree),
        Cases::withoutOne,
        words -> judge(user.call(script(words)).in(work).run()));
    assertEquals(mounts, Files.readString(Path.of("/proc/self/mountinfo")));
  }

  /** Only files of the test's own: what is bound writable may get new directories. */
  private static List<Path> tree(CallingUser user, Path work) throws Exception {
    Path directory = user.give(Files.createDirectory(work.resolve("d")));
    Path file = user.write(work, "f", "");
    Path link = Files.createSymbolicLink(work.resolve("link"), Path.of("d"));
    Path loop = Files.createSymbolicLink(work.resolve("loop"), Path.of("loop"));
    return List.of(directory, file, link, loop, work.resolve("missing"));
  }

  private static List<OsString> words(Random random, List<Path> tree) {
    CommandLines lines = new CommandLines(random, tree);
    return switch (random.nextInt(8)) {
      case 0 -> lines.next("env", List.of(EnvOption.values()), OsString.of("true"));
      case 1 -> lines.next("explain", options(), OsString.of("true"));
      default -> lines.next("run", options(), OsString.of("true"));
    };
  }

  /** All but those that could write to the host where a wild path names it. */
  private static List<RunOption> options() {
    List<RunOption> options = new ArrayList<>(List.of(RunOption.values()));
    options.removeIf(CommandLineFuzzIT::bindsWritable);
    return options;
  }

  private static boolean bindsWritable(RunOption option) {
    String word = option.word();
    return word.equals("--mount") || (word.contains("bind") && !word.startsWith("--ro-"));
  }

  /** The words as a shell writes them in octal, as Java would lose bytes that are not text. */
  private static String[] script(List<OsString> words) {
    StringBuilder script = new StringBuilder("exec '" + Installation.SCRIPT + "'");
    for (OsString word : words) {
      script.append(" $'");
      for (byte b : word.bytes()) {
        script.append("\\%03o".formatted(b & 0xff));
      }
      script.append('\'');
    }
    return new String[] {Required.program("bash"), "-c", script.toString()};
  }

  /** A word that came in the command's place may be a program, with a status of its own. */
  private static void judge(Ran ran) {
    assertTrue(ran.status() < KILLED, ran::toString);
    if (ran.status() != 0) {
      assertFalse(ran.err().isBlank(), ran::toString);
    }
    List<String> errors = ran.err().lines().filter(line -> line.startsWith("cloister: ")).toList();
    if (!errors.isEmpty()) {
      assertTrue(STATUSES.contains(ran.status()), ran::toString);
    }
  }
}
