/*
 * harness DIRECTORY UID ARGUMENT...: runs launchers, one for each line "PATH r" or "PATH k" on
 * standard input, as this user and with these arguments, and reports what each left behind.
 *
 * With k it is killed as soon as it says "paused" on standard output. The report is a line of
 * numbers: wait status, whether it hung, how many processes it left, whether the mount table
 * changed, whether the pipe it inherited was closed when it paused (or when it ended), whether its
 * file is still there, and the lengths of what follows: standard output, standard error, and the
 * files it left below DIRECTORY/bound. All but its processes' status is put right again.
 *
 * Mounts of this process are shared with those of its children, so whatever they do not keep to
 * themselves shows in its own mount table.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_OUTPUT (1 << 18)
#define PATIENCE_MS 10000

static char out[MAX_OUTPUT], error[MAX_OUTPUT], mounts[MAX_OUTPUT], before[MAX_OUTPUT];
static char files[MAX_OUTPUT], known[MAX_OUTPUT];

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static size_t read_file(const char *path, char *into) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  size_t size = 0;
  ssize_t n;
  if (fd < 0)
    err(2, "%s", path);
  while ((n = read(fd, into + size, MAX_OUTPUT - 1 - size)) > 0)
    size += (size_t)n;
  close(fd);
  into[size] = 0;
  return size;
}

/* Lists what is below a directory and is not in the list of what may be, and removes it. */
static void list(const char *path, char *into, int clean) {
  struct dirent **entries;
  int count = scandir(path, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char *name = entries[i]->d_name, full[4096], line[4200];
    if (strcmp(name, ".") && strcmp(name, "..")) {
      struct stat s;
      snprintf(full, sizeof full, "%s/%s", path, name);
      snprintf(line, sizeof line, "%s\n", full);
      int isKnown = clean && strstr(known, line) != NULL;
      if (!isKnown)
        strcat(into, line);
      if (lstat(full, &s) == 0 && S_ISDIR(s.st_mode)) {
        list(full, into, clean);
        if (clean && !isKnown && rmdir(full))
          err(2, "%s", full);
      } else if (clean && !isKnown && unlink(full)) {
        err(2, "%s", full);
      }
    }
    free(entries[i]);
  }
  if (count >= 0)
    free(entries);
}

static void drain(int fd, char *into, size_t *size) {
  ssize_t n;
  while ((n = read(fd, into + *size, MAX_OUTPUT - 1 - *size)) > 0)
    *size += (size_t)n;
  into[*size] = 0;
}

static int is_closed(int fd) {
  struct pollfd p = {.fd = fd, .events = POLLIN};
  return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

/* Children of this process, those it adopted included, that are still alive: kills them. */
static int kill_children(void) {
  char path[64];
  static char list[4096];
  int count = 0;
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  read_file(path, list);
  for (char *word = strtok(list, " "); word; word = strtok(NULL, " "), count++)
    kill(atoi(word), SIGKILL);
  return count;
}

/* Waits a moment for those that are about to end, and then counts and kills the others. */
static int leftovers(int grace_ms) {
  long end = now_ms() + grace_ms;
  int count = 0;
  for (;;) {
    pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);
    if (pid < 0)
      return count;
    if (pid == 0) {
      if (now_ms() > end)
        count += kill_children();
      usleep(200);
    }
  }
}

static void start(const char *path, char **arguments, int *o, int *e, int *life) {
  char *environment[] = {"PATH=/usr/bin:/bin", "HOME=/", "SECRET=x", "LC_ALL=C", NULL};
  int null = open("/dev/null", O_RDONLY);
  if (dup2(null, 0) < 0 || dup2(o[1], 1) < 0 || dup2(e[1], 2) < 0 || dup2(life[1], 9) < 0)
    _exit(99);
  arguments[0] = (char *)path;
  execve(path, arguments, environment);
  dprintf(2, "execve: %s\n", strerror(errno));
  _exit(99);
}

static void run(const char *path, int killed, char **arguments, const char *bound) {
  int o[2], e[2], life[2], status = 0, hung = 0, closed = -1, dead = 0;
  size_t out_size = 0, error_size = 0;
  if (pipe2(o, O_CLOEXEC) || pipe2(e, O_CLOEXEC) || pipe2(life, O_CLOEXEC))
    err(2, "pipe2");
  fcntl(o[0], F_SETFL, O_NONBLOCK);
  fcntl(e[0], F_SETFL, O_NONBLOCK);
  pid_t pid = fork();
  if (pid == 0)
    start(path, arguments, o, e, life);
  close(o[1]);
  close(e[1]);
  close(life[1]);
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  long end = now_ms() + PATIENCE_MS;
  while (!dead) {
    struct pollfd p[] = {{fd, POLLIN, 0}, {o[0], POLLIN, 0}, {e[0], POLLIN, 0}};
    int n = poll(p, 3, (int)(end - now_ms() > 0 ? end - now_ms() : 0));
    drain(o[0], out, &out_size);
    drain(e[0], error, &error_size);
    if (p[0].revents) {
      waitpid(pid, &status, 0);
      dead = 1;
    } else if (killed && closed < 0 && strstr(out, "paused")) {
      closed = is_closed(life[0]);
      kill(pid, SIGKILL);
    } else if (n == 0) {
      hung = 1;
      kill(pid, SIGKILL);
    } else if ((p[1].revents | p[2].revents) & POLLHUP) {
      /* Closed before its end: nothing more to read, but poll would say so again and again. */
      usleep(100);
    }
  }
  int left = leftovers(hung ? 0 : 1000);
  drain(o[0], out, &out_size);
  drain(e[0], error, &error_size);
  if (closed < 0)
    closed = is_closed(life[0]);
  close(fd);
  close(o[0]);
  close(e[0]);
  close(life[0]);
  size_t size = read_file("/proc/self/mountinfo", mounts);
  int changed = size != strlen(before) || memcmp(mounts, before, size) != 0;
  files[0] = 0;
  list(bound, files, 1);
  int there = unlink(path) == 0;
  printf("%d %d %d %d %d %d %zu %zu %zu\n", status, hung, left, changed, closed, there, out_size,
         error_size, strlen(files));
  fwrite(out, 1, out_size, stdout);
  fwrite(error, 1, error_size, stdout);
  fwrite(files, 1, strlen(files), stdout);
  fflush(stdout);
  out[0] = error[0] = 0;
}

int main(int argc, char **argv) {
  char line[4096], bound[4096];
  uid_t uid = (uid_t)strtoul(argv[2], NULL, 10);
  if (argc < 3 || prctl(PR_SET_CHILD_SUBREAPER, 1))
    err(2, "prctl");
  if (getuid() == 0) {
    /* First apart from the host, then a group of their own. */
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))
      err(2, "mount namespace");
    if (uid != 0 && (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid)))
      err(2, "setresuid");
  }
  umask(022);
  if (chdir("/"))
    err(2, "/");
  read_file("/proc/self/mountinfo", before);
  snprintf(bound, sizeof bound, "%s/bound", argv[1]);
  list(bound, known, 0);
  while (fgets(line, sizeof line, stdin)) {
    char *mode = strrchr(line, ' ');
    *mode = 0;
    run(line, mode[1] == 'k', argv + 2, bound);
  }
  return 0;
}
