package dev.cloister.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.host.Caller;
import dev.cloister.spec.OsString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How files of options are read. */
final class ProfileTest {
  @TempDir private Path directory = Path.of("");

  private static final Invocation INVOCATION =
      new Invocation(
          List.of(OsString.of("run")), List.of(OsString.of("HOME=/home/a b")), true, false);

  private static Profile profile() {
    return new Profile(INVOCATION, Optional.empty());
  }

  private List<Profile.Line> lines(String text) throws Exception {
    Path file = Files.writeString(directory.resolve("profile"), text);
    return profile().read(OsString.of(file));
  }

  private List<List<String>> words(String text) throws Exception {
    List<List<String>> words = new ArrayList<>();
    for (Profile.Line line : lines(text)) {
      words.add(line.words().stream().map(OsString::toString).toList());
    }
    return words;
  }

  private List<String> line(String text) throws Exception {
    List<List<String>> words = words(text);
    assertEquals(1, words.size(), words::toString);
    return words.getFirst();
  }

  @Test
  void eachLineIsAnOption() throws Exception {
    assertEquals(
        List.of(List.of("--tmpfs", "/a"), List.of("--unshare-net")),
        words("--tmpfs /a\n\n  # nothing\n\t--unshare-net \t# here neither\r\n"));
    assertEquals(List.of(), words(""));
    assertEquals(List.of("--dir", "/a#b", "#"), line("--dir /a#b \\#"));
  }

  @Test
  void quotationMarksKeepWordsTogether() throws Exception {
    assertEquals(List.of("a b", "c'd", "\\", "\""), line("'a b' \"c'd\" '\\' \\\""));
    assertEquals(List.of("", "ab", "x"), line("'' a\"\"b x"));
    assertEquals(List.of("a b", "a\"b"), line("a\\ b \"a\\\"b\""));
  }

  @Test
  void variablesAreTheCallers() throws Exception {
    String here = Path.of("").toAbsolutePath().toString();
    String uid = Long.toString(Caller.current().uid());
    assertEquals(
        List.of("/home/a b/c", here, uid + "!", "${HOME}", "${HOME}", "$HOME", "$"),
        line("${HOME}/c \"${PWD}\" ${UID}! '${HOME}' \\${HOME} $HOME $"));
  }

  @Test
  void filesIncludeOthers() throws Exception {
    Files.createDirectory(directory.resolve("sub"));
    Files.writeString(directory.resolve("sub/one"), "--dir /1\ninclude ./two\n");
    Files.writeString(directory.resolve("sub/two"), "--dir /2\n");
    List<Profile.Line> lines = lines("include sub/one\n--dir /3");
    assertEquals(3, lines.size());
    assertTrue(lines.get(1).origin().endsWith("/sub/two:1"), lines::toString);
    assertTrue(lines.get(2).origin().endsWith("/profile:2"), lines::toString);
  }

  private void refused(String text, int line, String... said) {
    CliException e = assertThrows(CliException.class, () -> lines(text));
    String message = String.valueOf(e.getMessage());
    assertTrue(message.startsWith("--profile " + directory + "/profile: "), message);
    assertTrue(message.contains("/profile:" + line + ": "), message);
    for (String word : said) {
      assertTrue(message.contains(word), message);
    }
  }

  @Test
  void whatIsWrongIsNamedWithItsLine() {
    refused("\n--dir 'a", 2, "not closed", "'");
    refused("--dir \"a", 1, "not closed", "\"");
    refused("--dir a\\", 1, "backslash");
    refused("--dir ${NOPE}", 1, "${NOPE}", "${HOME}, ${PWD}, ${UID}");
    refused("--dir ${HOME", 1, "not closed");
    refused("--dir a\0b", 1, "NUL");
    refused("include", 1, "include takes a FILE");
    refused("include a b", 1, "include takes a FILE");
    refused("\n\ninclude ./missing", 3, "missing: no such file");
    refused("include .", 1, "no profile of that name");
    refused("include ./", 1, "not a regular file");
  }

  private String refusal(String text) {
    CliException e = assertThrows(CliException.class, () -> lines(text));
    return String.valueOf(e.getMessage());
  }

  @Test
  void whatIncludesItselfIsNamed() throws Exception {
    Path profile = directory.resolve("profile");
    Path other = Files.createDirectory(directory.resolve("sub")).resolve("other");
    String start = "--profile " + profile + ": " + profile + ":1: ";
    assertEquals(start + profile + " includes itself", refusal("include ././profile"));
    Files.writeString(other, "\ninclude ./../profile");
    assertEquals(
        start
            + other
            + ":2: "
            + other.resolveSibling("../profile")
            + " includes itself through "
            + other,
        refusal("include ./sub/./other"));
    Files.createSymbolicLink(directory.resolve("link"), Path.of("profile"));
    assertEquals(start + directory.resolve("link") + " includes itself", refusal("include ./link"));
  }

  @Test
  void filesAreNotIncludedAnyDeep() throws Exception {
    for (int i = 1; i < 20; i++) {
      Files.writeString(directory.resolve("p" + i), "include ./p" + (i + 1));
    }
    Files.writeString(directory.resolve("p20"), "--tmpfs /a");
    assertTrue(refusal("include ./p1").endsWith(": files are included more than 16 deep"));
    assertEquals(List.of("--tmpfs", "/a"), line("include ./p6"));
  }

  @Test
  void theSameFileMayBeIncludedTwice() throws Exception {
    Files.writeString(directory.resolve("other"), "--tmpfs /a");
    assertEquals(2, words("include ./other\ninclude ./other").size());
  }

  @Test
  void otherThanFilesAreRefused() {
    for (String name : List.of("/dev/zero", "/", "/no/such/file", "", "nope", "./nope", "..")) {
      CliException e =
          assertThrows(CliException.class, () -> profile().read(OsString.of(name)), name);
      assertTrue(String.valueOf(e.getMessage()).startsWith("--profile "), e::getMessage);
    }
  }
}
