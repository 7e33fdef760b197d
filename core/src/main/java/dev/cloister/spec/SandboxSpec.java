package dev.cloister.spec;

import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A sandbox, completely: what {@link dev.cloister.spec} calls the whole wish, before any host or
 * strategy is considered.
 *
 * @param workingDirectory where the command starts; if empty, where the caller is if that exists
 *     inside, else its home, else the root
 * @param hostname needs {@link Namespace#UTS}
 */
public record SandboxSpec(
    List<MountOperation> mounts,
    Set<Namespace> namespaces,
    Identity identity,
    EnvironmentRules environment,
    Optional<OsString> workingDirectory,
    Optional<OsString> hostname) {

  public SandboxSpec {
    mounts = List.copyOf(mounts);
    namespaces = Set.copyOf(namespaces);
    if (hostname.isPresent() && !namespaces.contains(Namespace.UTS)) {
      throw new IllegalArgumentException("a host name needs a UTS namespace of its own");
    }
  }

  /** An empty root, the caller's identity and environment. */
  public static Builder builder() {
    return new Builder();
  }

  /** The same with these mounts after all others. */
  public SandboxSpec withMounts(List<? extends MountOperation> more) {
    List<MountOperation> all = new ArrayList<>(mounts);
    all.addAll(more);
    return new SandboxSpec(all, namespaces, identity, environment, workingDirectory, hostname);
  }

  /** Collects a specification; not thread-safe. */
  public static final class Builder {
    private final List<MountOperation> mounts = new ArrayList<>();
    private final Set<Namespace> namespaces = EnumSet.noneOf(Namespace.class);
    private Identity identity = Identity.CALLER;
    private EnvironmentRules environment = EnvironmentRules.INHERIT;
    private Optional<OsString> workingDirectory = Optional.empty();
    private Optional<OsString> hostname = Optional.empty();

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

    /** Gives the sandbox a host name, and the UTS namespace it needs. */
    public Builder hostname(OsString value) {
      hostname = Optional.of(value);
      return unshare(Namespace.UTS);
    }

    public SandboxSpec build() {
      return new SandboxSpec(mounts, namespaces, identity, environment, workingDirectory, hostname);
    }
  }
}
