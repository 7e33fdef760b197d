package dev.cloister.ffm;

/** The processor architectures that programs can be made for. */
public enum Architecture {
  X86_64,
  AARCH64;

  /**
   * The architecture this Java virtual machine runs on.
   *
   * @throws UnsupportedOperationException on any other
   */
  public static Architecture host() {
    String name = System.getProperty("os.arch", "");
    return switch (name) {
      case "amd64", "x86_64" -> X86_64;
      case "aarch64" -> AARCH64;
      default -> throw new UnsupportedOperationException("unsupported architecture: " + name);
    };
  }
}
