package dev.cloister.benchmarks;

/** What a JVM is known by. */
final class Hello {
  private Hello() {}

  public static void main(String[] arguments) {
    System.out.println("Hello, world!");
  }
}
