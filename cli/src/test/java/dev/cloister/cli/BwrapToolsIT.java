package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.cloister.fixture.Required;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;

/** Programs that start bubblewrap, with Cloister in its place. */
final class BwrapToolsIT {
  /** The smallest image there is. */
  private static final String PNG =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

  /**
   * What Nautilus calls of mat2; its command line in Debian 12 takes {@code --no-sandbox} for the
   * opposite.
   */
  private static final String CLEAN =
      """
      from libmat2 import parser_factory
      parser, _ = parser_factory.get_parser('image.png')
      print(parser.get_meta()['Comment'])
      parser.lightweight_cleaning = True
      print(parser.remove_all())
      print('Comment' in parser_factory.get_parser(parser.output_filename)[0].get_meta())
      """;

  /** It looks for bwrap in PATH, and runs exiftool in what that makes, to read and to write. */
  @EveryUser
  void mat2CleansAnImage(CallingUser user) throws IOException {
    Path work = user.work();
    Path image = work.resolve("image.png");
    Files.write(image, Base64.getDecoder().decode(PNG));
    user.give(image);
    Path real = Files.createDirectory(work.resolve("real"));
    Files.createSymbolicLink(real.resolve("bwrap"), Installation.SCRIPT);
    Path log = user.write(work, "log", "");
    Path bin = Files.createDirectory(work.resolve("bin"));
    Path bwrap =
        user.write(
            bin, "bwrap", "#!/bin/sh\necho called >>" + log + "\nexec " + real + "/bwrap \"$@\"\n");
    Files.setPosixFilePermissions(bwrap, PosixFilePermissions.fromString("rwxr-xr-x"));
    String path = bin + ":/usr/bin:/bin";
    user.call(Required.program("exiftool"), "-q", "-overwrite_original", "-Comment=secret")
        .and(image.toString())
        .run()
        .exits(0);

    Required.program("mat2");
    user.call("/usr/bin/python3", "-c", CLEAN)
        .env("PATH", path)
        .in(work)
        .run()
        .prints("secret\nTrue\nFalse\n");

    assertEquals("called\n".repeat(3), Files.readString(log));
  }
}
