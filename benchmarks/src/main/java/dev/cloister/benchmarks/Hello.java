package dev.cloister.benchmarks;

/** The least that a JVM is started for. */
final class Hello {
  private Hello() {}

  public static void main(String[] arguments) {
    System.out.print("");
  }
}
