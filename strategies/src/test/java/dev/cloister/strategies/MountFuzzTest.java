package dev.cloister.strategies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.cloister.ffm.Architecture;
import dev.cloister.fixture.Cases;
import dev.cloister.host.HostFiles;
import dev.cloister.host.HostReport;
import dev.cloister.machine.ProgramCompiler;
import dev.cloister.machine.Reporting;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategies.ModelRoot.File;
import dev.cloister.strategies.Run.Ended;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.IsolationStrategy;
import dev.cloister.strategy.PlanException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random lists of mount operations make what a model of them says, in every strategy: the same view
 * inside, the same files on the host, or the same refusal.
 */
final class MountFuzzTest {
  private static final int CASES = 30;
  private static final int MAX_OPERATIONS = 6;

  /** Names that mean something in the tree, and some that do not. */
  private static final List<String> NAMES =
      List.of("a", "b", "c", "f", "s", "g", "ls", "rel", "abs", "up", "loop", "dangling", "out");

  private static final List<String> SOURCES =
      List.of("d", "d", "d/s", "e", "f", "d/f", "fifo", "socket", "link", "d/rel", "d/s/..", "");

  private static final List<String> TARGETS =
      List.of("b", "/a", "../b", "/a/b", "..", "/", "loop", "./c/../b", "/nowhere", "a/f");

  /** With which everything can still be listed. */
  private static final List<String> MODES = List.of("0755", "0700", "1777");

  /** None in another, which the kernel refuses, and none that anything else changes. */
  private static final List<String> LAYERS = List.of("o p", "p o", "o/s p", "p o/s");

  @TempDir Path directory;

  /** An operation before there are files to look at. */
  private record Wish(String kind, String source, String destination) {
    MountOperation operation(Path tree) throws Exception {
      Destination where = Destination.of(destination);
      return switch (kind) {
        case "tmpfs" -> new MountOperation.Tmpfs(where);
        case "dir" -> new MountOperation.Directory(where, 0755);
        case "symlink" -> new MountOperation.Symlink(OsString.of(source), where);
        case "dev" -> new MountOperation.Devices(where);
        case "chmod" -> new MountOperation.Permissions(where, Integer.parseInt(source, 8));
        case "remount" -> new MountOperation.RemountReadOnly(where);
        case "forgotten" ->
            new MountOperation.Overlay(layers(tree), MountOperation.Changes.FORGOTTEN, where);
        case "forbidden" ->
            new MountOperation.Overlay(layers(tree), MountOperation.Changes.FORBIDDEN, where);
        default ->
            new MountOperation.Bind(
                HostFiles.inspect(OsString.of(tree + "/" + source)), where, Access.valueOf(kind));
      };
    }

    private List<MountOperation.Source> layers(Path tree) throws Exception {
      List<MountOperation.Source> layers = new ArrayList<>();
      for (String layer : source.split(" ", -1)) {
        layers.add(HostFiles.inspect(OsString.of(tree + "/" + layer)));
      }
      return layers;
    }

    boolean isBind() {
      return kind.startsWith("READ") || kind.startsWith("DEV");
    }

    /** What it shows of the host's. */
    Optional<File> shown(File host) {
      if (isBind()) {
        return Optional.of(host.at(source));
      }
      return kind.startsWith("for")
          ? Optional.of(File.merged(Arrays.stream(source.split(" ", -1)).map(host::at).toList()))
          : Optional.empty();
    }

    @Override
    public String toString() {
      return kind + " " + source + " " + destination;
    }
  }

  /** What became of the operations. */
  private sealed interface Outcome {
    /** A strategy does not take them on. */
    record Refused(String why) implements Outcome {}

    /** It failed, with everything as it was. */
    record Failed(String why) implements Outcome {}

    /**
     * It worked.
     *
     * @param names type, path and target of everything
     * @param details permissions, owners and mounts
     * @param host what is in the tree now
     */
    record Shown(
        NavigableSet<String> names, NavigableSet<String> details, NavigableSet<String> host)
        implements Outcome {}
  }

