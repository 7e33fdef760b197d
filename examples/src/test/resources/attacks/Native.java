import java.lang.foreign.Arena;

/** Takes memory that is not of the heap. */
class Main {
  public static void main(String[] arguments) {
    while (true) {
      Arena.global().allocate(1 << 20).fill((byte) 1);
    }
  }
}
