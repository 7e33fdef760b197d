package dev.cloister.examples.judge;

import java.nio.file.Path;

/**
 * A program that claims to solve a task.
 *
 * @param language of the source
 * @param source in Java, of a class {@code Main} without a package
 * @param input a file for its standard input
 * @param expected a file with what it should write; space at the ends of lines does not matter
 */
public record Submission(Language language, Path source, Path input, Path expected) {
  /** The same in the language that the source's name ends with. */
  public static Submission of(Path source, Path input, Path expected) {
    return new Submission(Language.of(source), source, input, expected);
  }
}
