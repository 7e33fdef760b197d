package dev.cloister.recipe;

import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.host.Workaround;
import dev.cloister.spec.GivenNamespaces;
import dev.cloister.spec.MountOperation;
import dev.cloister.spec.Namespace;
import dev.cloister.spec.Privileges;
import dev.cloister.spec.SandboxSpec;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which user namespaces there are, and which of them owns what: a capability counts only over what
 * is owned by the user namespace that one has it in (user_namespaces(7)). It is decided here, once
 * for all steps that go by it.
 *
 * <p>A caller without CAP_SYS_ADMIN first becomes root of a user namespace of its own, which owns
 * the mounts; a caller that has it makes the mounts as itself, so that it can read its sources. In
 * both cases the command gets one more user namespace at the end: it owns nothing, so a capability
 * in it cannot touch the mounts. Where none can be made ({@link Workaround#NO_USER_NAMESPACE}), the
 * command stays in the caller's, without capabilities.
 *
 * <p>Where the caller gives a user namespace, the command is in that one and gets no other ({@link
 * Joining}); and where somebody else maps the ids of the first one, that is the command's.
 *
 * <p>With capabilities that are asked for, the last user namespace owns the network, the host name
 * and the IPC of the sandbox if they are its own, as else there was nothing to use them on; but not
 * an IPC namespace whose message queues are mounted.
 */
final class Ownership {
  private final Caller caller;
  private final boolean noneCanBeMade;
  private final SandboxSpec spec;
  private final GivenNamespaces given;
  private final Joining joining;

  Ownership(HostReport host, SandboxSpec spec, Joining joining) {
    this.caller = host.caller();
    this.noneCanBeMade = host.needs(Workaround.NO_USER_NAMESPACE);
    this.spec = spec;
    this.given = spec.given();
    this.joining = joining;
  }

  /** Whether all is made in a new user namespace. */
  boolean startsInNew() {
    return !caller.isPrivileged() && given.user().isEmpty();
  }

  /** Whether all is made in a user namespace that somebody else maps. */
  boolean startsUnmapped() {
    return startsInNew() && given.mapped().isPresent();
  }

  /** Whether all is made in a user namespace that was given. */
  private boolean startsInGiven() {
    return given.user().isPresent() && !joining.userComesLast();
  }

  /** Whether all is made in a user namespace whose ids others map, or have mapped. */
  boolean startsMappedByOthers() {
    return startsInGiven() || startsUnmapped();
  }

  /** Whether the user namespace that all is made in is the command's, too. */
  boolean commandOwnsMounts() {
    return startsUnmapped() || (startsInGiven() && given.last().isEmpty());
  }

  /** Whether the command's user namespace is the caller's, if it is not one that was given. */
  boolean commandStaysInCallers() {
    return noneCanBeMade || spec.privileges().authority().isCallers();
  }

  /** Whether the command's user namespace is a new one, which nobody else has. */
  boolean commandHasItsOwn() {
    return !given.userIsShared() && !commandOwnsMounts() && !commandStaysInCallers();
  }

  /** What is made first, and owned by the user namespace that all is made in. */
  NewNamespaces madeFirst() {
    Set<Namespace> first = new TreeSet<>(spec.namespaces());
    if (!commandOwnsMounts()) {
      first.removeAll(ownedByLast(spec));
    }
    if (given.pid().isPresent()) {
      // Below that one, which this process is not in: ProcessTree.
      first.remove(Namespace.PID);
    }
    if (spec.limits().needCgroup()) {
      // It shows the cgroup that its maker is in, which shall be the sandbox's: ProcessTree.
      first.remove(Namespace.CGROUP);
    }
    return madeFirst(first);
  }

  /** These as what is made first: with the mount namespace, and what must own them. */
  NewNamespaces madeFirst(Set<Namespace> namespaces) {
    NewNamespaces made = NewNamespaces.of(namespaces).withMounts();
    return startsInNew() ? made.withUser() : made;
  }

  /** What is made last, and owned by the command's user namespace. */
  NewNamespaces madeLast() {
    return commandOwnsMounts() ? NewNamespaces.NONE : NewNamespaces.of(ownedByLast(spec));
  }

  /**
   * What a last user namespace owns where there is one. Others cannot be made so late: process ids
   * must be there for the mounts, and cgroups are no capability's.
   */
  static Set<Namespace> ownedByLast(SandboxSpec spec) {
    Set<Namespace> last = new TreeSet<>();
    Privileges privileges = spec.privileges();
    if (!privileges.capabilities().isEmpty() && !privileges.authority().isCallers()) {
      last.addAll(spec.namespaces());
      last.retainAll(List.of(Namespace.NET, Namespace.IPC, Namespace.UTS));
      if (mountsQueues(spec)) {
        last.remove(Namespace.IPC);
      }
    }
    return last;
  }

  /** The queues that are mounted are those of the IPC namespace that is there by then. */
  private static boolean mountsQueues(SandboxSpec spec) {
    for (MountOperation mount : spec.mounts()) {
      if (mount instanceof MountOperation.MessageQueues) {
        return true;
      }
    }
    return false;
  }
}
