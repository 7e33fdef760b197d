/* Forgets the last number. */
#include <stdio.h>

int main(void) {
  int count;
  long sum = 0;
  if (scanf("%d", &count) != 1) {
    return 1;
  }
  for (int i = 0; i < count - 1; i++) {
    long number;
    if (scanf("%ld", &number) != 1) {
      return 1;
    }
    sum += number;
  }
  printf("%ld\n", sum);
  return 0;
}
