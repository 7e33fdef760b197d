/* Has the answer, and then never ends. */
#include <stdio.h>

int main(void) {
  printf("14\n");
  fflush(stdout);
  for (;;) {
    __asm__ volatile("");
  }
}
