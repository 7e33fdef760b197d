package dev.cloister.recipe;

import dev.cloister.ffm.Errno;
import dev.cloister.ffm.LinuxConstant;
import dev.cloister.ffm.SystemCall;
import dev.cloister.program.Buffer;
import dev.cloister.program.Instruction;
import dev.cloister.program.Instruction.Call;
import dev.cloister.program.Operand;
import dev.cloister.program.Slot;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation.Changes;
import dev.cloister.spec.MountOperation.KeptChanges;
import dev.cloister.spec.MountOperation.Overlay;
import dev.cloister.spec.MountOperation.Source;
import dev.cloister.spec.OsString;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;

/**
 * Mounts overlays.
 *
 * <p>Their directories are opened while their paths mean what they mean on the host, and named to
 * the kernel by their descriptors: {@code self/fd/5} from a /proc. So neither the new root nor
 * another mount is in the way, nobody can put something else in their place, no path needs
 * escaping, and the command's mount table says nothing of the host.
 */
final class Overlays {
  /** mount(2) takes a page of options. */
  private static final Buffer OPTIONS = new Buffer("overlay_options", 4096);

  private static final Slot OPTIONS_LENGTH = new Slot("overlay_options_length");

  /** A tmpfs for changes that are forgotten. */
  private static final Slot FORGOTTEN = new Slot("changes");

  /** Only who is root on the host may use the others (overlayfs.rst, "User xattr"). */
  private static final String USER_ATTRIBUTES = ",userxattr";

  private static final OsString UPPER = OsString.of("upper");
  private static final OsString WORK = OsString.of("work");

  private final boolean privileged;
  private final NewRoot root;
  private final IdentityHashMap<Overlay, Slots> opened = new IdentityHashMap<>();
  private int count;

  /**
   * None yet.
   *
   * @param privileged whether the caller makes the mounts as itself
   */
  Overlays(boolean privileged, NewRoot root) {
    this.privileged = privileged;
    this.root = root;
  }

  /** Descriptors of an overlay's directories. */
  private record Slots(List<Slot> layers, List<Slot> kept) {
    private Slots() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    private List<Slot> all() {
      List<Slot> all = new ArrayList<>(layers);
      all.addAll(kept);
      return all;
    }
  }

  /** Opens the directories, before the new root covers the host's. */
  List<Instruction> open(Overlay overlay) {
    Slots slots = new Slots();
    List<Instruction> steps = new ArrayList<>();
    for (Source layer : overlay.layers()) {
      slots.layers().add(open(layer, steps));
    }
    if (overlay.changes().kept().isPresent()) {
      KeptChanges kept = overlay.changes().kept().get();
      slots.kept().add(open(kept.upper(), steps));
      slots.kept().add(open(kept.work(), steps));
    }
    opened.put(overlay, slots);
    return steps;
  }

  private Slot open(Source source, List<Instruction> steps) {
    count++;
    Slot slot = new Slot("layer" + count);
    steps.add(
        Steps.openDirectory(source.path(), slot)
            .hint(Errno.ENOENT, source.path() + " does not exist here: create it")
            .hint(Errno.ENOTDIR, source.path() + " is not a directory: no overlay can show it")
            .hint(Errno.EMFILE, "the limit of open files is too low (ulimit -n)"));
    return slot;
  }

  /** Mounts it over a directory, which is made where it is missing. */
  List<Instruction> mount(Overlay overlay) {
    Destination destination = overlay.destination();
    List<Instruction> steps = new ArrayList<>();
    steps.addAll(root.openDirectory(destination, Modes.MOUNT_POINT));
    steps.addAll(mountOverFound(overlay));
    steps.add(Steps.close(Lookup.DESTINATION));
    if (destination.isRoot()) {
      // It is the working directory already.
      root.cover(Node.opaque(), coveringMounts(overlay));
    } else {
      root.set(destination, Node.opaque());
    }
    return steps;
  }

  /** Ends in the new root, which the overlay may be then. */
  private List<Instruction> mountOverFound(Overlay overlay) {
    Slots slots = Objects.requireNonNull(opened.get(overlay));
    List<Instruction> steps = new ArrayList<>();
    if (forgets(overlay)) {
      steps.addAll(makeForgotten());
    }
    steps.add(Steps.fchdir(Credentials.PROC));
    steps.add(Steps.nameOf(Lookup.DESTINATION));
    steps.addAll(mount(overlay, options(slots, overlay.changes())));
    if (forgets(overlay)) {
      steps.addAll(leaveForgotten(overlay));
    }
    steps.add(Steps.chdir(NewRoot.PATH));
    for (Slot slot : slots.all()) {
      steps.add(Steps.close(slot));
    }
    return steps;
  }

