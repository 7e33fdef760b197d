import java.util.Scanner;

class Main {
  public static void main(String[] arguments) {
    Scanner input = new Scanner(System.in);
    int count = input.nextInt();
    long sum = 0;
    for (int i = 0; i < count; i++) {
      sum += input.nextLong();
    }
    System.out.println(sum);
  }
}
