package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The command starts in a directory of the sandbox, even if what is bound there has a link to a
 * descriptor of whoever makes the sandbox (as CVE-2024-21626 was in runc): those lead to the host.
 */
final class WorkingDirectoryIT {
  /** More than any launcher or bubblewrap has open, in each of which a host's directory may be. */
  private static final int DESCRIPTORS = 16;

  /** Says whether a file of the host is to be seen from where the command is. */
  private static String look(Path secret) {
    return "for up in . .. ../.. ../../..; do [ -e $up%s ] && echo out; done; echo done"
        .formatted(secret);
  }

  private static Path secret(CallingUser user) {
    return user.write(user.work(), "secret", "");
  }

  private static void link(Path link, String target) throws IOException {
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, Path.of(target));
  }

  @EverySetting
  void aPlantedLinkToADescriptorLeadsNowhere(Setting setting) throws IOException {
    Path secret = secret(setting.user());
    Path project = setting.user().work();
    for (int descriptor = 3; descriptor < DESCRIPTORS; descriptor++) {
      link(project.resolve("build"), "/proc/self/fd/" + descriptor);
      Ran ran =
          setting
              .run("--preset", "host", "--bind", project.toString(), "/work")
              .and("--chdir", "/work/build")
              .script(look(secret))
              .run();
      assertFalse(ran.hasLine("out"), ran::toString);
      // Nothing is open when the link is followed, so there is nothing to go to.
      ran.refuses(125, "/work/build", "ENOENT");
    }
  }

  /** The caller's directory by its name, which in the sandbox is such a link; likewise its home. */
  @EverySetting
  void neitherByTheCallersDirectoryNorByItsHome(Setting setting) throws IOException {
    CallingUser user = setting.user();
    Path secret = secret(user);
    Path project = user.work();
    Path shown = user.work();
    Path here = user.give(Files.createDirectory(project.resolve("here")));
    for (int descriptor = 3; descriptor < DESCRIPTORS; descriptor++) {
      link(shown.resolve("here"), "/proc/self/fd/" + descriptor);
      Ran ran =
          setting
              .run("--preset", "host", "--bind", shown.toString(), project.toString())
              .script("pwd -P; " + look(secret))
              .in(here)
              .env("HOME", here.toString())
              .run();
      assertEquals(List.of("/", "done"), ran.exits(0).lines(), ran::toString);
    }
  }

  /** The control: a link that leads somewhere inside is followed, with every strategy. */
  @EverySetting
  void aLinkInsideIsFollowed(Setting setting) throws IOException {
    Path project = setting.user().work();
    setting.user().give(Files.createDirectory(project.resolve("real")));
    link(project.resolve("build"), "real");
    setting
        .run("--preset", "host", "--bind", project.toString(), "/work", "--chdir", "/work/build")
        .command("pwd", "-P")
        .run()
        .prints("/work/real\n");
  }

  /** The control: whoever has such a descriptor open gets out through the link. */
  @EveryUser
  void theLinkLeadsToADescriptorThatIsOpen(CallingUser user) throws IOException {
    Path secret = secret(user);
    Path link = user.work().resolve("build");
    link(link, "/proc/self/fd/7");
    user.shell("exec 7</; cd -P " + link + " && " + look(secret)).run().exits(0).assertLine("out");
  }
}