  private static List<Wish> wishes(Random random) {
    List<Wish> wishes = new ArrayList<>();
    for (int left = 1 + random.nextInt(MAX_OPERATIONS); left > 0; left--) {
      String destination = random.nextInt(30) == 0 ? "/" : destination(random);
      wishes.add(
          switch (random.nextInt(16)) {
            case 0, 1 -> new Wish("tmpfs", "", destination);
            case 2, 3 -> new Wish("dir", "", destination);
            case 4, 5 -> new Wish("symlink", Cases.pick(random, TARGETS), destination);
            case 6 -> new Wish("dev", "", destination(random));
            case 7 -> new Wish("chmod", Cases.pick(random, MODES), destination);
            case 8 -> new Wish("remount", "", destination);
            case 9 -> new Wish("forgotten", Cases.pick(random, LAYERS), destination);
            case 10 -> new Wish("forbidden", Cases.pick(random, LAYERS), destination);
            default ->
                new Wish(
                    Cases.pick(random, Access.values()).name(),
                    Cases.pick(random, SOURCES),
                    destination);
          });
      if (random.nextInt(10) == 0) {
        wishes.add(Cases.pick(random, wishes));
      }
    }
    return wishes;
  }

  private static String destination(Random random) {
    StringBuilder path = new StringBuilder();
    for (int depth = 1 + random.nextInt(3); depth > 0; depth--) {
      path.append('/').append(Cases.pick(random, NAMES));
    }
    return path.toString();
  }

  @EachUser
  void mountsAreWhatTheModelSays(User user) throws Exception {
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    String fifo = directory.resolve("a-fifo").toString();
    assertEquals(0, new ProcessBuilder("mkfifo", fifo).start().waitFor());
    makeSocket(directory.resolve("a-socket"));
    Cases.check(
        "mount lists as " + user,
        CASES,
        MountFuzzTest::wishes,
        Cases::withoutOne,
        wishes -> {
          if (!wishes.isEmpty()) {
            holds(user, wishes);
          }
        });
  }

  private void holds(User user, List<Wish> wishes) throws Exception {
    Outcome expected = expected(user, wishes);
    Map<String, Outcome> outcomes = new TreeMap<>();
    List<IsolationStrategy> strategies = new ArrayList<>(Strategies.ALL);
    strategies.add(new ForAnyone(Strategies.PORTABLE));
    for (IsolationStrategy strategy : strategies) {
      if (!strategy.hasOwnView()) {
        // There is nothing to mount without one.
        continue;
      }
      outcomes.put(strategy.name(), outcome(strategy, user, wishes));
    }
    outcomes.forEach((strategy, outcome) -> agrees(strategy, expected, outcome));
    List<Outcome.Shown> shown = new ArrayList<>();
    for (Outcome outcome : outcomes.values()) {
      if (outcome instanceof Outcome.Shown one) {
        shown.add(one);
      }
    }
    for (Outcome.Shown one : shown) {
      same(shown.getFirst().details(), one.details(), "two strategies");
    }
  }

  /** Says only what differs. */
  private static void same(
      NavigableSet<String> expected, NavigableSet<String> actual, String where) {
    NavigableSet<String> missing = new TreeSet<>(expected);
    missing.removeAll(actual);
    NavigableSet<String> more = new TreeSet<>(actual);
    more.removeAll(expected);
    assertEquals("", String.join("\n", missing), () -> where + ": missing; too much: " + more);
    assertEquals("", String.join("\n", more), () -> where + ": too much");
  }

  private static void agrees(String strategy, Outcome expected, Outcome outcome) {
    switch (expected) {
      case Outcome.Shown model -> {
        if (outcome instanceof Outcome.Refused) {
          assertEquals("bwrap", strategy, outcome::toString);
        } else if (outcome instanceof Outcome.Shown one) {
          same(model.names(), one.names(), strategy);
          same(model.host(), one.host(), strategy + ", on the host");
        } else {
          throw new AssertionError(strategy + " failed: " + outcome);
        }
      }
      case Outcome.Failed(String why) -> {
        assertTrue(!(outcome instanceof Outcome.Shown), () -> strategy + " did it, but: " + why);
        if (outcome instanceof Outcome.Failed(String message) && !strategy.equals("bwrap")) {
          assertTrue(isAbout(why, message), () -> strategy + ": " + why + ", but: " + message);
        }
      }
      case Outcome.Refused _ -> throw new AssertionError("a model refuses nothing");
    }
  }

  private static boolean isAbout(String why, String message) {
    if (message.startsWith("--chmod: ") || message.startsWith("--remount-ro: ")) {
      // What cannot be is said before anything is done, even if something earlier would fail.
      return true;
    }
    String errno = why.substring(why.lastIndexOf(' ') + 1);
    return switch (errno) {
      case "MISMATCH" ->
          message.contains("ENOTDIR")
              || message.contains("EINVAL")
              || message.contains("directory");
      case "EINVAL" -> message.contains("EINVAL") || message.contains("not a mount point");
      case "ENOENT" -> message.contains("ENOENT") || message.contains("there is no");
      case "EEXIST" -> message.contains("Can't make symlink at");
      default -> message.contains(errno);
    };
  }

