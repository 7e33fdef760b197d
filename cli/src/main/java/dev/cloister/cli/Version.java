package dev.cloister.cli;

/** Which Cloister this is. */
final class Version {
  private Version() {}

  /** From the jar's manifest; {@code development} outside a jar. */
  static String current() {
    String version = Version.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
