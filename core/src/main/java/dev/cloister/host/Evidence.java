package dev.cloister.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a host shows of the reasons for which it refuses things.
 *
 * @param maxUserNamespaces sysctl user.max_user_namespaces, where it can be read
 * @param userNamespacesForRootOnly Debian's sysctl kernel.unprivileged_userns_clone is 0
 * @param appArmorRestricts Ubuntu's sysctl kernel.apparmor_restrict_unprivileged_userns is 1
 * @param appArmorProfile the AppArmor profile this process is confined by, if any
 * @param inChroot the root directory is no mount point, so it was made the root by chroot(2)
 */
public record Evidence(
    Optional<String> maxUserNamespaces,
    boolean userNamespacesForRootOnly,
    boolean appArmorRestricts,
    Optional<String> appArmorProfile,
    boolean inChroot) {

  private static final Path SYSCTL = Path.of("/proc/sys");

  /** Looks at this host. */
  public static Evidence collect() {
    return new Evidence(
        sysctl("user/max_user_namespaces"),
        sysctl("kernel/unprivileged_userns_clone").equals(Optional.of("0")),
        sysctl("kernel/apparmor_restrict_unprivileged_userns").equals(Optional.of("1")),
        profile(),
        rootIsNoMount());
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

  /**
   * Only mounts at or below the root are listed: without one at the root, it is a plain directory.
   */
  private static boolean rootIsNoMount() {
    try {
      List<String> mounts =
          Files.readAllLines(Path.of("/proc/self/mountinfo"), StandardCharsets.ISO_8859_1);
      return mounts.stream().noneMatch(line -> line.split(" ", 6)[4].equals("/"));
    } catch (IOException e) {
      return false;
    }
  }
}
