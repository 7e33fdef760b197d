/** Has the answer, and then asks nobody for his name. */
class Main {
  public static void main(String[] arguments) {
    System.out.println(14);
    String nobody = arguments.length == 0 ? null : arguments[0];
    System.out.println(nobody.length());
  }
}
