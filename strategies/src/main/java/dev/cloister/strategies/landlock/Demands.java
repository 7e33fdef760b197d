package dev.cloister.strategies.landlock;

import dev.cloister.ffm.LinuxConstant;
import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.spec.Destination;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.MountOperation.Access;
import dev.cloister.spec.MountOperation.Bind;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.SandboxSpec;
import dev.cloister.strategy.Assessment;
import dev.cloister.strategy.Assessment.Unusable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds what a specification asks for that takes more than forbidding files where they are. */
final class Demands {
  private static final Destination DEV = Destination.of("/dev");

  /** There are no devices in it, but files that everybody may make. */
  private static final Destination SHARED_MEMORY = Destination.of("/dev/shm");

  private static final String OTHER_STRATEGY =
      "use a strategy that makes mounts (`cloister probe` says what stands against them)";

  private final SandboxSpec spec;
  private final HostReport host;

  Demands(SandboxSpec spec, HostReport host) {
    this.spec = spec;
    this.host = host;
  }

  Assessment assess() {
    Optional<Unusable> found =
        namespace().or(this::process).or(this::identity).or(this::mount).or(this::order);
    return found.isPresent() ? found.get() : Assessment.USABLE;
  }

  private static Optional<Unusable> refused(String reason, String remedy) {
    return Optional.of(new Unusable(reason, remedy));
  }

  private Optional<Unusable> namespace() {
    for (Namespace namespace : Namespace.values()) {
      if (spec.namespaces().contains(namespace)) {
        return refused(
            "Landlock gives the command no %s namespace of its own".formatted(namespace.word()),
            "leave out what asks for it, or allow namespaces (`cloister probe` says what forbids"
                + " them)");
      }
    }
    return Optional.empty();
  }

  /** The place to allow what the program of {@link Landlock#plan} learns to do. */
  private Optional<Unusable> process() {
    Privileges privileges = spec.privileges();
    if (!privileges.equals(Privileges.NONE.withFilters(privileges.filters()))) {
      return unsupported("capabilities and user namespaces");
    }
    if (!spec.processes().locks().isEmpty()) {
      return unsupported("--lock-file");
    }
    if (spec.given().any()) {
      return unsupported("namespaces that are given");
    }
    if (spec.reports().any()) {
      return unsupported("--info-fd and --json-status-fd: there are no namespaces to report");
    }
    return spec.limits().needCgroup() ? unsupported("limits that need a cgroup") : Optional.empty();
  }

  private static Optional<Unusable> unsupported(String what) {
    return refused(
        "the landlock strategy does not support " + what, "leave them out, or " + OTHER_STRATEGY);
  }

  private Optional<Unusable> identity() {
    Caller caller = host.caller();
    long uid = spec.identity().uid().orElse(caller.uid());
    long gid = spec.identity().gid().orElse(caller.gid());
    if (uid != caller.uid() && !caller.has(LinuxConstant.CAP_SETUID)) {
      return otherId("user", "CAP_SETUID", "--uid");
    }
    return gid != caller.gid() && !caller.has(LinuxConstant.CAP_SETGID)
        ? otherId("group", "CAP_SETGID", "--gid")
        : Optional.empty();
  }

  private static Optional<Unusable> otherId(String kind, String capability, String option) {
    return refused(
        "without a user namespace, a caller without %s cannot have another %s id"
            .formatted(capability, kind),
        "leave out %s and --map-root-user, or allow user namespaces".formatted(option));
  }

