package dev.cloister.strategies;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Another Java program with the classes of this one. */
final class OtherJvm {
  private OtherJvm() {}

  /** The words that run a class. */
  static List<String> command(Class<?> main, String... arguments) {
    return command(System.getProperty("java.class.path"), main, arguments);
  }

  /** The same with the classes in other places. */
  static List<String> command(String classPath, Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-cp");
    command.add(classPath);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }

  /** Starts one whose complaints are shown among this one's. */
  static Process start(Class<?> main, String... arguments) throws IOException {
    return new ProcessBuilder(command(main, arguments))
        .redirectInput(new File("/dev/null"))
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
