package dev.cloister.strategies.bwrap;

import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Says in bubblewrap's words which namespaces are given and who is told what was made. bubblewrap
 * finds these descriptors under the same numbers.
 */
final class GivenArguments {
  private final List<OsString> arguments = new ArrayList<>();
  private final List<String> options = new ArrayList<>();

  private GivenArguments(SandboxSpec spec) {
    add("--info-fd", spec.reports().info());
    add("--userns", spec.given().user());
    add("--userns2", spec.given().last());
    add("--pidns", spec.given().pid());
    add("--userns-block-fd", spec.given().mapped());
  }

  static List<OsString> of(SandboxSpec spec) {
    return new GivenArguments(spec).arguments;
  }

  /** The options among these, without what follows them. */
  static List<String> options(SandboxSpec spec) {
    return new GivenArguments(spec).options;
  }

  private void add(String option, OptionalInt descriptor) {
    if (descriptor.isPresent()) {
      options.add(option);
      arguments.add(OsString.of(option));
      arguments.add(OsString.of(Integer.toString(descriptor.getAsInt())));
    }
  }
}
