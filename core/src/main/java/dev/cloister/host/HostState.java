package dev.cloister.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A line that differs whenever what was found out about a host may no longer hold.
 *
 * @param text without line breaks
 */
public record HostState(String text) {
  /** The kernel's files that say it, each shorter than a page. */
  public static final List<String> FILES =
      List.of(
          "/proc/sys/kernel/random/boot_id",
          "/proc/sys/kernel/osrelease",
          "/proc/sys/user/max_user_namespaces",
          "/proc/sys/kernel/unprivileged_userns_clone",
          "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
          "/proc/sys/vm/memfd_noexec",
          "/proc/self/attr/current");

  private static final List<String> NAMESPACES =
      List.of("/proc/self/ns/mnt", "/proc/self/ns/user", "/proc/self/ns/pid");

  /**
   * Reads what there is to read: boot, kernel, limits, security labels, namespaces, the root, the
   * caller's rights and the tools.
   *
   * @param program Cloister's own version
   */
  public static HostState of(HostReport host, String program) {
    List<String> facts = new ArrayList<>(List.of(program, host.caller().toString()));
    FILES.forEach(file -> facts.add(KernelFile.read(Path.of(file)).orElse("")));
    NAMESPACES.forEach(link -> facts.add(target(Path.of(link))));
    if (!HostFiles.hasProc()) {
      // What cannot be compared is never the same.
      facts.add("at " + System.nanoTime());
    }
    facts.add(attributes(Path.of("/")));
    host.bwrap()
        .flatMap(bwrap -> bwrap.path().toPath())
        .ifPresent(path -> facts.add(path + " " + attributes(path)));
    return new HostState(String.join(";", facts).replace('\n', ' '));
  }

  private static String target(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return "";
    }
  }

  private static String attributes(Path file) {
    try {
      Map<String, Object> attributes = Files.readAttributes(file, "unix:dev,ino,ctime");
      // Not as text: writing a date takes the JVM a millisecond when it has just started.
      long changed =
          attributes.get("ctime") instanceof FileTime time ? time.to(TimeUnit.NANOSECONDS) : 0;
      return attributes.get("dev") + " " + attributes.get("ino") + " " + changed;
    } catch (IOException e) {
      return "";
    }
  }
}
