package dev.cloister.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.fixture.Execution;
import dev.cloister.fixture.Required;
import dev.cloister.host.Caller;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrivateDirectoryTest {
  @TempDir Path place;

  private static long uid() throws IOException {
    return Caller.current().uid();
  }

  private Path expected() throws IOException {
    return place.resolve("cloister-" + uid());
  }

  private Optional<Path> open() throws IOException {
    return PrivateDirectory.in(place, uid()).map(PrivateDirectory::path);
  }

  private static void mode(Path file, String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  @Test
  void isMadeForItsOwnerOnly() throws Exception {
    assertEquals(Optional.of(expected()), open());
    assertEquals(
        PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(expected()));
    assertEquals(Optional.of(expected()), open());
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxr-x---", "rwx-----x", "rwx--x---", "rwxrwxrwx", "r-x------"})
  void isNotTrustedWithAnotherMode(String mode) throws Exception {
    Files.createDirectory(expected());
    mode(expected(), mode);
    assertEquals(Optional.empty(), open());
  }

  @Test
  void isNotTrustedAsALinkOrAFile() throws Exception {
    Path real = Files.createDirectory(place.resolve("real"));
    mode(real, "rwx------");
    Files.createSymbolicLink(expected(), real);
    assertEquals(Optional.empty(), open());
    Files.delete(expected());
    Files.createFile(expected());
    mode(expected(), "rwx------");
    assertEquals(Optional.empty(), open());
  }

  @Test
  void isNotTrustedAsAnothers() throws Exception {
    Required.that(uid() == 0, "to be root");
    Files.createDirectory(expected());
    mode(expected(), "rwx------");
    assertEquals(Optional.of(expected()), open());
    Files.setAttribute(expected(), "unix:uid", (int) Execution.NOBODY);
    assertEquals(Optional.empty(), open());
  }

  /** Ids above 2^31 are negative where Java has them. */
  @Test
  void belongsToAnyId() throws Exception {
    Required.that(uid() == 0, "to be root");
    long id = 4_294_967_294L;
    Path path = place.resolve("cloister-4294967294");
    Files.createDirectory(path);
    mode(path, "rwx------");
    Files.setAttribute(path, "unix:uid", (int) id);
    assertEquals(Optional.of(path), PrivateDirectory.in(place, id).map(PrivateDirectory::path));
  }

  @Test
  void isNowhereWhereItCannotBeMade() throws Exception {
    assertEquals(Optional.empty(), PrivateDirectory.in(place.resolve("none"), uid()));
    assertEquals(Optional.empty(), PrivateDirectory.in(Path.of("/proc"), uid()));
  }

  /** Runs in a process whose mount namespace has a noexec mount. */
  static final class Elsewhere {
    private Elsewhere() {}

    public static void main(String[] arguments) throws Exception {
      for (String place : arguments) {
        System.out.println(PrivateDirectory.in(Path.of(place), uid()).isPresent());
      }
    }
  }

  @Test
  void isNotWhereNothingCanBeExecuted() throws Exception {
    Required.that(uid() == 0, "to be root, for a mount");
    Path noexec = Files.createDirectory(place.resolve("no exec"));
    Path exec = Files.createDirectory(noexec.resolve("exec"));
    String script =
        "mount -t tmpfs -o noexec none '%s' && mkdir '%s' && mount -t tmpfs none '%s' && exec \"$@\""
            .formatted(noexec, exec, exec);
    Execution.Ended ended =
        Execution.of(
                Path.of(System.getProperty("java.home"), "bin/java"),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Elsewhere.class.getName(),
                noexec.toString(),
                exec.toString())
            .through(Required.program("unshare"), "--mount", "/bin/sh", "-c", script, "sh")
            .environment("PATH=/usr/bin:/bin")
            .end();
    assertEquals(List.of("false", "true"), ended.lines(), ended.error());
  }

  @Test
  void reservesFilesOfItsOwn() throws Exception {
    PrivateDirectory directory = PrivateDirectory.in(place, uid()).orElseThrow();
    Path one = directory.reserve();
    Path two = directory.reserve();
    assertNotEquals(one, two);
    assertEquals(directory.path(), one.getParent());
    assertEquals(PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(one));
  }

  @Test
  void removesWhatWasLeftBehind() throws Exception {
    PrivateDirectory directory = PrivateDirectory.in(place, uid()).orElseThrow();
    FileTime old = FileTime.from(Instant.now().minus(Duration.ofHours(2)));
    Path fresh = directory.reserve();
    Path abandoned = directory.reserve();
    Files.setLastModifiedTime(abandoned, old);
    Path other = Files.createFile(directory.path().resolve("verdicts"));
    Files.setLastModifiedTime(other, old);
    directory.removeAbandoned();
    assertTrue(Files.exists(fresh));
    assertFalse(Files.exists(abandoned));
    assertTrue(Files.exists(other));
  }

  @Test
  void liesInTheUsersOwnPlacesFirst() {
    List<Path> always = List.of(Path.of("/tmp"), Path.of("/dev/shm"), Path.of("/var/tmp"));
    assertEquals(always, PrivateDirectory.places(Map.of()));
    assertEquals(
        always, PrivateDirectory.places(Map.of("XDG_RUNTIME_DIR", "relative", "TMPDIR", "")));
    List<Path> places =
        PrivateDirectory.places(Map.of("TMPDIR", "/t", "XDG_RUNTIME_DIR", "/run/user/7"));
    assertEquals(List.of(Path.of("/run/user/7"), Path.of("/t")), places.subList(0, 2));
    assertEquals(always, places.subList(2, 5));
  }
}
