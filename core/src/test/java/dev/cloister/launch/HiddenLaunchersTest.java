package dev.cloister.launch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Caller;
import dev.cloister.host.HostFiles;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HiddenLaunchersTest {
  /** Where nobody keeps launchers, so that their directory alone is hidden. */
  private static final Path NOWHERE = Path.of("/no/such/place");

  @TempDir Path temporary;
  private Path place = Path.of("");

  @BeforeEach
  void resolve() throws Exception {
    place = temporary.toRealPath();
  }

  private PrivateDirectory launchers() throws Exception {
    return PrivateDirectory.in(place, Caller.current().uid()).orElseThrow();
  }

  private static MountOperation bind(Path source, String destination, Access access)
      throws Exception {
    return new MountOperation.Bind(
        HostFiles.inspect(OsString.of(source)), Destination.of(destination), access);
  }

  /** What is added for these mounts. */
  private List<MountOperation> covers(MountOperation... mounts) throws Exception {
    List<MountOperation> covers = new ArrayList<>(hiding(mounts));
    covers.removeAll(List.of(mounts));
    return covers;
  }

  private List<MountOperation> hiding(MountOperation... mounts) throws Exception {
    SandboxSpec spec = SandboxSpec.builder().mounts(List.of(mounts)).build();
    return HiddenLaunchers.in(spec, launchers(), NOWHERE, 0).mounts();
  }

  private static List<MountOperation> tmpfs(String destination) {
    return List.of(new MountOperation.Tmpfs(Destination.of(destination)));
  }

  @Test
  void coversThemWhereABindShowsThemWritable() throws Exception {
    String name = launchers().path().getFileName().toString();
    for (Access access : List.of(Access.READ_WRITE, Access.DEVICES)) {
      assertEquals(tmpfs("/x/" + name), covers(bind(place, "/x", access)));
      assertEquals(tmpfs("/x"), covers(bind(launchers().path(), "/x", access)));
      assertEquals(tmpfs(place.resolve(name).toString()), covers(bind(Path.of("/"), "/", access)));
    }
  }

  @Test
  void findsThemThroughLinks() throws Exception {
    Path link = Files.createSymbolicLink(place.resolve("link"), place);
    String name = launchers().path().getFileName().toString();
    assertEquals(tmpfs("/x/" + name), covers(bind(link, "/x", Access.READ_WRITE)));
  }

  /** What is changed in the layers that stay as they are is not the launchers'. */
  @Test
  void coversThemInWhatAnOverlayChanges() throws Exception {
    String name = launchers().path().getFileName().toString();
    MountOperation.Source shown = HostFiles.inspect(OsString.of(place));
    Destination x = Destination.of("/x");
    List<MountOperation.Source> layers = List.of(shown, shown);
    assertEquals(
        tmpfs("/x/" + name),
        covers(new MountOperation.Overlay(layers, MountOperation.Changes.keptIn(shown, shown), x)));
    for (MountOperation.Changes changes :
        List.of(MountOperation.Changes.FORGOTTEN, MountOperation.Changes.FORBIDDEN)) {
      assertEquals(List.of(), covers(new MountOperation.Overlay(layers, changes, x)));
    }
  }

  @Test
  void coversEachPlace() throws Exception {
    assertEquals(
        2,
        covers(bind(place, "/x", Access.READ_WRITE), bind(place, "/y", Access.READ_WRITE)).size());
  }

  /** Behind what shows them, and before what is put there later. */
  @Test
  void coversThemAtOnce() throws Exception {
    MountOperation all = bind(place, "/x", Access.READ_WRITE);
    MountOperation some = bind(place, "/y", Access.READ_WRITE);
    MountOperation later = tmpfs("/z").getFirst();
    String name = launchers().path().getFileName().toString();
    assertEquals(
        List.of(all, tmpfs("/x/" + name).getFirst(), some, tmpfs("/y/" + name).getFirst(), later),
        hiding(all, some, later));
  }

  @Test
  void coversNothingThatIsMountedOver() throws Exception {
    MountOperation all = bind(Path.of("/"), "/", Access.READ_WRITE);
    MountOperation.Source source = HostFiles.inspect(OsString.of("/proc"));
    for (Path path = launchers().path(); path != null; path = path.getParent()) {
      Destination over = Destination.of(path.toString());
      for (MountOperation later :
          List.of(
              new MountOperation.Tmpfs(over),
              bind(Path.of("/proc"), path.toString(), Access.READ_ONLY),
              new MountOperation.LateBind(
                  OsString.of("/proc"), over, Access.READ_ONLY, /* optional= */ false),
              new MountOperation.Overlay(
                  List.of(source), MountOperation.Changes.keptIn(source, source), over),
              new MountOperation.Proc(over),
              new MountOperation.Devices(over),
              new MountOperation.MessageQueues(over))) {
        assertEquals(List.of(), covers(all, later), later::toString);
        MountOperation cover = tmpfs(launchers().path().toString()).getFirst();
        assertEquals(List.of(later, all, cover), hiding(later, all), later::toString);
      }
    }
  }

  /** What only changes something there, or is elsewhere, hides nothing. */
  @Test
  void coversWhatIsNotMountedOver() throws Exception {
    MountOperation all = bind(Path.of("/"), "/", Access.READ_WRITE);
    Destination over = Destination.of(place.toString());
    for (MountOperation later :
        List.of(
            new MountOperation.Directory(over, 0755),
            new MountOperation.Permissions(over, 0755),
            new MountOperation.RemountReadOnly(over),
            new MountOperation.HideLaunchers(over),
            new MountOperation.AsOnHost(List.of(OsString.of("usr"))),
            new MountOperation.LateBind(
                OsString.of("/proc"), over, Access.READ_ONLY, /* optional= */ true),
            new MountOperation.Tmpfs(Destination.of(launchers().path() + "/below")),
            new MountOperation.Tmpfs(Destination.of("/elsewhere")))) {
      assertEquals(tmpfs(launchers().path().toString()), covers(all, later), later::toString);
    }
  }

  /** A link on the way to {@code /x/y} may lead out of what is covered then. */
  @Test
  void coversWhereItIsNotCertain() throws Exception {
    MountOperation some = bind(place, "/x/y", Access.READ_WRITE);
    String name = launchers().path().getFileName().toString();
    for (String over : List.of("/x", "/x/y", "/x/y/" + name)) {
      List<MountOperation> later = tmpfs(over);
      assertEquals(
          List.of(some, tmpfs("/x/y/" + name).getFirst(), later.getFirst()),
          hiding(some, later.getFirst()));
    }
    assertEquals(List.of(), covers(some, tmpfs("/").getFirst()));
  }

  @Test
  void leavesOtherSandboxesAsTheyAre() throws Exception {
    Path other = Files.createDirectory(place.resolve("other"));
    SandboxSpec spec =
        SandboxSpec.builder()
            .mount(bind(Path.of("/"), "/", Access.READ_ONLY))
            .mount(bind(other, "/x", Access.READ_WRITE))
            .build();
    assertSame(spec, HiddenLaunchers.in(spec, launchers(), NOWHERE, 0));
  }

  /** What is kept is hidden wherever launchers are written, and made so that it can be. */
  @Test
  void coversTheCacheToo() throws Exception {
    long uid = Caller.current().uid();
    Path parent = Files.createDirectory(place.resolve("parent"));
    Path cache = parent.resolve("cloister-" + uid);
    SandboxSpec shown = SandboxSpec.builder().mount(bind(parent, "/x", Access.READ_WRITE)).build();
    SandboxSpec safe = HiddenLaunchers.in(shown, launchers(), parent, uid);
    assertEquals(tmpfs("/x/cloister-" + uid), safe.mounts().subList(1, safe.mounts().size()));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
    SandboxSpec notShown =
        SandboxSpec.builder().mount(bind(parent, "/x", Access.READ_ONLY)).build();
    assertSame(notShown, HiddenLaunchers.in(notShown, launchers(), parent, uid));
  }

  /** Root of a user namespace sees the host's root's, which it cannot use. */
  @Test
  void leavesWhatIsAnothersAlone() throws Exception {
    long other = Caller.current().uid() + 1;
    Path parent = Files.createDirectory(place.resolve("parent"));
    Path cache = Files.createDirectory(parent.resolve("cloister-" + other));
    SandboxSpec spec = SandboxSpec.builder().mount(bind(parent, "/x", Access.READ_WRITE)).build();
    assertSame(spec, HiddenLaunchers.in(spec, launchers(), parent, other));
    assertTrue(Files.isDirectory(cache));
  }

  /** Its owner could make it a directory, and then a cache, from within. */
  @Test
  void refusesToShowAPlaceThatIsNoDirectory() throws Exception {
    long uid = Caller.current().uid();
    Path parent = Files.createDirectory(place.resolve("parent"));
    Files.createSymbolicLink(parent.resolve("cloister-" + uid), Path.of("nowhere"));
    SandboxSpec spec = SandboxSpec.builder().mount(bind(parent, "/x", Access.READ_WRITE)).build();
    assertThrows(IOException.class, () -> HiddenLaunchers.in(spec, launchers(), parent, uid));
  }
}
