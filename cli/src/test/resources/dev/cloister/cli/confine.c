/*
 * confine [--refuse CALL ERRNO [ARGUMENT MASK]]... [--writable DIRECTORY]... -- COMMAND [ARG...]
 *
 * Runs COMMAND where the kernel refuses things: system calls with an errno, by a seccomp filter (if a
 * mask is given, only those that have a bit of it in the argument of that number, from 0), and writing
 * to all but some directories, by Landlock.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST 200

struct name {
  const char *text;
  int number;
};

static const struct name calls[] = {
    {"chroot", SYS_chroot},
    {"clone", SYS_clone},
    {"clone3", SYS_clone3},
    {"close_range", SYS_close_range},
    {"fsmount", SYS_fsmount},
    {"fsopen", SYS_fsopen},
    {"landlock_create_ruleset", SYS_landlock_create_ruleset},
    {"mount", SYS_mount},
    {"mount_setattr", SYS_mount_setattr},
    {"move_mount", SYS_move_mount},
    {"open_tree", SYS_open_tree},
    {"openat2", SYS_openat2},
    {"pidfd_open", SYS_pidfd_open},
    {"pivot_root", SYS_pivot_root},
    {"setns", SYS_setns},
    {"umount2", SYS_umount2},
    {"unshare", SYS_unshare},
    {NULL, 0}};

static const struct name errors[] = {
    {"E2BIG", E2BIG},   {"EACCES", EACCES}, {"EINVAL", EINVAL}, {"ENOSYS", ENOSYS},
    {"EOPNOTSUPP", EOPNOTSUPP}, {"EPERM", EPERM}, {NULL, 0}};

static struct sock_filter filter[MOST];
static unsigned short length;

static int number(const struct name *names, const char *text) {
  for (const struct name *name = names; name->text; name++)
    if (!strcmp(name->text, text))
      return name->number;
  errx(2, "unknown: %s", text);
}

static void add(struct sock_filter instruction) {
  if (length == MOST)
    errx(2, "too many");
  filter[length++] = instruction;
}

static void load(size_t offset) {
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void refuse(int call, int error) {
  load(offsetof(struct seccomp_data, nr));
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1));
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
}

static void refuse_bits(int call, int error, int argument, unsigned mask) {
  load(offsetof(struct seccomp_data, nr));
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3));
  /* The lower half of the argument: both architectures of Cloister's are little-endian. */
  load(offsetof(struct seccomp_data, args) + 8 * (size_t)argument);
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1));
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
}

/* Root can do without, and stays as a container's root is. */
static void give_up_privileges_if_needed(void) {
  if (geteuid() != 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    err(2, "PR_SET_NO_NEW_PRIVS");
}

static void install_filter(void) {
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sock_fprog program = {.len = length, .filter = filter};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
    err(2, "seccomp");
}

static int open_ruleset(void) {
  struct landlock_ruleset_attr handled = {
      .handled_access_fs = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                           LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM};
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (ruleset < 0)
    err(2, "landlock_create_ruleset");
  return ruleset;
}

static void allow_below(int ruleset, const char *directory) {
  struct landlock_path_beneath_attr rule = {
      .allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                        LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                        LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM,
      .parent_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (rule.parent_fd < 0)
    err(2, "%s", directory);
  if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
    err(2, "landlock_add_rule");
  close(rule.parent_fd);
}

int main(int argc, char **argv) {
  int ruleset = -1;
  int next = 1;
  while (next < argc && strcmp(argv[next], "--")) {
    if (!strcmp(argv[next], "--refuse") && next + 2 < argc) {
      int call = number(calls, argv[next + 1]);
      int error = number(errors, argv[next + 2]);
      next += 3;
      if (next + 1 < argc && argv[next][0] != '-') {
        refuse_bits(call, error, atoi(argv[next]), (unsigned)strtoul(argv[next + 1], NULL, 0));
        next += 2;
      } else {
        refuse(call, error);
      }
    } else if (!strcmp(argv[next], "--writable") && next + 1 < argc) {
      if (ruleset < 0)
        ruleset = open_ruleset();
      allow_below(ruleset, argv[next + 1]);
      next += 2;
    } else {
      errx(2, "usage: see the source");
    }
  }
  if (next + 1 >= argc)
    errx(2, "no command");
  give_up_privileges_if_needed();
  if (ruleset >= 0) {
    if (syscall(SYS_landlock_restrict_self, ruleset, 0))
      err(2, "landlock_restrict_self");
    close(ruleset);
  }
  if (length > 0)
    install_filter();
  execvp(argv[next + 1], argv + next + 1);
  err(2, "%s", argv[next + 1]);
}
