package dev.cloister.ffm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The JVM that gives itself up is another one, which {@link Spawn} starts. */
@Timeout(120)
class ProcessImageTest {
  private static final List<byte[]> ARGUMENTS =
      Bytes.listOf("sh", "-c", "printf '%s|' \"$0\" \"$VARIABLE\"; echo $$", "\u00ff");
  private static final List<byte[]> ENVIRONMENT = Bytes.listOf("VARIABLE=\u00e9");

  static final class ReplaceByPath {
    static void main() throws LinuxException {
      ProcessImage.replace(Bytes.of("/bin/sh"), ARGUMENTS, ENVIRONMENT);
    }
  }

  static final class ReplaceByDescriptor {
    static void main() throws Exception {
      byte[] shell = Files.readAllBytes(Path.of("/bin/sh"));
      ProcessImage.replace(MemoryFile.executable("sh", shell), ARGUMENTS, ENVIRONMENT);
    }
  }

  static final class PrintEnvironment {
    static void main() throws LinuxException {
      for (byte[] variable : Environment.variables()) {
        System.out.writeBytes(variable);
        System.out.println();
      }
    }
  }

  @Test
  void executesAPath() throws Exception {
    assertReplaced(ReplaceByPath.class);
  }

  @Test
  void executesADescriptor() throws Exception {
    assertReplaced(ReplaceByDescriptor.class);
  }

  private static void assertReplaced(Class<?> main) throws Exception {
    try (Pipe pipe = Pipe.open();
        ChildProcess child = java(main, List.of()).duplicate(pipe.writeEnd(), 1).start()) {
      pipe.writeEnd().close();
      String output = Bytes.readAll(pipe.readEnd());
      assertEquals(new ExitStatus.Exited(0), child.waitFor());
      assertEquals("\u00ff|\u00e9|" + child.pid() + "\n", output);
    }
  }

  @Test
  void theEnvironmentHasItsBytesAndOrder() throws Exception {
    List<byte[]> environment = Bytes.listOf("B=\u00ff", "A=1", "no equals sign", "A=2");
    try (Pipe pipe = Pipe.open();
        ChildProcess child =
            java(PrintEnvironment.class, environment).duplicate(pipe.writeEnd(), 1).start()) {
      pipe.writeEnd().close();
      String output = Bytes.readAll(pipe.readEnd());
      assertEquals(new ExitStatus.Exited(0), child.waitFor());
      List<String> variables = new ArrayList<>(output.lines().toList());
      // The java launcher's own.
      variables.removeIf(variable -> variable.startsWith("NLSPATH="));
      assertEquals(environment.stream().map(Bytes::text).toList(), variables);
    }
  }

  private static Spawn java(Class<?> main, List<byte[]> environment) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return Spawn.of(
        Bytes.of(java),
        Bytes.listOf(
            java,
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName()),
        environment);
  }

  @Test
  void aFailureLeavesTheJvmAsItWas() {
    LinuxException path =
        assertThrows(
            LinuxException.class,
            () -> ProcessImage.replace(Bytes.of("/missing"), ARGUMENTS, ENVIRONMENT));
    assertTrue(path.call().startsWith("execve(\"/missing\", {\"sh\", \"-c\", "), path.call());
    assertEquals(Optional.of(Errno.ENOENT), path.errno());
  }

  @Test
  void aFailureDoesNotTellTheEnvironment() throws Exception {
    try (Descriptor file = MemoryFile.executable("empty", new byte[0])) {
      LinuxException e =
          assertThrows(
              LinuxException.class,
              () -> ProcessImage.replace(file, Bytes.listOf("name"), ENVIRONMENT));
      assertEquals(
          ("execveat(%d, \"\", {\"name\"}, {/* 1 variables */}, AT_EMPTY_PATH):"
                  + " ENOEXEC (Exec format error)")
              .formatted(file.number()),
          e.getMessage());
    }
  }
}
