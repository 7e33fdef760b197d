package dev.cloister.strategy;

/** Whether a strategy can be used. */
public sealed interface Assessment {
  record Usable() implements Assessment {}

  /**
   * It cannot.
   *
   * @param reason what stands against it, for a person
   * @param remedy what would help
   */
  record Unusable(String reason, String remedy) implements Assessment {}

  Assessment USABLE = new Usable();
}
