package dev.cloister.spec;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One thing to put into the new root. Operations are applied in the order of their list, each over
 * what the ones before it made: order is meaning, as with bubblewrap.
 */
public sealed interface MountOperation {
  /** Where, as an absolute path below the new root. */
  Destination destination();

  /**
   * Calls the method of {@code visitor} for this kind of operation. The compiler finds a missing
   * kind as it does in a switch, but linking a switch over types takes a fresh JVM 1 to 5 ms, which
   * the AOT cache does not save (docs/adr/0004-start-up.md).
   */
  <E extends Exception> void accept(Visitor<E> visitor) throws E;

  /**
   * What to do with each kind of operation.
   *
   * @param <E> what may be thrown
   */
  interface Visitor<E extends Exception> {
    void bind(Bind bind) throws E;

    void tmpfs(Tmpfs tmpfs) throws E;

    void directory(Directory directory) throws E;

    void symlink(Symlink symlink) throws E;

    void proc(Proc proc) throws E;

    void devices(Devices devices) throws E;

    void lateBind(LateBind bind) throws E;

    void asOnHost(AsOnHost shown) throws E;

    void hideLaunchers(HideLaunchers hidden) throws E;

    void permissions(Permissions permissions) throws E;

    void remountReadOnly(RemountReadOnly remount) throws E;

    void messageQueues(MessageQueues queues) throws E;

    void overlay(Overlay overlay) throws E;

    void dataFile(DataFile file) throws E;

    void dataBind(DataBind bind) throws E;
  }

  /**
   * The permissions of directories that are made on the way to something: who may do nothing with
   * that need not pass either, and anybody may else.
   *
   * @param mode of what is made there
   */
  static int parentsMode(int mode) {
    int parents = 0755;
    if ((mode & 0070) == 0) {
      parents &= ~0050;
    }
    if ((mode & 0007) == 0) {
      parents &= ~0005;
    }
    return parents;
  }

  /** What a bind allows. Set-user-ID bits never count (MS_NOSUID), whatever the access. */
  enum Access {
    /** Files can be changed, devices cannot be opened: {@code --bind}. */
    READ_WRITE,
    /** Nothing below can be changed, on any sub-mount: {@code --ro-bind}. */
    READ_ONLY,
    /** Files can be changed and devices opened: {@code --dev-bind}. */
    DEVICES
  }

