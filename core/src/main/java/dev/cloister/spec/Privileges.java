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
 * @param capabilities which it has ({@code CAP_...})
 * @param authority over what it has them
 * @param ownUserNamespace whether it must have a user namespace of its own; it has one wherever one
 *     can be made, in any case
 * @param userNamespaces whether it may make more of them
 * @param filters seccomp filters in the order in which they are installed; all apply
 */
public record Privileges(
    Set<LinuxConstant> capabilities,
    Authority authority,
    boolean ownUserNamespace,
    UserNamespaces userNamespaces,
    List<SeccompFilter> filters) {
  /** The default. */
  public static final Privileges NONE =
      new Privileges(Set.of(), Authority.OWN_NAMESPACE, false, UserNamespaces.UNCHANGED, List.of());

  /** Every capability there is (capabilities(7)); an older kernel may not know the last ones. */
  public static Set<LinuxConstant> allCapabilities() {
    return EnumSet.range(LinuxConstant.CAP_CHOWN, LinuxConstant.CAP_CHECKPOINT_RESTORE);
  }

  /** Over what the command has its capabilities. */
  public enum Authority {
    /** Its own user namespace, which owns nothing but what was made for it. */
    OWN_NAMESPACE,
    /** What the caller has them over, as it stays in the caller's user namespace. */
    CALLERS,
    /** The same; and the command has all that the caller has, whatever that is. */
    ALL_OF_CALLERS;

    /** Whether the command stays in the caller's user namespace, with the caller's ids. */
    public boolean isCallers() {
      return this != OWN_NAMESPACE;
    }
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
    return new Privileges(which, authority, ownUserNamespace, userNamespaces, filters);
  }

  /** The same with these capabilities over that. */
  public Privileges withAuthority(Authority over, Set<LinuxConstant> which) {
    return new Privileges(which, over, ownUserNamespace, userNamespaces, filters);
  }

  /** The same, refused where the command cannot have a user namespace of its own. */
  public Privileges withOwnUserNamespace() {
    return new Privileges(capabilities, authority, true, userNamespaces, filters);
  }

  public Privileges withUserNamespaces(UserNamespaces which) {
    return new Privileges(capabilities, authority, ownUserNamespace, which, filters);
  }

  /** The same with these filters and no others. */
  public Privileges withFilters(List<SeccompFilter> which) {
    return new Privileges(capabilities, authority, ownUserNamespace, userNamespaces, which);
  }
}
