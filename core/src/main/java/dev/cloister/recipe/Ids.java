package dev.cloister.recipe;

import dev.cloister.host.Caller;
import dev.cloister.host.HostReport;
import dev.cloister.spec.Identity;

/** A user and a group in a plan. */
record Ids(Id uid, Id gid) {
  static final Ids ROOT = new Ids(Id.ZERO, Id.ZERO);

  /** The caller's. */
  static Ids ofCaller(HostReport host) {
    if (host.anyOf().isPresent()) {
      return new Ids(Id.foundUid(host.anyOf().get()), Id.FOUND_GID);
    }
    Caller caller = host.caller();
    return new Ids(new Id.Known(caller.uid()), new Id.Known(caller.gid()));
  }

  /** Those that are asked for, and the caller's in place of any that is not. */
  static Ids ofCommand(Identity asked, HostReport host) {
    Ids callers = ofCaller(host);
    return new Ids(
        Id.ofUser(asked.uid(), host.anyOf()).orElse(callers.uid),
        Id.of(asked.gid()).orElse(callers.gid));
  }
}
