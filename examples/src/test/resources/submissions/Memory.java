import java.util.ArrayList;
import java.util.List;

/** Keeps everything, and goes on when there is no room for more. */
class Main {
  public static void main(String[] arguments) {
    List<byte[]> kept = new ArrayList<>();
    while (true) {
      try {
        kept.add(new byte[1 << 20]);
      } catch (OutOfMemoryError e) {
        System.out.println(kept.size());
      }
    }
  }
}
