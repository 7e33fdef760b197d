package dev.cloister.strategy;

import dev.cloister.ffm.Errno;
import dev.cloister.host.Workaround;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Whether a strategy can be used. */
public sealed interface Assessment {
  /**
   * It can.
   *
   * @param workarounds what its plans must do differently for that
   */
  record Usable(Set<Workaround> workarounds) implements Assessment {
    public Usable {
      workarounds = Workaround.copy(workarounds);
    }
  }

  /**
   * It cannot.
   *
   * @param failure what went wrong when it was tried; empty if that was known without trying
   */
  record Unusable(Optional<Failure> failure, Cause cause) implements Assessment {
    /**
     * One that was not tried.
     *
     * @param reason what stands against it, for a person
     * @param remedy what would help
     */
    public Unusable(String reason, String remedy) {
      this(Optional.empty(), new Cause(reason, remedy));
    }

    /** What stands against it, for a person: the failure, and why. */
    public String reason() {
      String what = failure.map(Failure::toString).orElse("");
      return what.isEmpty() || cause.text().isEmpty()
          ? what + cause.text()
          : what + ": " + cause.text();
    }

    /** What would help. */
    public String remedy() {
      return cause.remedy();
    }

    /** Both in a line. */
    public String text() {
      return "%s (%s)".formatted(reason(), remedy());
    }
  }

  /**
   * What went wrong.
   *
   * @param step the number of the step of the program that was tried, from 1; 0 if it was none
   * @param call the step as C, or what another program said of its own
   * @param number the errno; 0 if there is none
   */
  record Failure(int step, String call, int number) {
    /** The errno's name; empty if there is none. */
    public String errno() {
      return number == 0 ? "" : Errno.of(number).map(Enum::name).orElse("errno " + number);
    }

    /** The errno's text; empty if there is none. */
    public String errnoText() {
      return Errno.of(number).map(Errno::text).orElse("");
    }

    /** As a launcher says it: {@code unshare(CLONE_NEWUSER): EPERM (Operation not permitted)}. */
    @Override
    public String toString() {
      String text = errnoText().isEmpty() ? "" : " (" + errnoText() + ")";
      return number == 0 ? call : call + ": " + errno() + text;
    }
  }

  /**
   * Why.
   *
   * @param text for a person; empty if the cause is not known
   * @param evidence where it shows, such as {@code /proc/self/status: Seccomp: 2}
   * @param remedy what would help, in a sentence
   * @param attachment lines that the remedy speaks of, such as the content of a file; often none
   */
  record Cause(String text, List<String> evidence, String remedy, List<String> attachment) {
    public Cause {
      evidence = List.copyOf(evidence);
      attachment = List.copyOf(attachment);
    }

    public Cause(String text, String remedy) {
      this(text, List.of(), remedy, List.of());
    }

    /** The same, and where it shows. */
    public Cause seenIn(String... where) {
      return new Cause(text, List.of(where), remedy, attachment);
    }
  }

  Assessment USABLE = new Usable(Set.of());
}
