package dev.cloister.cli;

import dev.cloister.host.CallerKind;
import dev.cloister.program.CText;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** What an emitted launcher says with {@code --help}. */
final class LauncherHelp {
  /** In bytes: as many of SHA-256's as nobody finds twice. */
  private static final int DIGEST_SIZE = 16;

  private LauncherHelp() {}

  static String of(
      EmitRequest request, RunRequest.Late late, String strategy, byte[] packedOptions) {
    StringBuilder text = new StringBuilder();
    text.append("usage: [--] COMMAND [ARG...], or --help, or --explain for the system calls\n");
    text.append("A sandbox by Cloister %s for %s\n".formatted(Version.current(), machine(request)));
    text.append("strategy: ").append(strategy).append('\n');
    text.append("options: ").append(words(request.arguments())).append('\n');
    text.append("digest: ").append(digest(packedOptions)).append('\n');
    text.append("mounts:\n");
    mounts(late.specs()).forEach((mount, who) -> text.append("  " + mount + who + "\n"));
    return text.toString();
  }

  private static String machine(EmitRequest request) {
    return request.architecture().name().toLowerCase(Locale.ROOT);
  }

  /** Of the version and the options, from which all else follows. */
  private static String digest(byte[] packedOptions) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(OsString.of(Version.current()).bytes());
      digest.update((byte) 0);
      return HexFormat.of().formatHex(digest.digest(packedOptions), 0, DIGEST_SIZE);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** As a shell would be given them. */
  static String words(List<OsString> words) {
    List<String> quoted = new ArrayList<>();
    for (OsString word : words) {
      String text = word.toString();
      quoted.add(text.matches("[\\w./,:=@%+-]+") ? text : CText.quote(word));
    }
    return String.join(" ", quoted);
  }

  /** Each mount with whom it is for, where that is not everybody. */
  private static Map<String, String> mounts(Map<CallerKind, SandboxSpec> specs) {
    List<String> roots = texts(specs, CallerKind.ROOT);
    List<String> users = texts(specs, CallerKind.USER);
    Map<String, String> mounts = new LinkedHashMap<>();
    Set<String> anyUsers = new HashSet<>(users);
    for (String mount : roots) {
      mounts.put(mount, anyUsers.contains(mount) ? "" : " (for root)");
    }
    for (String mount : users) {
      mounts.putIfAbsent(mount, " (for other users)");
    }
    return mounts;
  }

  private static List<String> texts(Map<CallerKind, SandboxSpec> specs, CallerKind kind) {
    List<String> texts = new ArrayList<>();
    for (MountOperation mount : Objects.requireNonNull(specs.get(kind)).mounts()) {
      texts.add(text(mount));
    }
    return texts;
  }

  private static String text(MountOperation mount) {
    return switch (mount) {
      case MountOperation.LateBind bind ->
          "%s %s %s%s"
              .formatted(
                  access(bind.access()),
                  bind.source(),
                  bind.destination(),
                  bind.optional() ? " if it exists" : "");
      case MountOperation.AsOnHost shown ->
          "as on the host /" + OsString.join(' ', shown.names()).toString().replace(" ", " /");
      case MountOperation.Bind bind ->
          "%s %s %s".formatted(access(bind.access()), bind.source().path(), bind.destination());
      case MountOperation.HideLaunchers hidden ->
          "tmpfs over Cloister's launchers in " + hidden.destination();
      case MountOperation.DataFile file ->
          "file %s: a copy of descriptor %d".formatted(file.destination(), file.descriptor());
      case MountOperation.DataBind data ->
          "file %s: a copy of descriptor %d".formatted(data.destination(), data.descriptor());
      case MountOperation.Symlink link ->
          "symlink %s %s".formatted(link.target(), link.destination());
      case MountOperation.Tmpfs tmpfs -> "tmpfs " + tmpfs.destination();
      case MountOperation.Permissions permissions ->
          "chmod 0%o %s".formatted(permissions.mode(), permissions.destination());
      case MountOperation.RemountReadOnly remount -> "remount-ro " + remount.destination();
      case MountOperation.MessageQueues queues -> "mqueue " + queues.destination();
      case MountOperation.Overlay overlay -> text(overlay);
      case MountOperation.Directory directory -> "dir " + directory.destination();
      case MountOperation.Proc proc -> "proc " + proc.destination();
      case MountOperation.Devices devices -> "dev " + devices.destination();
    };
  }

  private static String text(MountOperation.Overlay overlay) {
    StringBuilder text = new StringBuilder();
    for (MountOperation.Source layer : overlay.layers()) {
      text.append("overlay-src ").append(layer.path()).append(' ');
    }
    if (overlay.changes().kept().isPresent()) {
      MountOperation.KeptChanges kept = overlay.changes().kept().get();
      text.append("overlay ").append(kept.upper().path()).append(' ').append(kept.work().path());
    } else {
      text.append(overlay.changes().allowed() ? "tmp-overlay" : "ro-overlay");
    }
    return text.append(' ').append(overlay.destination()).toString();
  }

  /** As the options are called. */
  private static String access(Access access) {
    return switch (access) {
      case READ_WRITE -> "bind";
      case READ_ONLY -> "ro-bind";
      case DEVICES -> "dev-bind";
    };
  }
}
