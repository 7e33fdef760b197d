package dev.cloister.host;

import dev.cloister.spec.OsString;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * What strategies need to know of the host, as data.
 *
 * @param protectedProc the entries of {@code /proc} that must be read-only and exist here; where no
 *     {@code /proc} is mounted, all that may
 * @param bwrap the bubblewrap executable, if one is installed
 * @param links what a symbolic link of the host says; empty for what is none
 * @param workarounds what plans must do differently here
 * @param allowance what the caller may use of the machine
 * @param anyOf present where the plan is for every caller of this kind, on whatever ordinary host
 */
public record HostReport(
    Caller caller,
    List<String> protectedProc,
    Optional<Bwrap> bwrap,
    Function<OsString, Optional<OsString>> links,
    Set<Workaround> workarounds,
    Allowance allowance,
    Optional<CallerKind> anyOf) {
  public HostReport {
    protectedProc = List.copyOf(protectedProc);
    workarounds = Workaround.copy(workarounds);
  }

  /** An ordinary host. */
  public HostReport(
      Caller caller,
      List<String> protectedProc,
      Optional<Bwrap> bwrap,
      Function<OsString, Optional<OsString>> links) {
    this(caller, protectedProc, bwrap, links, Set.of(), Allowance.UNKNOWN, Optional.empty());
  }

  /** Any ordinary host, where any caller of this kind runs what is planned. */
  public static HostReport anyFor(CallerKind kind) {
    return new HostReport(
        kind.example(),
        PROTECTED_PROC,
        Optional.empty(),
        _ -> Optional.empty(),
        Set.of(),
        Allowance.UNKNOWN,
        Optional.of(kind));
  }

  /** The same host, where plans must do these things differently. */
  public HostReport with(Set<Workaround> needed) {
    return new HostReport(caller, protectedProc, bwrap, links, needed, allowance, anyOf);
  }

  /** The same host, called by somebody else. */
  public HostReport with(Caller other) {
    return new HostReport(other, protectedProc, bwrap, links, workarounds, allowance, anyOf);
  }

  /** The same host with another bubblewrap. */
  public HostReport with(Bwrap other) {
    return new HostReport(
        caller, protectedProc, Optional.of(other), links, workarounds, allowance, anyOf);
  }

  /** The same host, where the caller may use that much. */
  public HostReport with(Allowance other) {
    return new HostReport(caller, protectedProc, bwrap, links, workarounds, other, anyOf);
  }

  /** Whether plans must do this differently here. */
  public boolean needs(Workaround workaround) {
    return workarounds.contains(workaround);
  }

  /** Through these a process that is really root can change the kernel or reach devices. */
  private static final List<String> PROTECTED_PROC = List.of("sys", "irq", "bus", "sysrq-trigger");

  /**
   * Looks at this host. Starts no process.
   *
   * @param path where to look for tools: a value of PATH
   */
  public static HostReport of(Caller caller, String path) {
    List<String> protectedProc = new ArrayList<>(PROTECTED_PROC);
    if (HostFiles.hasProc()) {
      protectedProc.removeIf(name -> !Files.exists(Path.of("/proc", name)));
    }
    return new HostReport(
        caller,
        protectedProc,
        Bwrap.find(path),
        HostReport::readLink,
        Set.of(),
        new CallerAllowance(Path.of("/")),
        Optional.empty());
  }

  private static Optional<OsString> readLink(OsString path) {
    return path.toPath()
        .filter(Files::isSymbolicLink)
        .flatMap(
            link -> {
              try {
                return Optional.of(OsString.of(Files.readSymbolicLink(link)));
              } catch (IOException e) {
                return Optional.empty();
              }
            });
  }
}
