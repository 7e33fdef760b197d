package dev.cloister.strategies;

import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a sandbox should look like, found out without the kernel: a file system in memory, to which
 * operations are applied in order (path_resolution(7), mount(2)).
 */
final class ModelRoot {
  private static final int MAX_LINKS = 40;

  private final Mount lowest;

  /** Links that were asked for: to ask for one again is no mistake. */
  private final Set<File> made = Collections.newSetFromMap(new IdentityHashMap<>());

  ModelRoot() {
    lowest = new Mount(File.directory(), false);
  }

  /** An operation that cannot be done, and why. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    Refused(String why) {
      super(why);
    }
  }

  /** A file of any type; all mounts of it show the same one. */
  static final class File {
    final char type;
    final String target;
    final Map<String, File> children = new TreeMap<>();
    private File parent = this;

    private File(char type, String target) {
      this.type = type;
      this.target = target;
    }

    static File directory() {
      return new File('d', "");
    }

    static File link(String target) {
      return new File('l', target);
    }

    /** As {@code find -printf %y} has it: f, p, s, ... */
    static File of(char type) {
      return new File(type, "");
    }

    File put(String name, File child) {
      child.parent = this;
      children.put(name, child);
      return this;
    }

    boolean isDirectory() {
      return type == 'd';
    }

    /** Where a source's path leads, from the top of the host's tree. */
    File at(String path) {
      File file = this;
      for (String name : path.split("/", -1)) {
        if (!name.isEmpty()) {
          File child = name.equals("..") ? file.parent : file.children.get(name);
          if (child == null) {
            throw new IllegalArgumentException("no source " + path);
          }
          file = child.type == 'l' ? file.at(child.target) : child;
        }
      }
      return file;
    }
  }

  private static final class Mount {
    final File root;
    final boolean readOnly;
    final IdentityHashMap<File, Mount> mounts = new IdentityHashMap<>();

    Mount(File root, boolean readOnly) {
      this.root = root;
      this.readOnly = readOnly;
    }
  }

  /** A file as it is reached: the same file may be below several mounts. */
  private record Place(Mount mount, File file) {
    /** What is mounted there, and there... */
    Place top() {
      Place place = this;
      for (Mount on = mount.mounts.get(file); on != null; on = place.mount.mounts.get(place.file)) {
        place = new Place(on, on.root);
      }
      return place;
    }
  }

  private Place root() {
    return new Place(lowest, lowest.root).top();
  }

