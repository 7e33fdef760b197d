/* Reads lines of input, a mode of fopen(3) and a path, and says whether it could open each. */
#include <stdio.h>

int main(void) {
  char mode[2];
  char path[4096];
  while (scanf("%1s %4095s", mode, path) == 2) {
    puts(fopen(path, mode) == NULL ? "refused" : "opened");
  }
  return 0;
}
