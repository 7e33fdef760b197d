package dev.cloister.strategy;

import dev.cloister.host.Workaround;
import java.util.Set;

/** Whether a strategy can be used. */
public sealed interface Assessment {
  /**
   * It can.
   *
   * @param workarounds what its plans must do differently for that
   */
  record Usable(Set<Workaround> workarounds) implements Assessment {
    public Usable {
      workarounds = Set.copyOf(workarounds);
    }
  }

  /**
   * It cannot.
   *
   * @param reason what stands against it, for a person
   * @param remedy what would help
   */
  record Unusable(String reason, String remedy) implements Assessment {}

  Assessment USABLE = new Usable(Set.of());
}
