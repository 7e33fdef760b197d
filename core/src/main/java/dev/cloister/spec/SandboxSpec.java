package dev.cloister.spec;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * A sandbox, completely: what {@link dev.cloister.spec} calls the whole wish, before any host or
 * strategy is considered.
 *
 * @param workingDirectory where the command starts; if empty, where the caller is if that exists
 *     inside, else its home, else the root
 * @param hostname needs {@link Namespace#UTS}
 * @param processes how its processes live and end
 * @param privileges what the command may still do to the kernel
 * @param limits what it may use of the machine
 * @param handover what the launcher is given, and by whom
 * @param descriptors what it does with those that a person or a script left open for it
 * @param given namespaces that are not its own
 * @param reports who is told what was made
 */
public record SandboxSpec(
    List<MountOperation> mounts,
    Set<Namespace> namespaces,
    Identity identity,
    EnvironmentRules environment,
    Optional<OsString> workingDirectory,
    Optional<OsString> hostname,
    Processes processes,
    Privileges privileges,
    Limits limits,
    Handover handover,
    CallerDescriptors descriptors,
    GivenNamespaces given,
    Reports reports) {

  public SandboxSpec {
    mounts = List.copyOf(mounts);
    namespaces = Set.copyOf(namespaces);
    if (hostname.isPresent() && !namespaces.contains(Namespace.UTS)) {
      throw new IllegalArgumentException("a host name needs a UTS namespace of its own");
    }
    if (processes.commandIsInit() && !namespaces.contains(Namespace.PID)) {
      throw new IllegalArgumentException("process 1 needs a pid namespace of its own");
    }
    if (processes.commandIsInit() && !processes.locks().isEmpty()) {
      throw new IllegalArgumentException("a command that is process 1 cannot hold locks");
    }
    if (handover.channels() && !descriptors.equals(CallerDescriptors.NONE)) {
      throw new IllegalArgumentException("a library hands over what its launchers use");
    }
  }

  /** Whether the kernel takes this as a host name: __NEW_UTS_LEN of linux/utsname.h. */
  public static boolean isHostname(OsString name) {
    return !name.isEmpty() && name.length() <= 64;
  }

  /** An empty root, the caller's identity and environment. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with these mounts after all others. */
  public SandboxSpec withMounts(List<? extends MountOperation> more) {
    List<MountOperation> all = new ArrayList<>(mounts);
    all.addAll(more);
    return withOnlyMounts(all);
  }

  /** The same with these mounts, and no others. */
  public SandboxSpec withOnlyMounts(List<? extends MountOperation> others) {
    return new SandboxSpec(
        List.copyOf(others),
        namespaces,
        identity,
        environment,
        workingDirectory,
        hostname,
        processes,
        privileges,
        limits,
        handover,
        descriptors,
        given,
        reports);
  }

  /** The same for such a starter. */
  public SandboxSpec with(Handover other) {
    return new SandboxSpec(
        mounts,
        namespaces,
        identity,
        environment,
        workingDirectory,
        hostname,
        processes,
        privileges,
        limits,
        other,
        descriptors,
        given,
        reports);
  }

  /** Collects a specification; not thread-safe. */
  public static final class Builder {
    private final List<MountOperation> mounts = new ArrayList<>();
    // No set of the enum's: the first asks for its constants by reflection, which takes a starting
    // JVM a millisecond.
    private final Set<Namespace> namespaces = new TreeSet<>();
    private Identity identity = Identity.CALLER;
    private EnvironmentRules environment = EnvironmentRules.INHERIT;
    private Optional<OsString> workingDirectory = Optional.empty();
    private Optional<OsString> hostname = Optional.empty();
    private Processes processes = Processes.PLAIN;
    private Privileges privileges = Privileges.NONE;
    private Limits limits = Limits.NONE;
    private CallerDescriptors descriptors = CallerDescriptors.NONE;
    private GivenNamespaces given = GivenNamespaces.NONE;
    private Reports reports = Reports.NONE;

    private Builder() {}

    public Builder mount(MountOperation operation) {
      mounts.add(operation);
      return this;
    }

    public Builder mounts(Collection<? extends MountOperation> operations) {
      mounts.addAll(operations);
      return this;
    }

    public Builder unshare(Namespace namespace) {
      namespaces.add(namespace);
      return this;
    }

    /** Takes back a wish for a namespace: it is the caller's again. */
    public Builder share(Namespace namespace) {
      namespaces.remove(namespace);
      return this;
    }

    /** Whether a namespace is asked for. */
    public boolean unshares(Namespace namespace) {
      return namespaces.contains(namespace);
    }

    public Builder identity(Identity value) {
      identity = value;
      return this;
    }

    public Builder environment(EnvironmentRules value) {
      environment = value;
      return this;
    }

    public Builder workingDirectory(OsString value) {
      workingDirectory = Optional.of(value);
      return this;
    }

    /**
     * Gives the sandbox a host name, and the UTS namespace it needs.
     *
     * @throws IllegalArgumentException if {@link #isHostname} says no
     */
    public Builder hostname(OsString value) {
      if (!isHostname(value)) {
        throw new IllegalArgumentException("a host name must have 1 to 64 bytes");
      }
      hostname = Optional.of(value);
      return unshare(Namespace.UTS);
    }

    /** Changes how the processes live and end. */
    public Builder processes(UnaryOperator<Processes> change) {
      processes = change.apply(processes);
      return this;
    }

    /** What the command may still do to the kernel, so far. */
    public Privileges privileges() {
      return privileges;
    }

    /** Says what the command may still do to the kernel. */
    public Builder privileges(Privileges value) {
      privileges = value;
      return this;
    }

    /** Changes what the command may still do to the kernel. */
    public Builder privileges(UnaryOperator<Privileges> change) {
      privileges = change.apply(privileges);
      return this;
    }

    /** Changes what the command may use of the machine. */
    public Builder limits(UnaryOperator<Limits> change) {
      limits = change.apply(limits);
      return this;
    }

    /** Changes what is done with the caller's descriptors. */
    public Builder descriptors(UnaryOperator<CallerDescriptors> change) {
      descriptors = change.apply(descriptors);
      return this;
    }

    /** Changes which namespaces are not the sandbox's own. */
    public Builder given(UnaryOperator<GivenNamespaces> change) {
      given = change.apply(given);
      return this;
    }

    /** Changes who is told what was made. */
    public Builder reports(UnaryOperator<Reports> change) {
      reports = change.apply(reports);
      return this;
    }

    public SandboxSpec build() {
      return new SandboxSpec(
          mounts,
          namespaces,
          identity,
          environment,
          workingDirectory,
          hostname,
          processes,
          privileges,
          limits,
          Handover.NONE,
          descriptors,
          given,
          reports);
    }
  }
}
