package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** The tests of sandboxed processes once more, in JVMs of a user without any right. */
@Timeout(600)
class UnprivilegedProcessTest {
  private static final List<Class<?>> TESTS =
      List.of(
          CaptureTest.class,
          PassedDescriptorsTest.class,
          PrewarmTest.class,
          PrewarmedAsColdTest.class,
          ProcessEnvironmentTest.class,
          ProcessFailureTest.class,
          ProcessLifetimeTest.class,
          ProcessRedirectsTest.class,
          ProcessStreamsTest.class,
          ResidentLauncherTest.class,
          SandboxProcessTest.class);

  /** Those for which it matters how a launcher is started. */
  private static final List<Class<?>> STARTS =
      List.of(
          PassedDescriptorsTest.class,
          PrewarmTest.class,
          ProcessFailureTest.class,
          SandboxProcessTest.class);

  @TempDir private Path directory;

  /** Runs the tests, and says on standard output what failed. */
  static final class Suite {
    private Suite() {}

    static void main(String[] names) {
      SummaryGeneratingListener listener = new SummaryGeneratingListener();
      LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
      for (String name : names) {
        request.selectors(selectClass(name));
      }
      LauncherDiscoveryRequest tests = request.build();
      LauncherFactory.create().execute(tests, listener);
      TestExecutionSummary summary = listener.getSummary();
      summary.printFailuresTo(new PrintWriter(System.out, true, StandardCharsets.UTF_8), 10);
      System.out.println("succeeded: " + summary.getTestsSucceededCount());
      System.exit(summary.getTotalFailureCount() == 0 ? 0 : 1);
    }
  }

  @Test
  void aUserWithoutRightsSeesTheSame() throws Exception {
    run(List.of(), TESTS);
  }

  /** No launcher runs in the JVM's memory then, but all are executed. */
  @Test
  void soDoesOneWhoseFilterHidesClone3() throws Exception {
    run(OlderKernel.without(OlderKernel.ENOSYS, OlderKernel.CLONE3), STARTS);
  }

  private void run(List<String> before, List<Class<?>> tests) throws Exception {
    User user = User.all().toList().getLast();
    Path report = Files.createFile(directory.resolve("report"));
    List<String> command = new ArrayList<>(user.become());
    command.addAll(before);
    String[] names = tests.stream().map(Class::getName).toArray(String[]::new);
    command.addAll(OtherJvm.command(readableClassPath(), Suite.class, names));
    Process suite =
        new ProcessBuilder(command)
            .directory(new File("/"))
            .redirectErrorStream(true)
            .redirectOutput(report.toFile())
            .start();
    suite.getOutputStream().close();
    int status = suite.waitFor();
    String said = Files.readString(report);
    assertEquals(0, status, said);
    assertTrue(said.matches("(?s).*succeeded: [0-9]{3,}\\s*"), said);
  }

  /** Copies, as what Maven has downloaded and built may lie in a directory of root's. */
  private String readableClassPath() throws IOException {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    List<String> copies = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path source = Path.of(entry);
      if (Files.exists(source)) {
        Path copy = directory.resolve(copies.size() + "-" + source.getFileName());
        copyTree(source, copy);
        copies.add(copy.toString());
      }
    }
    return String.join(File.pathSeparator, copies);
  }

  private static void copyTree(Path from, Path to) throws IOException {
    List<Path> files;
    try (Stream<Path> tree = Files.walk(from)) {
      files = tree.toList();
    }
    for (Path file : files) {
      Files.copy(file, to.resolve(from.relativize(file).toString()));
    }
  }
}
