/* Has the answer, and then reads what nobody wrote. */
#include <stdio.h>

int main(void) {
  volatile int *volatile nowhere = NULL;
  printf("14\n");
  fflush(stdout);
  return *nowhere;
}
