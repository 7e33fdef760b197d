package dev.cloister.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Presets on the host at hand. */
class PresetTest {
  private static Optional<MountOperation> at(List<MountOperation> mounts, String destination) {
    return mounts.stream()
        .filter(mount -> mount.destination().equals(Destination.of(destination)))
        .findFirst();
  }

  private static Access access(List<MountOperation> mounts, String destination) {
    return ((Bind) at(mounts, destination).orElseThrow()).access();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void showsTheHostsProgramsAndNothingOfItsUsers(boolean reallyRoot) throws Exception {
    List<MountOperation> mounts = Preset.HOST.mounts(reallyRoot);
    assertEquals(Access.READ_ONLY, access(mounts, "/usr"));
    assertEquals(Access.READ_ONLY, access(mounts, "/etc"));
    for (String users : List.of("/home", "/root", "/var", "/run", "/srv", "/opt")) {
      assertFalse(at(mounts, users).isPresent(), users);
    }
    assertEquals(
        Optional.of(new MountOperation.Directory(Destination.of("/tmp"), 01777)),
        at(mounts, "/tmp"));
  }

  /** A merged /usr is merged inside too, and an unmerged one is not. */
  @ParameterizedTest
  @ValueSource(strings = {"/bin", "/sbin", "/lib", "/lib64"})
  void systemDirectoriesAreWhatTheyAreOnTheHost(String name) throws Exception {
    Path path = Path.of(name);
    Optional<MountOperation> mount = at(Preset.HOST.mounts(false), name);
    if (Files.isSymbolicLink(path)) {
      OsString target = OsString.of(Files.readSymbolicLink(path));
      assertEquals(Optional.of(new MountOperation.Symlink(target, Destination.of(name))), mount);
    } else {
      assertEquals(Files.isDirectory(path), mount.isPresent());
      assertTrue(mount.stream().allMatch(Bind.class::isInstance));
    }
  }

  /** A directory of somebody's may be called {@code /library}. */
  @Test
  void systemDirectoriesAreThoseOfAHostThatIsNotKnown(@TempDir Path root) throws Exception {
    List<Path> there = new ArrayList<>();
    for (String name : List.of("bin", "lib", "lib32", "lib64", "libx32", "sbin", "library")) {
      there.add(Files.createDirectory(root.resolve(name)));
    }
    assertEquals(there.subList(0, 6), Preset.systemDirectories(root));
    Files.delete(root.resolve("lib"));
    Files.createSymbolicLink(root.resolve("lib"), Path.of("lib64"));
    Files.delete(root.resolve("sbin"));
    assertEquals(there.subList(0, 5), Preset.systemDirectories(root));
    for (MountOperation mount : Preset.HOST.lateMounts(false, false)) {
      if (mount instanceof MountOperation.AsOnHost shown) {
        List<String> names = shown.names().stream().map(OsString::toString).toList();
        assertEquals(
            List.of("usr", "etc", "nix", "bin", "lib", "lib32", "lib64", "libx32", "sbin"), names);
        return;
      }
    }
    throw new AssertionError("nothing is as on the host");
  }

  @Test
  void hidesFromRootWhatRootsUidCouldChange() throws Exception {
    List<MountOperation> root = Preset.HOST.mounts(true);
    assertEquals(Optional.of(new MountOperation.Devices(Destination.of("/dev"))), at(root, "/dev"));
    assertEquals(Optional.of(new MountOperation.Proc(Destination.of("/proc"))), at(root, "/proc"));
    assertEquals(Access.READ_ONLY, access(root, "/sys"));
    List<MountOperation> user = Preset.HOST.mounts(false);
    for (String name : List.of("/dev", "/proc", "/sys")) {
      assertEquals(Access.DEVICES, access(user, name));
    }
  }

  @Test
  void theOriginsMountsMustAllBeThere() throws Exception {
    if (Files.exists(Path.of("/nix"))) {
      assertEquals(4, Preset.ORIGIN.mounts(false).size());
    } else {
      SourceException e = assertThrows(SourceException.class, () -> Preset.ORIGIN.mounts(false));
      assertEquals("/nix: no such file or directory on this host", e.getMessage());
      assertTrue(e.isMissing());
    }
  }

  @Test
  void haveTheirWords() throws Exception {
    for (Preset preset : Preset.values()) {
      assertEquals(Optional.of(preset), Preset.of(preset.word()));
    }
    assertEquals(Optional.empty(), Preset.of("HOST"));
    assertEquals(List.of(), Preset.NONE.mounts(true));
  }
}