  private List<Instruction> mount(Overlay overlay, List<Operand> options) {
    Instruction usual = compose(with(options, USER_ATTRIBUTES));
    Call mount = call(overlay);
    if (!privileged) {
      return List.of(usual, mount);
    }
    // Before Linux 5.11 there is no such option, and only root may mount overlays. With the other
    // attributes, a layer could redirect to a directory of another name, if the kernel is set so.
    Instruction older = compose(with(options, ",redirect_dir=nofollow"));
    return List.of(usual, mount.recover(Errno.EINVAL, List.of(older, mount)));
  }

  /**
   * How many mounts more lie below one that becomes the new root: what that was before, and, as the
   * overlay is on top of it, the tmpfs of {@link #makeForgotten}.
   */
  private static int coveringMounts(Overlay overlay) {
    return forgets(overlay) ? 2 : 1;
  }

  private static boolean forgets(Overlay overlay) {
    return overlay.changes().equals(Changes.FORGOTTEN);
  }

  /** On top of the new root for a moment, as a mount must be somewhere to be used. */
  private static List<Instruction> makeForgotten() {
    return List.of(
        Steps.mountTmpfs(OsString.of("/"), "mode=0755"),
        Steps.openDirectory(NewRoot.PATH, FORGOTTEN),
        Steps.mkdir(Operand.of(FORGOTTEN), UPPER, 0755),
        Steps.mkdir(Operand.of(FORGOTTEN), WORK, 0755));
  }

  private static List<Instruction> leaveForgotten(Overlay overlay) {
    List<Instruction> steps = new ArrayList<>();
    if (!overlay.destination().isRoot()) {
      // The overlay goes on using it.
      steps.add(
          Call.of(
              SystemCall.UMOUNT2, Operand.of(NewRoot.PATH), Operand.of(LinuxConstant.MNT_DETACH)));
    }
    steps.add(Steps.close(FORGOTTEN));
    return steps;
  }

  private static List<Operand> options(Slots slots, Changes changes) {
    List<Operand> options = new ArrayList<>();
    String before = "lowerdir=self/fd/";
    for (Slot layer : slots.layers().reversed()) {
      options.add(Operand.of(before));
      options.add(Operand.of(layer));
      before = ":self/fd/";
    }
    if (changes.kept().isPresent()) {
      addUpper(options, slots.kept().getFirst(), "", slots.kept().getLast(), "");
    } else if (changes.allowed()) {
      addUpper(options, FORGOTTEN, "/" + UPPER, FORGOTTEN, "/" + WORK);
    }
    return options;
  }

  private static void addUpper(
      List<Operand> options, Slot upper, String upperName, Slot work, String workName) {
    options.add(Operand.of(",upperdir=self/fd/"));
    options.add(Operand.of(upper));
    options.add(Operand.of(upperName + ",workdir=self/fd/"));
    options.add(Operand.of(work));
    if (!workName.isEmpty()) {
      options.add(Operand.of(workName));
    }
  }

  private static List<Operand> with(List<Operand> options, String more) {
    List<Operand> all = new ArrayList<>(options);
    all.add(Operand.of(more));
    return all;
  }

  private static Instruction compose(List<Operand> options) {
    return new Instruction.Compose(OPTIONS, options, OPTIONS_LENGTH);
  }

  private static Call call(Overlay overlay) {
    List<LinuxConstant> flags = new ArrayList<>();
    if (!overlay.changes().allowed()) {
      flags.add(LinuxConstant.MS_RDONLY);
    }
    flags.add(LinuxConstant.MS_NOSUID);
    flags.add(LinuxConstant.MS_NODEV);
    return Call.of(
            SystemCall.MOUNT,
            Operand.of("overlay"),
            Operand.of(Steps.DESCRIPTOR_NAME),
            Operand.of("overlay"),
            new Operand.Flags(flags),
            Operand.of(OPTIONS))
        .hint(
            Errno.EPERM,
            "before Linux 5.11 only root may mount overlays; or a seccomp filter forbids it")
        .hint(Errno.ENODEV, "this kernel has no overlayfs")
        .hint(Errno.ELOOP, "directories of an overlay must not be in one another")
        .hint(Errno.EBUSY, "another overlay uses the directory for changes or for work")
        .hint(Errno.EXDEV, "the directories for changes and for work are on different mounts")
        .hint(
            Errno.EINVAL,
            "one of the directories cannot be part of an overlay: for an unprivileged user, if"
                + " something is mounted below it; the directories for changes and for work must be"
                + " apart, on one file system");
  }
}
