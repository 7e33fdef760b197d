/*
 * Reads filters, each behind its length in instructions (16 bits), and asks the kernel to install each
 * of them in a child of its own. Prints the errno of each as a line.
 */
#include <errno.h>
#include <err.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sock_filter code[65536];

/* The filter may allow no further call: the answer goes to shared memory, and a fault ends this. */
static void install(unsigned short length, volatile int *answer) {
  struct sock_fprog program = {.len = length, .filter = code};
  prctl(PR_SET_DUMPABLE, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  *answer = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? errno : 0;
  __builtin_trap();
}

int main(void) {
  unsigned short length;
  int *answer =
      mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (answer == MAP_FAILED)
    err(1, "mmap");
  while (fread(&length, sizeof length, 1, stdin) == 1) {
    if (fread(code, sizeof *code, length, stdin) != length)
      errx(1, "a filter is cut off");
    *answer = -1;
    pid_t child = fork();
    if (child < 0)
      err(1, "fork");
    if (child == 0)
      install(length, answer);
    if (waitpid(child, NULL, 0) != child)
      err(1, "waitpid");
    printf("%d\n", *answer);
  }
  return 0;
}
