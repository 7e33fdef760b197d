package dev.cloister.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a host shows of the reasons for which it refuses things.
 *
 * @param namespaceLimits sysctls user.max_*_namespaces, where they can be read, by the kind in
 *     their names (namespaces(7))
 * @param userNamespacesForRootOnly Debian's sysctl kernel.unprivileged_userns_clone is 0
 * @param appArmorRestricts Ubuntu's sysctl kernel.apparmor_restrict_unprivileged_userns is 1
 * @param appArmorProfile the AppArmor profile this process is confined by, if any
 * @param inChroot the root directory is no mount point, so it was made the root by chroot(2)
 * @param coveredProc mount points below {@code /proc} that hide something
 */
public record Evidence(
    Map<String, String> namespaceLimits,
    boolean userNamespacesForRootOnly,
    boolean appArmorRestricts,
    Optional<String> appArmorProfile,
    boolean inChroot,
    List<String> coveredProc) {
  public Evidence {
    namespaceLimits = Map.copyOf(namespaceLimits);
    coveredProc = List.copyOf(coveredProc);
  }

  private static final Path SYSCTL = Path.of("/proc/sys");
  private static final List<String> LIMITED =
      List.of("user", "mnt", "net", "ipc", "uts", "cgroup", "pid", "time");

  /** Empty where nothing is mounted, so that a mount there hides nothing. */
  private static final String BINARY_FORMATS = "/proc/sys/fs/binfmt_misc";

  /** Looks at this host. */
  public static Evidence collect() {
    List<String> mountPoints = mountPoints();
    return new Evidence(
        limits(),
        sysctl("kernel/unprivileged_userns_clone").equals(Optional.of("0")),
        sysctl("kernel/apparmor_restrict_unprivileged_userns").equals(Optional.of("1")),
        profile(),
        // Only mounts at or below the root are listed: without one at it, it is a plain directory.
        !mountPoints.isEmpty() && !mountPoints.contains("/"),
        mountPoints.stream()
            .filter(point -> point.startsWith("/proc/") && !point.equals(BINARY_FORMATS))
            .distinct()
            .toList());
  }

  private static Map<String, String> limits() {
    Map<String, String> limits = new HashMap<>();
    for (String kind : LIMITED) {
      sysctl("user/max_" + kind + "_namespaces").ifPresent(limit -> limits.put(kind, limit));
    }
    return limits;
  }

  /** {@code NAME (enforce)}; without AppArmor the file is of another module, or EINVAL. */
  private static Optional<String> profile() {
    try {
      String label = Files.readString(Path.of("/proc/self/attr/current")).strip();
      return label.endsWith(" (enforce)") ? Optional.of(label) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static Optional<String> sysctl(String name) {
    try {
      return Optional.of(Files.readString(SYSCTL.resolve(name)).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static List<String> mountPoints() {
    try {
      List<String> mounts =
          Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1);
      return mounts.stream().map(line -> line.split(" ", 6)[4]).toList();
    } catch (IOException e) {
      return List.of();
    }
  }
}
