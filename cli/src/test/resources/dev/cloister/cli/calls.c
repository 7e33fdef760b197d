/*
 * calls NAME...
 *
 * Makes system calls and says how each ended: its name and the errno, 0 for success. Their arguments
 * are such that the kernel itself says EPERM to none of them.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD ((void *)1)

static long clone_with(unsigned long flags) {
  long child = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);
  if (child == 0)
    _exit(0);
  if (child > 0)
    waitpid((pid_t)child, NULL, 0);
  return child;
}

static long of(const char *name) {
  struct utsname names;
  struct tms times_;
#define IS(text) (!strcmp(name, text))
  if (IS("uname")) return uname(&names);
  if (IS("times")) return syscall(SYS_times, &times_);
  if (IS("mount")) return syscall(SYS_mount, BAD, BAD, BAD, 0, NULL);
  if (IS("open_tree")) return syscall(SYS_open_tree, -1, "x", 0);
  if (IS("setns")) return syscall(SYS_setns, -1, 0);
  if (IS("unshare_user")) return syscall(SYS_unshare, CLONE_NEWUSER);
  if (IS("unshare_files")) return syscall(SYS_unshare, CLONE_FILES | CLONE_FS);
  if (IS("clone")) return clone_with(0);
  if (IS("clone_user")) return clone_with(CLONE_NEWUSER);
  if (IS("clone3")) return syscall(SYS_clone3, NULL, 0);
  if (IS("add_key")) return syscall(SYS_add_key, BAD, BAD, BAD, 1, 0);
  if (IS("request_key")) return syscall(SYS_request_key, BAD, BAD, BAD, 0);
  if (IS("keyctl")) return syscall(SYS_keyctl, -1, 0, 0, 0, 0);
  if (IS("perf_event_open")) return syscall(SYS_perf_event_open, BAD, 0, -1, -1, 0);
  if (IS("userfaultfd")) return syscall(SYS_userfaultfd, -1);
  if (IS("io_uring_enter")) return syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0);
  if (IS("ptrace")) return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
  if (IS("process_vm_readv")) return syscall(SYS_process_vm_readv, -1, NULL, 0, NULL, 0, 1);
  if (IS("pidfd_getfd")) return syscall(SYS_pidfd_getfd, -1, 0, 0);
  if (IS("no_random")) return syscall(SYS_personality, ADDR_NO_RANDOMIZE);
  if (IS("personality")) return syscall(SYS_personality, 0xffffffff);
  if (IS("socket_unix")) return socket(AF_UNIX, SOCK_STREAM, 0);
  if (IS("socket_inet")) return socket(AF_INET, SOCK_STREAM, 0);
  if (IS("socket_netlink")) return socket(AF_NETLINK, SOCK_RAW, 0);
  // A type that no family has: EINVAL, where the family is not refused before.
  if (IS("socket_vsock")) return socket(AF_VSOCK, 12345, 0);
  if (IS("next_year")) return syscall(9999);
  if (IS("tiocsti")) return syscall(SYS_ioctl, 0, 0x5412UL, "\n");
  if (IS("tiocsti_high")) return syscall(SYS_ioctl, 0, 0x5412UL | 1UL << 32, "\n");
  if (IS("tioclinux")) return syscall(SYS_ioctl, 0, 0x541cUL, "\6");
  if (IS("tioclinux_high")) return syscall(SYS_ioctl, 0, 0x541cUL | 1UL << 63, "\6");
  errx(2, "unknown: %s", name);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    errno = 0;
    long result = of(argv[i]);
    printf("%s %d\n", argv[i], result < 0 ? errno : 0);
  }
  return 0;
}
