/* Keeps a copy of everything, for ever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
  for (;;) {
    char *copy = malloc(1 << 20);
    if (copy == NULL) {
      abort();
    }
    memset(copy, 'x', 1 << 20);
    __asm__ volatile("" : : "r"(copy) : "memory");
  }
}
