package dev.cloister.spec;

import java.util.OptionalLong;

/**
 * Who the command is inside. An empty id means the caller's own.
 *
 * @param uid 0 to 2^32-2
 * @param gid 0 to 2^32-2
 */
public record Identity(OptionalLong uid, OptionalLong gid) {
  /** The largest id; 2^32-1 means "no change" to the kernel (setresuid(2)). */
  public static final long MAX_ID = 0xffff_fffeL;

  public static final Identity CALLER = new Identity(OptionalLong.empty(), OptionalLong.empty());
  public static final Identity ROOT = new Identity(OptionalLong.of(0), OptionalLong.of(0));

  public Identity {
    requireId(uid);
    requireId(gid);
  }

  private static void requireId(OptionalLong id) {
    if (id.isPresent() && (id.getAsLong() < 0 || id.getAsLong() > MAX_ID)) {
      throw new IllegalArgumentException("not an id: " + id.getAsLong());
    }
  }

  public Identity withUid(long id) {
    return new Identity(OptionalLong.of(id), gid);
  }

  public Identity withGid(long id) {
    return new Identity(uid, OptionalLong.of(id));
  }
}