  /** Follows {@code path} from the root; the end of it may be missing. */
  private Place find(List<String> path) throws Refused {
    Deque<Place> way = new ArrayDeque<>(List.of(root()));
    Deque<String> left = new ArrayDeque<>(path);
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.removeFirst();
      Place here = way.getLast();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (!here.file().isDirectory()) {
        throw new Refused("ENOTDIR");
      }
      if (name.equals("..")) {
        if (way.size() > 1) {
          way.removeLast();
        }
        continue;
      }
      File child = here.file().children.get(name);
      if (child == null) {
        throw new Refused("ENOENT");
      }
      if (child.type != 'l') {
        way.addLast(new Place(here.mount(), child).top());
        continue;
      }
      links++;
      if (links > MAX_LINKS) {
        throw new Refused("ELOOP");
      }
      if (child.target.startsWith("/")) {
        way.clear();
        way.add(root());
      }
      Arrays.asList(child.target.split("/", -1)).reversed().forEach(left::addFirst);
    }
    return way.getLast();
  }

  private static List<String> names(Destination destination) {
    return destination.components().stream().map(OsString::toString).toList();
  }

  /** Finds {@code path} and makes what is missing, each name by itself. */
  private Place make(List<String> path, boolean directory) throws Refused {
    try {
      return find(path);
    } catch (Refused e) {
      if (!"ENOENT".equals(e.getMessage())) {
        throw e;
      }
    }
    Place place = root();
    for (int depth = 1; depth <= path.size(); depth++) {
      List<String> prefix = path.subList(0, depth);
      File missing = depth < path.size() || directory ? File.directory() : File.of('f');
      place = findOrMake(place, prefix, missing);
    }
    return place;
  }

  private Place findOrMake(Place parent, List<String> path, File missing) throws Refused {
    try {
      return find(path);
    } catch (Refused e) {
      if (!"ENOENT".equals(e.getMessage())) {
        throw e;
      }
      if (!parent.file().children.containsKey(path.getLast())) {
        put(parent, path.getLast(), missing);
      }
      return find(path);
    }
  }

  private static void put(Place parent, String name, File child) throws Refused {
    if (parent.mount().readOnly) {
      throw new Refused("EROFS");
    }
    parent.file().put(name, child);
  }

  private Place makeDirectory(List<String> path) throws Refused {
    Place place = make(path, true);
    if (!place.file().isDirectory()) {
      throw new Refused("ENOTDIR");
    }
    return place;
  }

  /**
   * Does {@code operation}.
   *
   * @param source what a bind shows
   */
  void apply(MountOperation operation, File source) throws Refused {
    List<String> path = names(operation.destination());
    switch (operation) {
      case MountOperation.Bind bind -> bind(path, source, bind.access());
      case MountOperation.LateBind bind -> bind(path, source, bind.access());
      case MountOperation.AsOnHost _,
          MountOperation.HideLaunchers _,
          MountOperation.DataFile _,
          MountOperation.DataBind _ ->
          throw new IllegalArgumentException("not in the model: " + operation);
      case MountOperation.Tmpfs _ -> mount(makeDirectory(path), File.directory(), false);
      case MountOperation.Directory _ -> makeDirectory(path);
      case MountOperation.Symlink link -> symlink(path, link.target().toString());
      case MountOperation.Devices _ -> mount(makeDirectory(path), devices(), false);
      case MountOperation.Proc _ -> mount(makeDirectory(path), File.directory(), true);
    }
  }

  private static void mount(Place on, File root, boolean readOnly) {
    on.mount().mounts.put(on.file(), new Mount(root, readOnly));
  }

  private void bind(List<String> path, File source, Access access) throws Refused {
    if (path.isEmpty() && !source.isDirectory()) {
      throw new Refused("MISMATCH");
    }
    Place on = make(path, source.isDirectory());
    if (on.file().isDirectory() != source.isDirectory()) {
      throw new Refused("MISMATCH");
    }
    mount(on, source, access == Access.READ_ONLY);
  }

  private void symlink(List<String> path, String target) throws Refused {
    if (path.isEmpty()) {
      throw new Refused("EEXIST");
    }
    Place parent = makeDirectory(path.subList(0, path.size() - 1));
    File existing = parent.file().children.get(path.getLast());
    if (existing == null) {
      File link = File.link(target);
      put(parent, path.getLast(), link);
      made.add(link);
    } else if (!made.contains(existing) || !existing.target.equals(target)) {
      throw new Refused("EEXIST");
    }
  }

  private static File devices() {
    File dev = File.directory();
    for (String name : List.of("null", "zero", "full", "random", "urandom", "tty")) {
      dev.put(name, File.of('c'));
    }
    dev.put("fd", File.link("/proc/self/fd"));
    dev.put("stdin", File.link("/proc/self/fd/0"));
    dev.put("stdout", File.link("/proc/self/fd/1"));
    dev.put("stderr", File.link("/proc/self/fd/2"));
    dev.put("core", File.link("/proc/kcore"));
    dev.put("ptmx", File.link("pts/ptmx"));
    dev.put("shm", File.directory());
    return dev.put("pts", File.directory().put("ptmx", File.of('c')));
  }

  /**
   * Lines of type, path and target, without what is below {@code hidden} paths. A directory that is
   * bound somewhere below itself is left out there, as by find(1).
   */
  NavigableSet<String> listing(NavigableSet<String> hidden) {
    NavigableSet<String> lines = new TreeSet<>();
    list(root(), "", List.of(root().file()), hidden, lines);
    return lines;
  }

  private static void list(
      Place place,
      String path,
      List<File> above,
      NavigableSet<String> hidden,
      NavigableSet<String> out) {
    place
        .file()
        .children
        .forEach(
            (name, child) -> {
              String at = path + "/" + name;
              File reached = new Place(place.mount(), child).top().file();
              if (hidden.contains(at) || above.contains(reached)) {
                return;
              }
              out.add(reached.type + " " + at + " -> " + reached.target);
              if (reached.isDirectory()) {
                List<File> way = new ArrayList<>(above);
                way.add(reached);
                list(new Place(place.mount(), child).top(), at, way, hidden, out);
              }
            });
  }

  /** What was refused, in the order of the operations: nothing or one reason. */
  List<String> applyAll(List<MountOperation> operations, Map<MountOperation, File> sources) {
    List<String> refused = new ArrayList<>();
    for (MountOperation operation : operations) {
      try {
        apply(operation, sources.getOrDefault(operation, File.directory()));
      } catch (Refused e) {
        refused.add(operation + ": " + e.getMessage());
        return refused;
      }
    }
    return refused;
  }
}
