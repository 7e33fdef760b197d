package dev.cloister.strategies;

import dev.cloister.ffm.Architecture;
import dev.cloister.machine.ProgramCompiler.Options;
import dev.cloister.machine.Reporting;
import dev.cloister.spec.Handover;
import java.nio.file.Path;
import java.util.Optional;

/**
 * How a launcher is started whose calls fail.
 *
 * @param before a launcher that makes the namespaces it enters
 * @param after one that enters what it made, if it says that it is ready
 */
record FaultLaunch(Handover handover, Optional<Path> before, Optional<Path> after) {
  /** By a person. */
  static final FaultLaunch COMMAND_LINE = of(Handover.NONE);

  static FaultLaunch of(Handover handover) {
    return new FaultLaunch(handover, Optional.empty(), Optional.empty());
  }

  static FaultLaunch before(Handover handover, Path after) {
    return new FaultLaunch(handover, Optional.empty(), Optional.of(after));
  }

  static FaultLaunch after(Path before, Handover handover) {
    return new FaultLaunch(handover, Optional.of(before), Optional.empty());
  }

  boolean hasChannels() {
    return handover.channels();
  }

  /** What it says when all went well. */
  int lastWord() {
    return after.isPresent() ? LibraryLauncher.READY : LibraryLauncher.EXECUTING;
  }

  /**
   * How its program is compiled.
   *
   * @param parent which process starts it
   */
  Options options(long parent) {
    return hasChannels()
        ? Options.library(Architecture.host(), handover, parent)
        : Options.plain(Architecture.host(), Reporting.TEXT, "test");
  }

  /** What the harness is told of it. */
  String words(boolean pauses) {
    String mode = handover.waits() ? "w" : "r";
    return "%s %d %s %s"
        .formatted(
            pauses ? "k" : mode,
            hasChannels() ? handover.report() : 0,
            before.map(Path::toString).orElse("-"),
            after.map(Path::toString).orElse("-"));
  }
}
