package dev.cloister.spec;

import java.util.OptionalInt;

/**
 * Namespaces that are not the sandbox's own, or not wholly: the caller has made them and gives them
 * to the sandbox, each as a descriptor of its file in {@code /proc/PID/ns} (namespaces(7)), by its
 * number.
 *
 * @param user the user namespace in place of a new one; without {@code pid}, it owns the mounts
 * @param last the user namespace that the command is put into in the end, if that is another
 * @param pid the pid namespace that the sandbox's processes are in; a new one is made below it
 * @param mapped no namespace, but what can be read, or is at its end, once somebody else has
 *     written the id maps of the user namespace that is made (user_namespaces(7))
 */
public record GivenNamespaces(
    OptionalInt user, OptionalInt last, OptionalInt pid, OptionalInt mapped) {
  /** All are the sandbox's own. */
  public static final GivenNamespaces NONE =
      new GivenNamespaces(
          OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty());

  public GivenNamespaces {
    if (mapped.isPresent() && (user.isPresent() || last.isPresent() || pid.isPresent())) {
      throw new IllegalArgumentException("others map a new user namespace, and no other");
    }
  }

  /** The same with this user namespace. */
  public GivenNamespaces withUser(int descriptor) {
    return new GivenNamespaces(OptionalInt.of(descriptor), last, pid, mapped);
  }

  /** The same with this user namespace for the command. */
  public GivenNamespaces withLast(int descriptor) {
    return new GivenNamespaces(user, OptionalInt.of(descriptor), pid, mapped);
  }

  /** The same in this pid namespace. */
  public GivenNamespaces withPid(int descriptor) {
    return new GivenNamespaces(user, last, OptionalInt.of(descriptor), mapped);
  }

  /** The same with a new user namespace that somebody else maps, and says so here. */
  public GivenNamespaces mappedBy(int descriptor) {
    return new GivenNamespaces(user, last, pid, OptionalInt.of(descriptor));
  }

  /** Whether there is anything that others have made or do. */
  public boolean any() {
    return shared() || mapped.isPresent();
  }

  /** Whether the sandbox shares a namespace with other processes of the caller's choice. */
  public boolean shared() {
    return user.isPresent() || last.isPresent() || pid.isPresent();
  }

  /** Whether the command's user namespace is one that the caller gave. */
  public boolean userIsShared() {
    return user.isPresent() || last.isPresent();
  }
}
