package dev.cloister.examples.judge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The judge as a command: {@code judge SUBMISSION INPUT EXPECTED} prints the verdict. */
public final class Main {
  private static final int NO_VERDICT = 2;

  private Main() {}

  /** Ends with status 0 if the submission is good, 1 if it is not, 2 if there is no verdict. */
  public static void main(String[] arguments) throws InterruptedException {
    if (arguments.length != 3) {
      fail("usage: judge SUBMISSION.c|SUBMISSION.java INPUT EXPECTED");
    }
    for (String file : arguments) {
      if (!Files.isReadable(Path.of(file)) || Files.isDirectory(Path.of(file))) {
        fail("judge: " + file + ": not a file that can be read");
      }
    }
    try {
      Submission submission =
          Submission.of(Path.of(arguments[0]), Path.of(arguments[1]), Path.of(arguments[2]));
      Judgement judgement = Judge.builder().build().judge(submission);
      System.out.println(judgement.verdict());
      System.err.print(judgement.reason());
      System.exit(judgement.verdict() == Verdict.OK ? 0 : 1);
    } catch (IOException | IllegalArgumentException e) {
      fail("judge: " + e.getMessage());
    }
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(NO_VERDICT);
  }
}
