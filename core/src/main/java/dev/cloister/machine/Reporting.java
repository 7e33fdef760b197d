package dev.cloister.machine;

/**
 * How a launcher tells that its set-up failed, before it ends with the status of its speaker.
 *
 * @param descriptor on which; what there is to say to a person besides goes to standard error
 * @param speaker who says it
 */
public record Reporting(Form form, int descriptor, Speaker speaker) {
  private static final int STANDARD_ERROR = 2;

  /** One message for a person, on standard error. */
  public static final Reporting TEXT = text(Speaker.CLOISTER);

  /** For a program, on standard output. */
  public static final Reporting RECORD = new Reporting(Form.RECORD, 1, Speaker.CLOISTER);

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

  /** One message for a person, on standard error. */
  public static Reporting text(Speaker speaker) {
    return new Reporting(Form.TEXT, STANDARD_ERROR, speaker);
  }

  /** For a library, which shows people the message, and programs the rest. */
  public static Reporting channel(int descriptor) {
    return new Reporting(Form.RECORD_AND_TEXT, descriptor, Speaker.CLOISTER);
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
