package dev.cloister.examples.judge;

import java.io.IOException;
import java.nio.file.Path;

/** The judge as a command: {@code judge SUBMISSION INPUT EXPECTED} prints the verdict. */
public final class Main {
  private static final int BAD_USAGE = 2;

  private Main() {}

  /** Ends with status 0 if the submission is good, 1 if it is not. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length != 3) {
      System.err.println("usage: judge SUBMISSION.c|SUBMISSION.java INPUT EXPECTED");
      System.exit(BAD_USAGE);
    }
    Submission submission =
        Submission.of(Path.of(arguments[0]), Path.of(arguments[1]), Path.of(arguments[2]));
    Judgement judgement = Judge.builder().build().judge(submission);
    System.out.println(judgement.verdict());
    System.err.print(judgement.reason());
    System.exit(judgement.verdict() == Verdict.OK ? 0 : 1);
  }
}
