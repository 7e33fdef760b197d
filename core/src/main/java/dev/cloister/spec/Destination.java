package dev.cloister.spec;

import java.util.ArrayList;
import java.util.List;

/**
 * An absolute path below the new root, in components. Never resolved on the host.
 *
 * @param components names without {@code /}, none empty, {@code .} or {@code ..}; empty for the
 *     root
 */
public record Destination(List<OsString> components) {
  /** PATH_MAX of linux/limits.h, without the NUL at the end. */
  private static final int MAX_LENGTH = 4095;

  /** NAME_MAX of linux/limits.h. */
  private static final int MAX_NAME = 255;

  public Destination {
    components = List.copyOf(components);
  }

  /**
   * Parses an absolute path; repeated slashes and {@code .} count for nothing.
   *
   * @throws IllegalArgumentException if it is relative, or it or one of its names is longer than
   *     the kernel takes, or it has a {@code ..}, which would mean one thing on paper and another
   *     through a symbolic link
   */
  public static Destination of(OsString path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("a destination must be an absolute path");
    }
    if (path.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "a destination must not be longer than " + MAX_LENGTH + " bytes");
    }
    List<OsString> components = new ArrayList<>();
    int start = 1;
    for (int i = 1; i <= path.length(); i++) {
      if (i == path.length() || path.charAt(i) == '/') {
        addComponent(components, path.substring(start, i));
        start = i + 1;
      }
    }
    return new Destination(components);
  }

  public static Destination of(String path) {
    return of(OsString.of(path));
  }

  private static void addComponent(List<OsString> components, OsString name) {
    if (name.equals(PARENT)) {
      throw new IllegalArgumentException("a destination must not contain '..'");
    }
    if (name.length() > MAX_NAME) {
      throw new IllegalArgumentException(
          "a name in a destination must not be longer than " + MAX_NAME + " bytes");
    }
    if (!name.isEmpty() && !name.equals(SELF)) {
      components.add(name);
    }
  }

  private static final OsString SELF = OsString.of(".");
  private static final OsString PARENT = OsString.of("..");
  private static final OsString SLASH = OsString.of("/");

  public boolean isRoot() {
    return components.isEmpty();
  }

  /** The parent; the root's is the root. */
  public Destination parent() {
    return isRoot() ? this : prefix(components.size() - 1);
  }

  /** Whether this is {@code other} or something in it. */
  public boolean isAtOrBelow(Destination other) {
    int depth = other.components().size();
    return components.size() >= depth && components.subList(0, depth).equals(other.components());
  }

  /** The first {@code length} components. */
  public Destination prefix(int length) {
    return new Destination(components.subList(0, length));
  }

  public Destination resolve(String name) {
    List<OsString> longer = new ArrayList<>(components);
    longer.add(OsString.of(name));
    return new Destination(longer);
  }

  /** The last component; {@code .} for the root. */
  public OsString name() {
    return isRoot() ? SELF : components.getLast();
  }

  /** The path from the new root: {@code usr/lib}, or {@code .} for the root itself. */
  public OsString relative() {
    return isRoot() ? SELF : OsString.join('/', components);
  }

  /** The path as the sandboxed command will see it. */
  public OsString absolute() {
    return isRoot() ? SLASH : SLASH.concat(relative());
  }

  @Override
  public String toString() {
    return absolute().toString();
  }
}