  /** The host's {@code source} with all its sub-mounts. */
  record Bind(Source source, Destination destination, Access access) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.bind(this);
    }
  }

  /**
   * An empty tmpfs.
   *
   * @param mode its permissions
   * @param size how many bytes it can hold; without, as many as tmpfs(5) says
   */
  record Tmpfs(Destination destination, int mode, OptionalLong size) implements MountOperation {
    /** A usual one: mode 0755, no limit of its own. */
    public Tmpfs(Destination destination) {
      this(destination, 0755, OptionalLong.empty());
    }

    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.tmpfs(this);
    }
  }

  /**
   * A directory, with its parents, as {@code mkdir -p -m MODE}; an existing one is left as it is.
   * Parents that are missing get {@link #parentsMode}. Set-user-ID and set-group-ID bits of the
   * mode count for nothing (mkdir(2)).
   */
  record Directory(Destination destination, int mode) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.directory(this);
    }
  }

  /** A symbolic link at {@code destination} that says {@code target}. */
  record Symlink(OsString target, Destination destination) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.symlink(this);
    }
  }

  /**
   * The process file system, with the parts through which a process that is really root could
   * change the host ({@code sys}, {@code irq}, {@code bus}, {@code sysrq-trigger}) read-only.
   */
  record Proc(Destination destination) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.proc(this);
    }
  }

  /**
   * A minimal {@code /dev}: null, zero, full, random, urandom, tty, pts, shm and the usual links.
   */
  record Devices(Destination destination) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.devices(this);
    }
  }

  /**
   * A bind whose source is looked at only when the sandbox is made.
   *
   * @param source absolute
   * @param optional whether nothing is done where the source does not exist
   */
  record LateBind(OsString source, Destination destination, Access access, boolean optional)
      implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.lateBind(this);
    }
  }

  /**
   * Entries of the host's root, as far as they are there when the sandbox is made: a symbolic link
   * as the same link, all else bound read-only.
   *
   * @param names of them, without a slash
   */
  record AsOnHost(List<OsString> names) implements MountOperation {
    public AsOnHost {
      names = List.copyOf(names);
    }

    @Override
    public Destination destination() {
      return Destination.of("/");
    }

    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.asOnHost(this);
    }
  }

  /**
   * An empty tmpfs over the directory in which Cloister keeps the launchers of the command's user,
   * who runs them outside of sandboxes. It is made where it is missing, or the command could make
   * it.
   *
   * @param destination where the directory that contains it is shown, which may be missing
   */
  record HideLaunchers(Destination destination) implements MountOperation {
    /** What that directory's name starts with, before the user's number: docs/cache.md. */
    public static final String PREFIX = "cloister-";

    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.hideLaunchers(this);
    }
  }

  /**
   * Other permissions for something that is there already.
   *
   * @param destination symbolic links are followed, as the command will see them
   * @param mode as chmod(2) takes it
   */
  record Permissions(Destination destination, int mode) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.permissions(this);
    }
  }

  /**
   * What is mounted at {@code destination} gets {@link Access#READ_ONLY}; other mounts below it
   * stay as they are.
   */
  record RemountReadOnly(Destination destination) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.remountReadOnly(this);
    }
  }

  /** The POSIX message queues of the command's IPC namespace (mq_overview(7)). */
  record MessageQueues(Destination destination) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.messageQueues(this);
    }
  }

  /**
   * Directories of the host's as one: where a name is in several, the last of them has it. Mounts
   * below them are not shown.
   *
   * @param layers the lowest first; never changed
   * @param changes where what the command changes goes
   */
  record Overlay(List<Source> layers, Changes changes, Destination destination)
      implements MountOperation {
    /** More would not be named in the one page that mount(2) takes. */
    public static final int MAX_LAYERS = 200;

    public Overlay {
      layers = List.copyOf(layers);
      if (layers.size() > MAX_LAYERS) {
        throw new IllegalArgumentException("an overlay has at most " + MAX_LAYERS + " layers");
      }
      if (layers.size() < changes.leastLayers()) {
        throw new IllegalArgumentException("an overlay needs layers: " + changes.leastLayers());
      }
    }

    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.overlay(this);
    }
  }

  /**
   * Where the changes to an {@link Overlay} go.
   *
   * @param kept whether and where they stay on the host
   */
  record Changes(boolean allowed, Optional<KeptChanges> kept) {
    /** There are none: it is read-only. */
    public static final Changes FORBIDDEN = new Changes(false, Optional.empty());

    /** Into memory that is gone with the sandbox, and that nobody reaches in another way. */
    public static final Changes FORGOTTEN = new Changes(true, Optional.empty());

    /** Into a directory of the host's. */
    public static Changes keptIn(Source upper, Source work) {
      return new Changes(true, Optional.of(new KeptChanges(upper, work)));
    }

    /** One layer alone that cannot be changed is no overlay for the kernel. */
    public int leastLayers() {
      return allowed ? 1 : 2;
    }
  }

  /**
   * Directories of one file system of the host's.
   *
   * @param upper gets the changes, and is itself the uppermost layer
   * @param work empty, for the kernel alone
   */
  record KeptChanges(Source upper, Source work) {}

  /**
   * A file with all that can be read from a descriptor of the caller's. What is there already is
   * overwritten, and keeps its mode.
   *
   * @param mode its permissions
   */
  record DataFile(int descriptor, Destination destination, int mode) implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.dataFile(this);
    }
  }

  /**
   * The same in a file that is mounted over whatever is there, and that nobody reaches in another
   * way.
   */
  record DataBind(int descriptor, Destination destination, int mode, Access access)
      implements MountOperation {
    @Override
    public <E extends Exception> void accept(Visitor<E> visitor) throws E {
      visitor.dataBind(this);
    }
  }

  /**
   * What a bind shows, as it was when the specification was made.
   *
   * @param path absolute
   * @param directory whether it is one; all else (files, devices, sockets, fifos) goes onto a file
   * @param direct whether the path has no symbolic link and no {@code ..} in it, so that it means
   *     the same after something was mounted over the root
   * @param descriptor of the caller's, which leads to the same file
   */
  record Source(OsString path, boolean directory, boolean direct, OptionalInt descriptor) {
    /** One that is known by its path alone. */
    public Source(OsString path, boolean directory, boolean direct) {
      this(path, directory, direct, OptionalInt.empty());
    }

    /** The same, which is the right one only if it is what a descriptor leads to. */
    public Source through(int number) {
      return new Source(path, directory, direct, OptionalInt.of(number));
    }

    /** Whether this is the root itself, which must be cloned before anything is mounted over it. */
    public boolean isRoot() {
      return path.equals(OsString.of("/"));
    }
  }
}
