/* Writes without an end. */
#include <stdio.h>

int main(void) {
  for (;;) {
    puts("14");
  }
}