  // What the model says.

  private Outcome expected(User user, List<Wish> wishes) throws Exception {
    Path tree = makeTree(user);
    File host = modelTree();
    List<MountOperation> operations = operations(user, tree, wishes);
    IdentityHashMap<MountOperation, File> sources = new IdentityHashMap<>();
    for (int i = 0; i < wishes.size(); i++) {
      MountOperation operation = operations.get(i);
      wishes.get(i).shown(host).ifPresent(file -> sources.put(operation, file));
    }
    ModelRoot root = new ModelRoot();
    List<String> refused = root.applyAll(operations, sources);
    if (!refused.isEmpty()) {
      return new Outcome.Failed(refused.getFirst());
    }
    ModelRoot below = new ModelRoot();
    below.applyAll(List.of(new MountOperation.Tmpfs(Destination.of("/"))), new IdentityHashMap<>());
    NavigableSet<String> names = root.listing(hidden(user));
    return new Outcome.Shown(names, new TreeSet<>(), listed(host));
  }

  private static NavigableSet<String> listed(File host) throws Exception {
    ModelRoot root = new ModelRoot();
    MountOperation bind =
        new MountOperation.Bind(
            new MountOperation.Source(OsString.of("/x"), true, true),
            Destination.of("/"),
            Access.READ_WRITE);
    IdentityHashMap<MountOperation, File> sources = new IdentityHashMap<>();
    sources.put(bind, host);
    root.applyAll(List.of(bind), sources);
    return root.listing(new TreeSet<>());
  }

  private static File layer() {
    return File.directory()
        .put("f", File.of('f'))
        .put("a", File.link("b"))
        .put("s", File.directory().put("g", File.of('f')));
  }

  private static File modelTree() {
    File d =
        File.directory()
            .put("f", File.of('f'))
            .put("s", File.directory().put("g", File.of('f')))
            .put("up", File.link(".."))
            .put("rel", File.link("f"))
            .put("abs", File.link("/a"))
            .put("loop", File.link("loop"))
            .put("dangling", File.link("nowhere"))
            .put("out", File.link("../../../../a"))
            .put("ls", File.link("s"));
    return File.directory()
        .put("d", d)
        .put("e", File.directory())
        .put("f", File.of('f'))
        .put("fifo", File.of('p'))
        .put("socket", File.of('s'))
        .put("link", File.link("d"))
        .put("o", layer().put("o", File.of('f')))
        .put("p", layer().put("s", File.of('f')).put("p", File.link("../../a")));
  }

  // What is really so.

