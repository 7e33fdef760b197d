package dev.cloister.cli;

import dev.cloister.host.Caller;
import dev.cloister.host.SmallFiles;
import dev.cloister.spec.OsString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Files of options, one on each line: {@code docs/profiles.md}. */
final class Profile {
  private static final OsString INCLUDE = OsString.of("include");

  /** Deeper than anybody's. */
  private static final int MAX_DEPTH = 16;

  /** In bytes; a file that is longer is none of options. */
  private static final int MAX_SIZE = 1 << 20;

  private final Invocation invocation;
  private final Optional<Caching> caching;
  private final List<Line> lines = new ArrayList<>();

  /** What is being read, each included by the one before, without symbolic links. */
  private final List<Path> open = new ArrayList<>();

  /**
   * What stands on a line.
   *
   * @param origin the file and the line
   * @param words at least one
   */
  record Line(String origin, List<OsString> words) {
    Line {
      words = List.copyOf(words);
    }
  }

  /**
   * Prepares to read.
   *
   * @param caching what is told of what is read, if a launcher is to be kept
   */
  Profile(Invocation invocation, Optional<Caching> caching) {
    this.invocation = invocation;
    this.caching = caching;
  }

  /**
   * The lines of a profile, and of what it includes.
   *
   * @param name a path if it has a slash, otherwise a shipped profile
   */
  List<Line> read(OsString name) throws CliException {
    try {
      if (name.indexOf('/') >= 0 && Invocation.leadsNowhere(name)) {
        throw new CliException(Invocation.NOWHERE);
      }
      read(find(name, Path.of("")));
    } catch (CliException e) {
      throw e.in("--profile " + Messages.value(name));
    }
    return List.copyOf(lines);
  }

  /** Where the profiles are that come with Cloister: beside its jars. */
  static Path shipped() {
    String classPath = System.getProperty("java.class.path", "");
    Path jar = Path.of(classPath.split(":", -1)[0]).toAbsolutePath();
    return jar.resolveSibling("../profiles").normalize();
  }

  private static Path find(OsString name, Path directory) throws CliException {
    Path path = HostFile.relative(name);
    if (name.indexOf('/') < 0) {
      return shipped().resolve(path);
    }
    Path file = directory.resolve(path);
    return file.isAbsolute() ? withoutDots(file) : file;
  }

  private void read(Path file) throws CliException {
    Path real = real(file);
    if (open.contains(real)) {
      String through = open.getLast().equals(real) ? "" : " through " + words(open.getLast());
      throw new CliException(words(file) + " includes itself" + through);
    }
    if (open.size() == MAX_DEPTH) {
      throw new CliException("files are included more than " + MAX_DEPTH + " deep");
    }
    byte[] text = content(file);
    open.add(real);
    int number = 0;
    int start = 0;
    for (int i = 0; i <= text.length; i++) {
      if (i == text.length || text[i] == '\n') {
        number++;
        addLine(text, start, i, file, number);
        start = i + 1;
      }
    }
    open.removeLast();
  }

