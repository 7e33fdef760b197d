package dev.cloister.host;

import java.util.Collections;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * How plans do without something that a host lacks. An ordinary host needs none of these; which
 * ones another needs is found out by doing, when the plain way has failed.
 */
public enum Workaround {
  /**
   * Without mount_setattr(2), before Linux 5.12: each mount of a tree is remounted by itself, with
   * mount(2).
   */
  REMOUNT_EACH,

  /** Without open_tree(2) and move_mount(2), before Linux 5.2: binds are made with mount(2). */
  BIND_BY_PATH,

  /**
   * Without openat2(2), before Linux 5.6: destinations are walked to component by component, and
   * symbolic links on the way refused.
   */
  WALK_PATHS,

  /**
   * For a caller with CAP_SYS_ADMIN where no {@code /proc} is mounted: the process mounts one that
   * nobody else sees. Others may not mount it (pid_namespaces(7)).
   */
  OWN_PROC,

  /**
   * For a caller with CAP_SYS_ADMIN in a chroot, whom the kernel gives no user namespace there: the
   * process goes to the root of its mount namespace first, with setns(2).
   */
  LEAVE_CHROOT,

  /**
   * For a caller with CAP_SYS_ADMIN where no user namespace can be made: the command stays in the
   * caller's, without capabilities.
   */
  NO_USER_NAMESPACE,

  /**
   * Together with {@link #NO_USER_NAMESPACE}, since Linux 5.19: a Landlock domain keeps the command
   * from tracing processes outside, and so from their root directories (landlock(7)).
   */
  LANDLOCK_DOMAIN,

  /** Before Linux 6.10 (ABI 5): Landlock does not restrict what ioctl(2) does to devices. */
  LANDLOCK_WITHOUT_IOCTL,

  /** Before Linux 6.12 (ABI 6): Landlock restricts neither signals nor abstract sockets. */
  LANDLOCK_WITHOUT_SCOPES;

  /** Unchangeable, and in the order of the constants. */
  public static Set<Workaround> copy(Set<Workaround> workarounds) {
    if (workarounds.isEmpty()) {
      return Set.of();
    }
    return Collections.unmodifiableSet(new TreeSet<>(workarounds));
  }

  /** Their names for a person. */
  public static String words(Set<Workaround> workarounds) {
    StringBuilder words = new StringBuilder();
    for (Workaround workaround : workarounds) {
      words.append(words.isEmpty() ? "" : ", ");
      words.append(workaround.name().toLowerCase(Locale.ROOT));
    }
    return words.toString();
  }
}
