package dev.cloister.spec;

import dev.cloister.ffm.LinuxConstant;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * What the command may still do to the kernel. By default it has no capability, may make user
 * namespaces of its own, and no filter looks at its system calls.
 *
 * @param capabilities which it has, in its own user namespace ({@code CAP_...})
 * @param userNamespaces whether it may make more of them
 * @param filters seccomp filters in the order in which they are installed; all apply
 */
public record Privileges(
    Set<LinuxConstant> capabilities, UserNamespaces userNamespaces, List<SeccompFilter> filters) {
  /** The default. */
  public static final Privileges NONE =
      new Privileges(Set.of(), UserNamespaces.UNCHANGED, List.of());

  /** What becomes of the right to make user namespaces. */
  public enum UserNamespaces {
    /** The kernel decides. */
    UNCHANGED,
    /** The command cannot make any: {@code --disable-userns}. */
    DISABLED,
    /** The sandbox is not made unless the command cannot make any. */
    ASSERTED_DISABLED
  }

  public Privileges {
    // In the order of their numbers, and so the same in every JVM.
    capabilities =
        capabilities.isEmpty()
            ? Set.of()
            : Collections.unmodifiableSet(EnumSet.copyOf(capabilities));
    filters = List.copyOf(filters);
  }

  /** The same with these capabilities and no others. */
  public Privileges withCapabilities(Set<LinuxConstant> which) {
    return new Privileges(which, userNamespaces, filters);
  }

  public Privileges withUserNamespaces(UserNamespaces which) {
    return new Privileges(capabilities, which, filters);
  }

  /** The same with these filters and no others. */
  public Privileges withFilters(List<SeccompFilter> which) {
    return new Privileges(capabilities, userNamespaces, which);
  }
}