  private Path makeTree(User user) throws Exception {
    Path tree = directory.resolve("tree");
    if (Files.exists(tree)) {
      removeTree(tree);
    }
    Files.createDirectory(tree);
    make(tree, modelTree());
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.toList()) {
        if (!Files.isSymbolicLink(path)) {
          user.own(path);
        }
      }
    }
    return tree;
  }

  private void make(Path path, File file) throws Exception {
    for (Map.Entry<String, File> entry : file.children.entrySet()) {
      Path child = path.resolve(entry.getKey());
      switch (entry.getValue().type) {
        case 'd' -> make(Files.createDirectory(child), entry.getValue());
        case 'f' -> Files.createFile(child);
        case 'l' -> Files.createSymbolicLink(child, Path.of(entry.getValue().target));
        case 'p' -> Files.createLink(child, directory.resolve("a-fifo"));
        default -> Files.createLink(child, directory.resolve("a-socket"));
      }
    }
  }

  private static void makeSocket(Path path) throws IOException {
    try (ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.bind(UnixDomainSocketAddress.of(path));
    }
  }

  private static void removeTree(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  /** The wishes, and then the programs that look at the result. */
  private static List<MountOperation> operations(User user, Path tree, List<Wish> wishes)
      throws Exception {
    List<MountOperation> operations = new ArrayList<>();
    for (Wish wish : wishes) {
      operations.add(wish.operation(tree));
    }
    operations.addAll(programs(user));
    return operations;
  }

  private static List<MountOperation> programs(User user) throws Exception {
    List<MountOperation> programs = new ArrayList<>(user.programs());
    programs.removeIf(
        operation -> {
          String path = operation.destination().toString();
          return !(path.equals("/usr") || path.matches("/(bin|sbin|lib.*)"));
        });
    programs.add(new MountOperation.Proc(Destination.of("/proc")));
    return programs;
  }

  private static NavigableSet<String> hidden(User user) throws Exception {
    NavigableSet<String> hidden = new TreeSet<>();
    for (MountOperation operation : programs(user)) {
      hidden.add(operation.destination().toString());
    }
    return hidden;
  }

  private Outcome outcome(IsolationStrategy strategy, User user, List<Wish> wishes)
      throws Exception {
    Path tree = makeTree(user);
    SandboxSpec spec =
        SandboxSpec.builder()
            .mounts(operations(user, tree, wishes))
            .workingDirectory(OsString.of("/"))
            .build();
    HostReport host = user.host();
    if (strategy.assess(spec, host) instanceof Assessment.Unusable unusable) {
      return new Outcome.Refused(unusable.reason());
    }
    Path launcher = directory.resolve("launcher");
    try {
      ProgramCompiler.Options options =
          ProgramCompiler.Options.plain(Architecture.host(), Reporting.TEXT, "test");
      Files.write(launcher, ProgramCompiler.compile(strategy.plan(spec, host), options).bytes());
    } catch (PlanException e) {
      return new Outcome.Failed(e.getMessage());
    }
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwxr-xr-x"));
    return look(user, launcher, tree);
  }

  private Outcome look(User user, Path launcher, Path tree) throws Exception {
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    String prune = String.join(" -o -path ", hidden(user));
    String script =
        "find / -mindepth 1 \\( -path "
            + prune
            + " \\) -prune -o -printf '%y %p -> %l|%m %U %G\\n'; echo; cat /proc/self/mountinfo";
    Ended ended =
        new Run(List.of(launcher.toString(), "/bin/sh", "-c", script)).through(user.become()).end();
    assertEquals(mounts, Files.readString(Path.of("/proc/self/mountinfo")));
    if (ended.status() == 125) {
      assertTrue(
          ended.error().startsWith("cloister: ") || ended.error().startsWith("bwrap: "),
          ended::toString);
      assertEquals("", ended.output());
      return new Outcome.Failed(ended.error());
    }
    ended.good();
    return shown(ended.lines(), user, tree);
  }

  private static Outcome.Shown shown(List<String> lines, User user, Path tree) throws Exception {
    int end = lines.indexOf("");
    NavigableSet<String> names = new TreeSet<>();
    NavigableSet<String> details = new TreeSet<>();
    for (String line : lines.subList(0, end)) {
      names.add(line.substring(0, line.lastIndexOf('|')));
      details.add(line);
    }
    Map<String, String> mounts = flags(lines.subList(end + 1, lines.size()));
    NavigableSet<String> hidden = hidden(user);
    mounts.forEach(
        (point, flags) -> {
          // One that is covered is still listed, but nobody can reach it.
          boolean visible = names.stream().anyMatch(line -> line.startsWith(point + " ->", 2));
          if (visible && hidden.stream().noneMatch(point::startsWith)) {
            // A device is no program whose set-user-ID bit could count.
            String telling =
                names.contains("c " + point + " -> ") ? flags.replace("nosuid,", "") : flags;
            details.add("mounted " + point + " " + telling);
          }
        });
    return new Outcome.Shown(names, details, onHost(tree));
  }

  /** The flags of what is on top at each mount point: no other mount there has it as its parent. */
  private static Map<String, String> flags(List<String> mountinfo) {
    List<String[]> all = mountinfo.stream().map(line -> line.split(" ", -1)).toList();
    Map<String, String> flags = new TreeMap<>();
    for (String[] mount : all) {
      boolean covered =
          all.stream().anyMatch(on -> on[4].equals(mount[4]) && on[1].equals(mount[0]));
      if (!covered) {
        flags.put(mount[4], mount[5]);
      }
    }
    return flags;
  }

  private static NavigableSet<String> onHost(Path tree) throws IOException {
    NavigableSet<String> lines = new TreeSet<>();
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.filter(path -> !path.equals(tree)).toList()) {
        String name = "/" + tree.relativize(path) + " -> ";
        lines.add(
            type(path)
                + " "
                + name
                + (Files.isSymbolicLink(path) ? Files.readSymbolicLink(path) : ""));
      }
    }
    return lines;
  }

  private static char type(Path path) throws IOException {
    int format =
        (Integer) Files.getAttribute(path, "unix:mode", java.nio.file.LinkOption.NOFOLLOW_LINKS)
            >> 12;
    return switch (format) {
      case 1 -> 'p';
      case 2 -> 'c';
      case 4 -> 'd';
      case 8 -> 'f';
      case 10 -> 'l';
      default -> 's';
    };
  }
}
