package dev.cloister.host;

import dev.cloister.ffm.Architecture;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a host shows of the reasons for which it refuses things. Everything is from files that
 * anybody may read; what cannot be read is absent.
 *
 * @param kernel system, release and architecture, for a person: nothing is decided by it
 * @param sysctls those that limit sandboxes, by name
 * @param modules the security modules at work, from {@code /sys/kernel/security/lsm}; empty where
 *     that is not mounted
 * @param label what a security module says this process is, from {@code /proc/self/attr/current}
 * @param uidMap lines of {@code /proc/self/uid_map}: inside, outside, count (user_namespaces(7))
 * @param gidMap the same of groups
 * @param mounts how many mounts this process sees
 * @param chroot what shows that this process's root is not its mount namespace's, if anything does
 * @param initramfs whether the root is the kernel's first file system, which cannot be moved
 * @param coveredProc mount points below {@code /proc} that hide something
 * @param container the container runtime that left a trace
 */
public record Evidence(
    String kernel,
    Map<String, String> sysctls,
    List<String> modules,
    Optional<String> label,
    List<String> uidMap,
    List<String> gidMap,
    int mounts,
    Optional<String> chroot,
    boolean initramfs,
    List<String> coveredProc,
    Optional<String> container) {
  public Evidence {
    sysctls = java.util.Collections.unmodifiableMap(new TreeMap<>(sysctls));
    modules = List.copyOf(modules);
    uidMap = List.copyOf(uidMap);
    gidMap = List.copyOf(gidMap);
    coveredProc = List.copyOf(coveredProc);
  }

  /** A host of which nothing is known. */
  public static final Evidence NONE =
      new Evidence(
          "Linux",
          Map.of(),
          List.of(),
          Optional.empty(),
          List.of(),
          List.of(),
          0,
          Optional.empty(),
          false,
          List.of(),
          Optional.empty());

  /** The kinds of namespaces, as in the names of their limits: {@link #limitOn}. */
  public static final List<String> NAMESPACES =
      List.of("user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time");

  private static final String DEBIAN_CLONE = "kernel.unprivileged_userns_clone";
  private static final String UBUNTU_RESTRICTS = "kernel.apparmor_restrict_unprivileged_userns";

  /** Fields of a mount table's lines. */
  private static final int ID = 0;

  private static final int POINT = 4;

  /** A host may have thousands of processes; those that were there first matter most. */
  private static final int MAX_PROCESSES = 64;

  /** Empty where nothing is mounted, so that a mount there hides nothing. */
  private static final String BINARY_FORMATS = "/proc/sys/fs/binfmt_misc";

  /** Looks at this host. */
  public static Evidence collect() {
    List<String[]> mounts = mounts(Path.of("/proc/self/mountinfo"));
    return new Evidence(
        "Linux %s %s"
            .formatted(
                read("/proc/sys/kernel/osrelease").orElse(""),
                Architecture.host().name().toLowerCase(Locale.ROOT)),
        readSysctls(),
        words(read("/sys/kernel/security/lsm").orElse(""), ","),
        read("/proc/self/attr/current").map(label -> label.replace("\0", "")),
        lines("/proc/self/uid_map"),
        lines("/proc/self/gid_map"),
        mounts.size(),
        findChroot(mounts),
        mounts.stream().anyMatch(m -> m[POINT].equals("/") && type(m).equals("rootfs")),
        mounts.stream()
            .map(mount -> mount[POINT])
            .filter(point -> point.startsWith("/proc/") && !point.equals(BINARY_FORMATS))
            .distinct()
            .toList(),
        findContainer());
  }

  /** The sysctl that limits namespaces of a kind, as in its name: {@code mnt} for mounts. */
  public static String limitOn(String kind) {
    return "user.max_" + kind + "_namespaces";
  }

  public Optional<String> sysctl(String name) {
    return Optional.ofNullable(sysctls.get(name));
  }

  /** Debian's own sysctl, which needs a patch of the kernel. */
  public boolean userNamespacesForRootOnly() {
    return sysctl(DEBIAN_CLONE).equals(Optional.of("0"));
  }

  /** Ubuntu's sysctl. It is the whole host's, and shows inside containers too. */
  public boolean appArmorRestricts() {
    return sysctl(UBUNTU_RESTRICTS).equals(Optional.of("1"));
  }

  /** {@code NAME (enforce)}, if AppArmor holds this process to a profile. */
  public Optional<String> appArmorProfile() {
    return label.filter(text -> text.endsWith(" (enforce)"));
  }

  /** {@code USER:ROLE:TYPE:LEVEL}, if SELinux is at work. */
  public Optional<String> seLinuxContext() {
    return label.filter(text -> text.split(":", -1).length >= 3);
  }

  /** Whether a security module may be at work that can refuse user namespaces. */
  public boolean mayRefuseNamespaces() {
    return label.isPresent() || modules.contains("bpf");
  }

  /** Whether Landlock may be at work; that a process is restricted by it shows nowhere. */
  public boolean mayHaveLandlock() {
    return modules.isEmpty() || modules.contains("landlock");
  }

  /** Whether the user namespace knows an id: lines of a map with it in their range. */
  public static boolean maps(List<String> map, long id) {
    for (String line : map) {
      List<String> numbers = words(line, " ");
      if (numbers.size() == 3) {
        long first = Long.parseLong(numbers.get(0));
        if (id >= first && id - first < Long.parseLong(numbers.get(2))) {
          return true;
        }
      }
    }
    return map.isEmpty();
  }

  private static Map<String, String> readSysctls() {
    List<String> names = new ArrayList<>();
    NAMESPACES.forEach(kind -> names.add(limitOn(kind)));
    names.addAll(List.of("fs.mount-max", "vm.memfd_noexec", DEBIAN_CLONE, UBUNTU_RESTRICTS));
    Map<String, String> sysctls = new TreeMap<>();
    for (String name : names) {
      read(file(name)).ifPresent(value -> sysctls.put(name, value));
    }
    return sysctls;
  }

  /** Where a sysctl is read. */
  public static String file(String sysctl) {
    return "/proc/sys/" + sysctl.replace('.', '/');
  }

  /** The fields of a mount table's lines (proc_pid_mountinfo(5)). */
  private static List<String[]> mounts(Path file) {
    try {
      return Files.readAllLines(file, StandardCharsets.ISO_8859_1).stream()
          .map(line -> line.split(" ", -1))
          .filter(fields -> fields.length > POINT)
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static String type(String[] mount) {
    for (int i = POINT + 1; i < mount.length - 1; i++) {
      if (mount[i].equals("-")) {
        return mount[i + 1];
      }
    }
    return "";
  }

  /**
   * A mount table lists what is at or below its process's root. A root that is not in its own is no
   * mount point. Whoever is not in the chroot has it at another place than {@code /} in theirs.
   */
  private static Optional<String> findChroot(List<String[]> mounts) {
    if (mounts.isEmpty()) {
      return Optional.empty();
    }
    Optional<String[]> root = mounts.stream().filter(m -> m[POINT].equals("/")).findFirst();
    return root.isEmpty()
        ? Optional.of("/proc/self/mountinfo: no mount at /")
        : findChroot(root.get()[ID]);
  }

  private static Optional<String> findChroot(String root) {
    try (DirectoryStream<Path> processes = Files.newDirectoryStream(Path.of("/proc"), "[1-9]*")) {
      int left = MAX_PROCESSES;
      for (Path process : processes) {
        if (left == 0) {
          break;
        }
        left--;
        Path table = process.resolve("mountinfo");
        for (String[] mount : mounts(table)) {
          if (mount[ID].equals(root) && !mount[POINT].equals("/")) {
            return Optional.of(table + ": this process's root is at " + mount[POINT]);
          }
        }
      }
    } catch (IOException e) {
      // Nobody else is to be seen.
    }
    return Optional.empty();
  }

  private static Optional<String> findContainer() {
    if (Files.exists(Path.of("/.dockerenv"))) {
      return Optional.of("docker");
    }
    if (Files.exists(Path.of("/run/.containerenv"))) {
      return Optional.of("podman");
    }
    return read("/run/systemd/container").filter(name -> !name.isEmpty());
  }

  private static List<String> words(String text, String separator) {
    List<String> words = new ArrayList<>(List.of(text.strip().split(separator + "+", -1)));
    words.removeIf(String::isEmpty);
    return words;
  }

  private static Optional<String> read(String file) {
    return KernelFile.read(Path.of(file));
  }

  private static List<String> lines(String file) {
    return read(file).map(text -> text.lines().map(String::strip).toList()).orElse(List.of());
  }
}
