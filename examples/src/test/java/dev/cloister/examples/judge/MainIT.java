package dev.cloister.examples.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The script, with the packaged modules. */
class MainIT {
  private static final Path MODULE = Path.of("").toAbsolutePath();
  private static final Path SUBMISSIONS = MODULE.resolve("src/test/resources/submissions");

  private static void check(String submission, String verdict, int status) throws Exception {
    Required.program("gcc");
    run(verdict, status, submission, "input", "expected");
  }

  private static void run(String expected, int status, String... arguments) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(MODULE.resolve("judge").toString())
            .directory(SUBMISSIONS.toFile())
            .redirectErrorStream(true);
    builder.command().addAll(List.of(arguments));
    builder.environment().put("JAVA_HOME", HostPrograms.JDK.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(expected + "\n", output);
    assertEquals(status, process.waitFor());
  }

  @Test
  void saysWhenASubmissionIsGood() throws Exception {
    check("ok.c", "OK", 0);
  }

  @Test
  void saysWhatIsWrongWithOne() throws Exception {
    check("wrong.c", "WRONG", 1);
  }

  @Test
  void saysInOneLineWhatItCannotJudge() throws Exception {
    String missing = "judge: nope.c: not a file that can be read";
    run(missing, 2, "nope.c", "input", "expected");
    run(missing, 2, "ok.c", "nope.c", "expected");
    run(missing, 2, "ok.c", "input", "nope.c");
    run("judge: .: not a file that can be read", 2, "ok.c", ".", "expected");
    run("judge: of no known language: input", 2, "input", "input", "expected");
    run("usage: judge SUBMISSION.c|SUBMISSION.java INPUT EXPECTED", 2);
  }
}
