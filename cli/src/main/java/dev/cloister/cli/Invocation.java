package dev.cloister.cli;

import dev.cloister.host.KernelFile;
import dev.cloister.host.SmallFiles;
import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * One call of the command line, in bytes.
 *
 * @param arguments all of them, the subcommand's name first
 * @param environment what the command shall inherit, as {@code NAME=VALUE}
 * @param environmentIntact whether a launcher that is started by the script finds that same
 *     environment; a shell loses variables whose names it would not accept
 * @param throughScript whether the script waits for a launcher to execute
 */
record Invocation(
    List<OsString> arguments,
    List<OsString> environment,
    boolean environmentIntact,
    boolean throughScript) {

  /** Set by the script to whether it is the parent of this process and waits for its answer. */
  private static final String SCRIPT_PROPERTY = "cloister.script";

  /** Set by the script to whether the working directory was removed; Java is then elsewhere. */
  static final String REMOVED_PROPERTY = "cloister.removed";

  /** What is wrong with what {@link #leadsNowhere}. */
  static final String NOWHERE = "relative to a working directory that was removed";

  /** Set by the script to the process that called it, before that can have ended unnoticed. */
  private static final String PARENT_PROPERTY = "cloister.parent";

  private static final int STANDARD_OUTPUT = 1;

  /** The script keeps these from the JVM, which would heed them, but not from the command. */
  private static final Set<String> JVM_VARIABLES =
      Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH", "LC_ALL");

  Invocation {
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
  }

  /** Reads this process's own arguments and environment, which Java would have decoded. */
  static Invocation current(List<String> decoded) throws CliException {
    int argumentCount = decoded.size();
    try {
      List<OsString> all = read("/proc/self/cmdline");
      List<OsString> arguments = all.subList(all.size() - argumentCount, all.size());
      List<OsString> own = read("/proc/self/environ");
      if (!Boolean.getBoolean(SCRIPT_PROPERTY)) {
        return new Invocation(arguments, own, true, false);
      }
      List<OsString> original = read("/proc/" + parent() + "/environ");
      return new Invocation(arguments, original, sameVariables(own, original), true);
    } catch (NoSuchFileException e) {
      return withoutProc(decoded);
    } catch (IOException e) {
      throw new CliException("cannot read /proc/self: " + e.getMessage());
    }
  }

  /**
   * What Java was told. The script starts the launcher with its own arguments and environment, so
   * the command gets both unchanged.
   */
  private static Invocation withoutProc(List<String> decoded) {
    List<OsString> arguments = new ArrayList<>();
    for (String argument : decoded) {
      arguments.add(OsString.of(argument));
    }
    List<OsString> environment = new ArrayList<>();
    for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
      environment.add(OsString.of(variable.getKey() + "=" + variable.getValue()));
    }
    return new Invocation(arguments, environment, true, Boolean.getBoolean(SCRIPT_PROPERTY));
  }

  /**
   * Whether a path is relative to nothing. For Java, it would be to the directory that it is in.
   */
  static boolean leadsNowhere(OsString path) {
    return !path.isEmpty() && !path.startsWith("/") && Boolean.getBoolean(REMOVED_PROPERTY);
  }

  /** The parent as this /proc numbers it: in a pid namespace, getppid(2) may say something else. */
  private static String parent() throws IOException {
    return KernelFile.field(Path.of("/proc/self/status"), "PPid:");
  }

  /** Why Java cannot read this descriptor of the caller's; nothing if it can. */
  Optional<String> unreadable(int descriptor) throws IOException {
    if (!inherited(descriptor)) {
      return Optional.of("not an open descriptor");
    }
    return isHidden(descriptor)
        ? Optional.of("cannot be read: Java answers the script under that number, so use another")
        : Optional.empty();
  }

  /** Whether only the script has the caller's: what Java prints there is its answer. */
  private boolean isHidden(int descriptor) {
    return throughScript && descriptor == STANDARD_OUTPUT;
  }

  /** Where a descriptor of the caller's leads. */
  Path target(int descriptor) throws IOException {
    String process = isHidden(descriptor) ? parent() : "self";
    return Files.readSymbolicLink(Path.of("/proc", process, "fd", Integer.toString(descriptor)));
  }

  /**
   * Whether the caller left this descriptor open. A JVM has files of its own at numbers that were
   * free, but not those that the script's process has there. Without the script, they are told by
   * where they lie.
   */
  boolean inherited(int descriptor) throws IOException {
    String number = Integer.toString(descriptor);
    try {
      Path own = target(descriptor);
      return throughScript
          ? own.equals(Files.readSymbolicLink(Path.of("/proc", parent(), "fd", number)))
          : !own.startsWith(System.getProperty("java.home")) && !isOnClassPath(own);
    } catch (NoSuchFileException e) {
      if (Files.exists(Path.of("/proc/self/fd"))) {
        return false;
      }
      throw e;
    }
  }

  private static boolean isOnClassPath(Path file) throws IOException {
    for (String entry : System.getProperty("java.class.path").split(":", -1)) {
      if (!entry.isEmpty() && file.equals(Path.of(entry).toRealPath())) {
        return true;
      }
    }
    return false;
  }

  private static List<OsString> read(String file) throws IOException {
    return strings(SmallFiles.read(Path.of(file)));
  }

  /** What stands before each NUL, without that. */
  static List<OsString> strings(byte[] bytes) {
    List<OsString> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        strings.add(OsString.ofBytes(java.util.Arrays.copyOfRange(bytes, start, i)));
        start = i + 1;
      }
    }
    return strings;
  }

  private static boolean sameVariables(List<OsString> one, List<OsString> other) {
    return comparable(one).equals(comparable(other));
  }

  private static List<OsString> comparable(List<OsString> variables) {
    List<OsString> sorted = new ArrayList<>(variables);
    sorted.removeIf(variable -> JVM_VARIABLES.contains(name(variable)));
    Collections.sort(sorted);
    return sorted;
  }

  private static String name(OsString variable) {
    int equals = variable.indexOf('=');
    byte[] name = variable.substring(0, Math.max(equals, 0)).bytes();
    return new String(name, StandardCharsets.ISO_8859_1);
  }

  /** The process that called, as the script saw it when it started; empty if there was none. */
  OptionalLong caller() {
    Long parent = Long.getLong(PARENT_PROPERTY);
    return parent == null ? OptionalLong.empty() : OptionalLong.of(parent);
  }

  /** The value of a variable. */
  Optional<OsString> variable(String name) {
    return variable(OsString.of(name));
  }

  Optional<OsString> variable(OsString name) {
    OsString prefix = name.concat(OsString.of("="));
    for (OsString variable : environment) {
      if (variable.startsWith(prefix)) {
        return Optional.of(variable.substring(prefix.length()));
      }
    }
    return Optional.empty();
  }
}