  private Optional<Unusable> mount() {
    for (MountOperation mount : spec.mounts()) {
      Optional<Unusable> found =
          switch (mount) {
            case Bind bind -> bind(bind);
            case MountOperation.Symlink link -> symlink(link);
            case MountOperation.Tmpfs tmpfs ->
                refused(
                    "Landlock cannot put an empty tmpfs at " + tmpfs.destination(),
                    OTHER_STRATEGY
                        + "; one over the directory of Cloister's launchers is needed where that is"
                        + " bound writable: bind a part of it that does not hold them, or set TMPDIR to a"
                        + " directory that is not bound");
            case MountOperation.Directory directory ->
                refused(
                    "Landlock cannot make " + directory.destination() + " for the sandbox alone",
                    OTHER_STRATEGY + ", or --strategy landlock, whose --preset host has no /tmp");
            case MountOperation.Proc proc ->
                refused(
                    "Landlock cannot make a /proc at " + proc.destination(),
                    "bind the host's instead: --ro-bind /proc /proc");
            case MountOperation.DataFile file -> data(file.destination());
            case MountOperation.DataBind data -> data(data.destination());
            case MountOperation.LateBind _,
                MountOperation.AsOnHost _,
                MountOperation.HideLaunchers _ ->
                refused("Landlock cannot decide about what is not looked at yet", OTHER_STRATEGY);
            case MountOperation.Devices devices ->
                refused(
                    "Landlock cannot make a /dev at " + devices.destination(),
                    "bind single devices instead: --dev-bind /dev/null /dev/null");
          };
      if (found.isPresent()) {
        return found;
      }
    }
    return Optional.empty();
  }

  private static Optional<Unusable> data(Destination destination) {
    return refused(
        "Landlock cannot put data at " + destination + " for the sandbox alone", OTHER_STRATEGY);
  }

  private Optional<Unusable> bind(Bind bind) {
    if (bind.source().descriptor().isPresent()) {
      return refused(
          "Landlock allows what paths lead to, and cannot prove that descriptor %d does, too"
              .formatted(bind.source().descriptor().getAsInt()),
          "bind the path instead, or " + OTHER_STRATEGY);
    }
    Optional<Rule> rule = Rule.of(bind, host);
    if (rule.isEmpty()) {
      return elsewhere(bind);
    }
    Destination place = rule.get().place();
    boolean showsDevices =
        DEV.isAtOrBelow(place) || (place.isAtOrBelow(DEV) && !place.isAtOrBelow(SHARED_MEMORY));
    return showsDevices && bind.access() != Access.DEVICES
        ? refused(
            "Landlock cannot close the devices in " + place + " and leave the rest of it open",
            "bind less than that, or --dev-bind " + place + " " + place)
        : Optional.empty();
  }

  private static Optional<Unusable> elsewhere(Bind bind) {
    return refused(
        "Landlock cannot show %s at another place, %s"
            .formatted(bind.source().path(), bind.destination()),
        "bind it where it is, or " + OTHER_STRATEGY);
  }

  private Optional<Unusable> symlink(MountOperation.Symlink link) {
    return host.links().apply(link.destination().absolute()).equals(Optional.of(link.target()))
        ? Optional.empty()
        : refused(
            "Landlock cannot make %s a symbolic link to %s, which it is not on this host"
                .formatted(link.destination(), link.target()),
            OTHER_STRATEGY);
  }

  /**
   * What is in several binds has the rights of all of them, where it should have those of the last:
   * an earlier one must not allow more.
   */
  private Optional<Unusable> order() {
    List<Rule> earlier = new ArrayList<>();
    for (MountOperation mount : spec.mounts()) {
      if (mount instanceof Bind bind) {
        Optional<Rule> known = Rule.of(bind, host);
        if (known.isEmpty()) {
          // A link on its way has changed since it was judged.
          return elsewhere(bind);
        }
        Rule rule = known.get();
        for (Rule other : earlier) {
          if (rule.overlaps(other) && allowsMore(other.access(), rule.access())) {
            return refused(
                "Landlock adds up what binds allow: %s cannot be %s where %s is %s"
                    .formatted(
                        rule.place(), word(rule.access()), other.place(), word(other.access())),
                "bind the two apart from each other, or " + OTHER_STRATEGY);
          }
        }
        earlier.add(rule);
      }
    }
    return Optional.empty();
  }

  private static boolean allowsMore(Access one, Access other) {
    return switch (one) {
      case READ_ONLY -> false;
      case READ_WRITE -> other == Access.READ_ONLY;
      case DEVICES -> other != Access.DEVICES;
    };
  }

  private static String word(Access access) {
    return switch (access) {
      case READ_ONLY -> "read-only";
      case READ_WRITE -> "writable without devices";
      case DEVICES -> "writable with devices";
    };
  }
}
