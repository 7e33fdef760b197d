package dev.cloister.cli;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.machine.ErrnoTexts;
import java.util.List;

/**
 * Makes the constants that every launcher needs in a thread of its own, while the first one reads
 * arguments and looks at the host: there are hundreds, and a JVM that has just started interprets.
 *
 * <p>Only classes that refer to no others of ours but those before them: two threads that
 * initialize classes which need each other wait for each other for ever (JLS 12.4.2).
 */
final class HeadStart {
  private HeadStart() {}

  static void begin() {
    Thread thread = new Thread(HeadStart::makeConstants, "head-start");
    thread.setDaemon(true);
    thread.start();
  }

  /** To name one makes all of its kind. Whatever the other thread needs first, it makes itself. */
  private static List<Object> makeConstants() {
    return List.of(LinuxConstant.AT_NULL, SystemCall.READ, Errno.EPERM, ErrnoTexts.complete());
  }
}
