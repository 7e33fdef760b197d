package dev.cloister.probe;

import dev.cloister.launch.PrivateDirectory;
import dev.cloister.machine.LookupProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A profile that lets launchers make user namespaces where AppArmor restricts those, in the words
 * of the distributions' own profile for bubblewrap: a launcher may do all it needs, and what it
 * executes has no capability in a user namespace.
 *
 * <p>A profile is bound to a path, and whoever may write there decides what it is the profile of.
 * Launchers are new files each time, in a directory of their user's. So the profile names one
 * user's directory, which must lie where only root can have made it: in {@code /tmp}, another user
 * could be first. It opens to that user what the restriction takes away, and to nobody else.
 */
final class AppArmorProfile {
  /** Made by root for each user that logs in (pam_systemd(8)). */
  private static final Path RUNTIME = Path.of("/run/user");

  private static final Path STATE = Path.of("/var/lib/cloister");

  private final Path directory;
  private final String uid;
  private final String name;

  /**
   * Makes a profile.
   *
   * @param launchers the directory they are in now
   * @param uid their user's
   */
  AppArmorProfile(Path launchers, long uid) {
    this.uid = Long.toUnsignedString(uid);
    this.name = PrivateDirectory.name(uid);
    this.directory = launchers.startsWith(RUNTIME) ? launchers : STATE.resolve(name);
  }

  /** The content of the file, with what to do with it in front. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    String file = "/etc/apparmor.d/" + name;
    lines.add("# As root: save this as " + file + " and load it: apparmor_parser -r " + file);
    if (!directory.startsWith(RUNTIME)) {
      lines.add("# First make a directory that nobody else can have made:");
      lines.add(
          "#   install -d -m 755 %s && install -d -m 700 -o %s %s"
              .formatted(STATE, uid, directory));
      lines.add("# Start Cloister with TMPDIR=" + STATE + " then.");
    }
    lines.add("# It lets whatever uid " + uid + " puts there make user namespaces, nobody else's.");
    lines.addAll(PROFILE.formatted(name, directory, LookupProgram.LAUNCHER).lines().toList());
    return lines;
  }

  private static final String PROFILE =
      """
      abi <abi/4.0>,
      include <tunables/global>

      profile %1$s %2$s/%3$s* flags=(attach_disconnected,mediate_deleted) {
        allow capability,
        allow file rwlkm /{**,},
        allow network,
        allow unix,
        allow ptrace,
        allow signal,
        allow mqueue,
        allow io_uring,
        allow userns,
        allow mount,
        allow umount,
        allow pivot_root,
        allow dbus,
        allow pix /** -> &%1$s//&%1$s-command,
      }

      profile %1$s-command flags=(attach_disconnected,mediate_deleted) {
        allow file rwlkm /{**,},
        allow network,
        allow unix,
        allow ptrace,
        allow signal,
        allow mqueue,
        allow io_uring,
        allow userns,
        allow mount,
        allow umount,
        allow pivot_root,
        allow dbus,
        allow pix /** -> &%1$s-command,
        audit deny capability,
      }
      """;
}
