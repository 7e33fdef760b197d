package dev.cloister.recipe;

import dev.cloister.spec.Destination;
import dev.cloister.spec.OsString;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What is known, while planning, of a place in the new root. The new root starts as an empty tmpfs
 * that nobody else can reach, so what the program makes there is known exactly and needs no look-up
 * at run time.
 */
final class Node {
  /** What a node is. */
  enum Kind {
    /** A directory the program made: all its entries are known. */
    DIRECTORY,
    /** A symbolic link the program made. */
    SYMLINK,
    /** Something of the host's: what is below it can only be found out at run time. */
    OPAQUE
  }

  private final Kind kind;

  private final boolean mounted;

  private final Optional<OsString> target;
  private final Map<OsString, Node> children = new HashMap<>();

  private Node(Kind kind, boolean mounted, Optional<OsString> target) {
    this.kind = kind;
    this.mounted = mounted;
    this.target = target;
  }

  static Node directory() {
    return new Node(Kind.DIRECTORY, false, Optional.empty());
  }

  static Node tmpfs() {
    return new Node(Kind.DIRECTORY, true, Optional.empty());
  }

  static Node opaque() {
    return new Node(Kind.OPAQUE, false, Optional.empty());
  }

  static Node symlink(OsString target) {
    return new Node(Kind.SYMLINK, false, Optional.of(target));
  }

  /** The same place, when what is in it may have changed in a way that cannot be foreseen. */
  Node forgotten() {
    return new Node(Kind.OPAQUE, mounted, Optional.empty());
  }

  Kind kind() {
    return kind;
  }

  /** Whether it is the root of a tmpfs of the program's own, whatever is known of what is in it. */
  boolean isMounted() {
    return mounted;
  }

  /** What a symbolic link says. */
  Optional<OsString> target() {
    return target;
  }

  void put(OsString name, Node child) {
    children.put(name, child);
  }

  /** The node at {@code path} below this one, if the way to it and itself are known. */
  Optional<Node> find(Destination path) {
    Optional<Node> node = Optional.of(this);
    for (OsString name : path.components()) {
      node = node.flatMap(n -> Optional.ofNullable(n.children.get(name)));
    }
    return node;
  }

  /** Whether the way to {@code path} leads through nothing but directories the program made. */
  boolean knows(Destination path) {
    Node node = this;
    for (OsString name : path.components()) {
      if (node.kind != Kind.DIRECTORY) {
        return false;
      }
      Node child = node.children.get(name);
      if (child == null) {
        return true;
      }
      node = child;
    }
    return true;
  }
}
