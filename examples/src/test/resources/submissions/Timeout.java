/** Has the answer, and then takes no time of any processor. */
class Main {
  public static void main(String[] arguments) throws InterruptedException {
    System.out.println(14);
    Thread.sleep(Long.MAX_VALUE);
  }
}
