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
 * @param ownUserNamespace whether it must have a user namespace of its own; it has one wherever one
 *     can be made, in any case
 * @param userNamespaces whether it may make more of them
 * @param filters seccomp filters in the order in which they are installed; all apply
 */
public record Privileges(
    Set<LinuxConstant> capabilities,
    boolean ownUserNamespace,
    UserNamespaces userNamespaces,
    List<SeccompFilter> filters) {
  /** The default. */
  public static final Privileges NONE =
      new Privileges(Set.of(), false, UserNamespaces.UNCHANGED, List.of());

  /** Every capability there is (capabilities(7)); an older kernel may not know the last ones. */
  public static Set<LinuxConstant> allCapabilities() {
    return EnumSet.range(LinuxConstant.CAP_CHOWN, LinuxConstant.CAP_CHECKPOINT_RESTORE);
  }

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
    if (!capabilities.isEmpty() && !allCapabilities().containsAll(capabilities)) {
      throw new IllegalArgumentException("not all of these are capabilities: " + capabilities);
    }
    // In the order of their numbers, and so the same in every JVM.
    capabilities =
        capabilities.isEmpty()
            ? Set.of()
            : Collections.unmodifiableSet(EnumSet.copyOf(capabilities));
    filters = List.copyOf(filters);
  }

  /** The same with these capabilities and no others. */
  public Privileges withCapabilities(Set<LinuxConstant> which) {
    return new Privileges(which, ownUserNamespace, userNamespaces, filters);
  }

  /** The same, refused where the command cannot have a user namespace of its own. */
  public Privileges withOwnUserNamespace() {
    return new Privileges(capabilities, true, userNamespaces, filters);
  }

  public Privileges withUserNamespaces(UserNamespaces which) {
    return new Privileges(capabilities, ownUserNamespace, which, filters);
  }

  /** The same with these filters and no others. */
  public Privileges withFilters(List<SeccompFilter> which) {
    return new Privileges(capabilities, ownUserNamespace, userNamespaces, which);
  }
}
