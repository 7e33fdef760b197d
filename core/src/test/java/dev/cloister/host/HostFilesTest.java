package dev.cloister.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Descriptor;
import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.HostFiles.SourceException;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostFilesTest {
  @TempDir Path temporary;
  private Path directory = Path.of("");

  @BeforeEach
  void resolve() throws IOException {
    directory = temporary.toRealPath();
  }

  private static Source inspect(Path path) throws SourceException {
    return HostFiles.inspect(OsString.of(path));
  }

  private static SourceException refused(OsString path) {
    return assertThrows(SourceException.class, () -> HostFiles.inspect(path));
  }

  @Test
  void seesWhatAFileIs() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    assertEquals(new Source(OsString.of(directory), true, true), inspect(directory));
    assertEquals(new Source(OsString.of(file), false, true), inspect(file));
    assertFalse(HostFiles.inspect(OsString.of("/dev/null")).directory());
    assertTrue(HostFiles.inspect(OsString.of("/")).isRoot());
    assertTrue(HostFiles.inspect(OsString.of("//")).isRoot());
  }

  /** What is not direct is opened before anything covers the host's root. */
  @Test
  void noticesLinksAndParents() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
    assertEquals(new Source(OsString.of(link), true, false), inspect(link));
    Path below = Files.createFile(directory.resolve("file"));
    assertFalse(inspect(link.resolve("file")).direct());
    assertTrue(inspect(below).direct());
    Files.createDirectory(directory.resolve("sub"));
    assertFalse(inspect(directory.resolve("sub/../file")).direct());
    assertFalse(HostFiles.inspect(OsString.of("/..")).direct());
  }

  @Test
  void aRelativePathIsTheWorkingDirectorys() throws Exception {
    Source source = HostFiles.inspect(OsString.of("."));
    assertTrue(source.path().startsWith("/"));
    assertTrue(source.directory());
  }

  @Test
  void saysWhatIsWrong() throws Exception {
    SourceException missing = refused(OsString.of(directory.resolve("none")));
    assertEquals("no such file or directory on this host", missing.getMessage());
    assertTrue(missing.isMissing());
    Files.createSymbolicLink(directory.resolve("dangling"), directory.resolve("none"));
    assertTrue(refused(OsString.of(directory.resolve("dangling"))).isMissing());
    Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
    assertFalse(refused(OsString.of(directory.resolve("loop"))).isMissing());
    SourceException noDirectory = refused(OsString.of("/dev/null/x"));
    assertEquals("Not a directory", noDirectory.getMessage());
    assertFalse(noDirectory.isMissing());
    assertFalse(refused(OsString.of("")).isMissing());
  }

  /** Names that Java cannot express; 0xff is in no UTF-8 text. */
  @Test
  void seesFilesWhoseNamesAreNoText() throws Exception {
    OsString name = OsString.of(directory).concat(OsString.ofBytes(new byte[] {'/', (byte) 0xff}));
    SourceException missing = refused(name);
    assertEquals("no such file or directory on this host", missing.getMessage());
    assertTrue(missing.isMissing());

    Descriptor.create(name.bytes(), 0600, LinuxConstant.O_WRONLY).close();
    assertEquals(new Source(name, false, true), HostFiles.inspect(name));
    OsString inside = name.concat(OsString.of("/x"));
    assertEquals(Errno.ENOTDIR.text(), refused(inside).getMessage());
  }

  /** Whoever looks at a source must see where it is, whatever it is called. */
  @Test
  void resolvesLinksWhoseNamesAreNoText() throws Exception {
    Path target = Files.createDirectory(directory.resolve("target"));
    String create = "ln -s target \"$(printf '\\377')\"";
    Process shell = new ProcessBuilder("sh", "-c", create).directory(directory.toFile()).start();
    assertEquals(0, shell.waitFor());

    OsString link = OsString.of(directory).concat(OsString.ofBytes(new byte[] {'/', (byte) 0xff}));
    assertEquals(new Source(OsString.of(target), true, true), HostFiles.inspect(link));
  }

  private Path tool(String name, String mode) throws IOException {
    Path tool = Files.createFile(Files.createDirectories(directory.resolve(name)).resolve("bwrap"));
    Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString(mode));
    return tool;
  }

  @Test
  void findsBubblewrapInAbsoluteDirectoriesOnly() throws Exception {
    Path plain = tool("plain", "rw-r--r--");
    Path good = tool("good", "rwxr-xr-x");
    String path = "::.:" + plain.getParent() + ":" + good.getParent();
    assertEquals(Optional.of(OsString.of(good)), Bwrap.find(path).map(Bwrap::path));
    assertEquals(Optional.empty(), Bwrap.find(""));
    Path here = Path.of("").toAbsolutePath();
    assertEquals(Optional.empty(), Bwrap.find(here.relativize(good.getParent()).toString()));
  }

  @Test
  void reportsOnlyTheProcFilesThereAre() throws Exception {
    List<String> files = HostReport.of(Caller.current(), "").protectedProc();
    assertTrue(files.contains("sys"));
    for (String file : files) {
      assertTrue(Files.exists(Path.of("/proc", file)), file);
    }
  }

  @Test
  void readsLinks() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("../x"));
    HostReport host = HostReport.of(Caller.current(), "");
    assertEquals(Optional.of(OsString.of("../x")), host.links().apply(OsString.of(link)));
    assertEquals(Optional.empty(), host.links().apply(OsString.of(directory)));
    assertEquals(Optional.empty(), host.links().apply(OsString.of(directory.resolve("none"))));
  }
}
