package dev.cloister.machine;

/**
 * How a launcher tells that its set-up failed, before it ends with status 125.
 *
 * @param descriptor on which; what there is to say to a person besides goes to standard error
 */
public record Reporting(Form form, int descriptor) {
  private static final int STANDARD_ERROR = 2;

  /** One message for a person, on standard error. */
  public static final Reporting TEXT = new Reporting(Form.TEXT, STANDARD_ERROR);

  /** For a program, on standard output. */
  public static final Reporting RECORD = new Reporting(Form.RECORD, 1);

  /** What is written. */
  public enum Form {
    /** A message. */
    TEXT,
    /**
     * Two 32-bit little-endian numbers: the step (0 where the command itself could not be executed)
     * and the errno.
     */
    RECORD,
    /**
     * Three such numbers, the step, the errno (0 where no call failed) and the status with which
     * the launcher ends; then the message.
     */
    RECORD_AND_TEXT
  }

  /** For a library, which shows people the message, and programs the rest. */
  public static Reporting channel(int descriptor) {
    return new Reporting(Form.RECORD_AND_TEXT, descriptor);
  }

  /** On which descriptor messages are written. */
  int messages() {
    return isToLibrary() ? descriptor : STANDARD_ERROR;
  }

  /** Whether a launcher's first argument is its command's directory, and stays with the command. */
  boolean isToLibrary() {
    return form == Form.RECORD_AND_TEXT;
  }
}
