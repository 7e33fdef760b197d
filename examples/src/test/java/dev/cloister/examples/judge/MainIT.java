package dev.cloister.examples.judge;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The script, with the packaged modules. */
class MainIT {
  private static final Path MODULE = Path.of("").toAbsolutePath();
  private static final Path SUBMISSIONS = MODULE.resolve("src/test/resources/submissions");

  private static void check(String submission, String verdict, int status) throws Exception {
    Required.program("gcc");
    ProcessBuilder builder =
        new ProcessBuilder(MODULE.resolve("judge").toString(), submission, "input", "expected")
            .directory(SUBMISSIONS.toFile())
            .redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", HostPrograms.JDK.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(verdict + "\n", output);
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
}
