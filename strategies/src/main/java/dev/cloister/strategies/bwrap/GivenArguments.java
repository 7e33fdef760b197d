package dev.cloister.strategies.bwrap;

import dev.cloister.spec.OsString;
import dev.cloister.spec.SandboxSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * Says in bubblewrap's words which namespaces are given and who is told what was made. bubblewrap
 * finds these descriptors under the same numbers, but for one: 0.8.0 takes a namespace that is
 * given as standard input for none, and goes on without it.
 */
final class GivenArguments {
  private static final int STANDARD_INPUT = 0;

  private final List<OsString> arguments = new ArrayList<>();
  private final List<String> options = new ArrayList<>();
  private final int inputAs;

  private GivenArguments(SandboxSpec spec, int inputAs) {
    this.inputAs = inputAs;
    add("--info-fd", spec.reports().info());
    addNamespace("--userns", spec.given().user());
    addNamespace("--userns2", spec.given().last());
    addNamespace("--pidns", spec.given().pid());
    add("--userns-block-fd", spec.given().mapped());
  }

  /**
   * All of them.
   *
   * @param inputAs as what number bubblewrap finds a namespace that is standard input
   */
  static List<OsString> of(SandboxSpec spec, int inputAs) {
    return new GivenArguments(spec, inputAs).arguments;
  }

  /** The options among these, without what follows them. */
  static List<String> options(SandboxSpec spec) {
    return new GivenArguments(spec, STANDARD_INPUT).options;
  }

  /** Whether standard input is a namespace. */
  static boolean takesInput(SandboxSpec spec) {
    return isInput(spec.given().user())
        || isInput(spec.given().last())
        || isInput(spec.given().pid());
  }

  private static boolean isInput(OptionalInt descriptor) {
    return descriptor.isPresent() && descriptor.getAsInt() == STANDARD_INPUT;
  }

  private void addNamespace(String option, OptionalInt descriptor) {
    add(option, isInput(descriptor) ? OptionalInt.of(inputAs) : descriptor);
  }

  private void add(String option, OptionalInt descriptor) {
    if (descriptor.isPresent()) {
      options.add(option);
      arguments.add(OsString.of(option));
      arguments.add(OsString.of(Integer.toString(descriptor.getAsInt())));
    }
  }
}
