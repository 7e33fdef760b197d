package dev.cloister.ffm;

import java.util.List;

/**
 * Replaces the program that this process runs. The JVM ends there and then: no shutdown hook runs,
 * nothing buffered is written. Only a failure returns, as an exception, and leaves the JVM as it
 * was.
 *
 * <p>What the new program inherits from the calling thread and the JVM, such as its signal mask and
 * limits, is the caller's concern: see {@link Signals} and {@link ResourceLimit}.
 */
public final class ProcessImage {
  private ProcessImage() {}

  /**
   * Executes the file at a path: execve(2).
   *
   * @param arguments the first is the program's own name
   * @param environment as {@code NAME=value}
   */
  public static void replace(byte[] path, List<byte[]> arguments, List<byte[]> environment)
      throws LinuxException {
    new KernelCall(SystemCall.EXECVE).text(path).program(arguments, environment).run();
  }

  /**
   * Executes an open file: execveat(2) with {@code AT_EMPTY_PATH}. A script fails with ENOENT if
   * the descriptor is closed on exec, because its interpreter cannot open it then.
   *
   * @param arguments the first is the program's own name
   * @param environment as {@code NAME=value}
   */
  public static void replace(Descriptor file, List<byte[]> arguments, List<byte[]> environment)
      throws LinuxException {
    new KernelCall(SystemCall.EXECVEAT)
        .number(file.number())
        .text(new byte[0])
        .program(arguments, environment)
        .flags(LinuxConstant.AT_EMPTY_PATH)
        .run();
  }
}
