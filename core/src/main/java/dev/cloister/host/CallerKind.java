package dev.cloister.host;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Who may run a program that was made for anyone. Who is of no other kind is a {@link #USER}, as is
 * one with some of root's capabilities: a user namespace serves them as well.
 */
public enum CallerKind {
  /** User 0 with all of {@link #NEEDED}. */
  ROOT("root", 1, 0),
  /** User 0 without, as in a container. */
  PLAIN_ROOT("root without its capabilities", 2, 0),
  USER("other users", 4, 1);

  /**
   * What {@link #ROOT} has: CAP_SYS_ADMIN to mount, CAP_SYS_CHROOT, and CAP_DAC_OVERRIDE,
   * CAP_SETUID and CAP_SETGID to become another user; bits of capabilities(7), all among the lower
   * 32. It counts on no others.
   */
  public static final long NEEDED = 1L << 21 | 1L << 18 | 1L << 1 | 1L << 7 | 1L << 6;

  private final String text;
  private final int bit;
  private final long uid;

  CallerKind(String text, int bit, long uid) {
    this.text = text;
    this.bit = bit;
    this.uid = uid;
  }

  /** What says so in a program. */
  public int bit() {
    return bit;
  }

  /** Whether such a caller is user 0. */
  public boolean isUserZero() {
    return uid == 0;
  }

  /** One of this kind; its ids stand for those that are found when a program runs. */
  public Caller example() {
    boolean root = this == ROOT;
    return new Caller(uid, uid, false, List.of(), root, root ? NEEDED : 0, false, 0);
  }

  /** As a heading. */
  public static String text(Set<CallerKind> kinds) {
    List<String> texts = new ArrayList<>();
    for (CallerKind kind : EnumSet.copyOf(kinds)) {
      texts.add(kind.text);
    }
    return "only for " + String.join(" and ", texts);
  }
}