  /** The same file by the one name of its own; by the given one if that cannot be found out. */
  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file.toAbsolutePath();
    }
  }

  private void addLine(byte[] text, int start, int end, Path file, int number) throws CliException {
    String origin = words(file) + ":" + number;
    try {
      List<OsString> words = words(text, start, end);
      if (words.isEmpty()) {
        return;
      }
      if (!words.getFirst().equals(INCLUDE)) {
        lines.add(new Line(origin, words));
        return;
      }
      if (words.size() != 2) {
        throw new CliException("include takes a FILE and nothing else");
      }
      Path parent = file.toAbsolutePath().getParent();
      read(find(words.get(1), parent == null ? Path.of("/") : parent));
    } catch (CliException e) {
      throw e.in(origin);
    }
  }

  /** Each {@code ./} would be said in messages; {@code ..} may lead out of a symbolic link. */
  private static Path withoutDots(Path absolute) {
    Path path = Path.of("/");
    for (Path name : absolute) {
      if (!name.toString().equals(".")) {
        path = path.resolve(name);
      }
    }
    return path;
  }

  private byte[] content(Path file) throws CliException {
    try {
      if (caching.isPresent()) {
        // Before it is read: what changes meanwhile is no longer the same.
        caching.get().host().same(file.toAbsolutePath());
      }
      if (!Files.isRegularFile(file) && Files.exists(file)) {
        throw new CliException(words(file) + ": not a regular file");
      }
      if (Files.size(file) > MAX_SIZE) {
        throw new CliException(words(file) + ": more than 1 MiB");
      }
      return SmallFiles.read(file);
    } catch (NoSuchFileException e) {
      throw new CliException(missing(file));
    } catch (AccessDeniedException e) {
      throw new CliException(words(file) + ": permission denied");
    } catch (IOException e) {
      throw new CliException(words(file) + ": " + reason(e));
    }
  }

  /** Without the name of the file, which a message of these has too. */
  private static String reason(IOException e) {
    String reason = e instanceof FileSystemException known ? known.getReason() : e.getMessage();
    return reason == null ? "cannot be read" : reason;
  }

  /** For a message. */
  private static String words(Path file) {
    return OsString.of(file).toString();
  }

  private static String missing(Path file) {
    if (!shipped().equals(file.getParent())) {
      return words(file) + ": no such file";
    }
    StringBuilder names = new StringBuilder();
    String[] all = shipped().toFile().list();
    if (all != null) {
      java.util.Arrays.sort(all);
      names.append(" (").append(String.join(", ", all)).append(')');
    }
    return "no profile of that name comes with Cloister"
        + names
        + "; a file of yours needs a slash: ./"
        + OsString.of(String.valueOf(file.getFileName()));
  }

  /**
   * What stands between blanks. Where it starts a word, # makes the rest a comment; a backslash
   * takes from the next byte what it means, and so do single quotes from all between them, and
   * double quotes from blanks and #.
   */
  private List<OsString> words(byte[] text, int start, int end) throws CliException {
    List<OsString> words = new ArrayList<>();
    ByteArrayOutputStream word = new ByteArrayOutputStream();
    boolean inWord = false;
    byte quote = 0;
    for (int i = start; i < end; i++) {
      byte next = text[i];
      boolean blank = next == ' ' || next == '\t' || next == '\r';
      if (quote == 0 && blank) {
        if (inWord) {
          words.add(OsString.ofBytes(word.toByteArray()));
          word.reset();
        }
        inWord = false;
        continue;
      }
      if (quote == 0 && !inWord && next == '#') {
        break;
      }
      inWord = true;
      if (next == 0) {
        throw new CliException("a NUL, which no argument can have");
      } else if (quote == next) {
        quote = 0;
      } else if (quote == 0 && (next == '\'' || next == '"')) {
        quote = next;
      } else if (quote != '\'' && next == '\\') {
        i++;
        if (i == end) {
          throw new CliException("a backslash at the end of the line");
        }
        word.write(text[i]);
      } else if (quote != '\'' && next == '$' && i + 1 < end && text[i + 1] == '{') {
        int close = indexOf(text, '}', i, end);
        word.writeBytes(variable(text, i + 2, close).bytes());
        i = close;
      } else {
        word.write(next);
      }
    }
    if (quote != 0) {
      throw new CliException("a quotation mark that is not closed: " + (char) quote);
    }
    if (inWord) {
      words.add(OsString.ofBytes(word.toByteArray()));
    }
    return words;
  }

  private static int indexOf(byte[] text, char wanted, int start, int end) throws CliException {
    for (int i = start; i < end; i++) {
      if (text[i] == wanted) {
        return i;
      }
    }
    throw new CliException("a ${ that is not closed");
  }

  /** All that may be said of the caller. */
  private OsString variable(byte[] text, int start, int end) throws CliException {
    String name = new String(text, start, end - start, StandardCharsets.UTF_8);
    return switch (name) {
      case "HOME" -> home();
      case "PWD" -> directory();
      case "UID" -> OsString.of(uid());
      default ->
          throw new CliException(
              "${" + OsString.of(name) + "}: not one of ${HOME}, ${PWD}, ${UID}");
    };
  }

  private OsString home() throws CliException {
    OsString name = OsString.of("HOME");
    Optional<OsString> home = invocation.variable(name);
    if (home.isEmpty()) {
      throw new CliException("${HOME}: this variable is not set");
    }
    if (caching.isPresent()) {
      caching.get().host().conditions().variable(name, home.get());
    }
    return home.get();
  }

  /** As the kernel has it, and not as a shell that went there through a link. */
  private static OsString directory() throws CliException {
    if (Boolean.getBoolean(Invocation.REMOVED_PROPERTY)) {
      throw new CliException("${PWD}: the working directory was removed");
    }
    return OsString.of(Path.of("").toAbsolutePath());
  }

  private static String uid() throws CliException {
    try {
      return Long.toString(Caller.current().uid());
    } catch (IOException e) {
      throw new CliException("${UID}: " + e.getMessage());
    }
  }
}
