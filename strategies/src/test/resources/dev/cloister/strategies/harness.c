/*
 * harness DIRECTORY UID ARGUMENT...: runs launchers, one for each line "PATH MODE CHANNEL BEFORE
 * AFTER" on standard input, as this user and with these arguments, and reports what each left
 * behind.
 *
 * The mode is r, or k: then it is killed as soon as it says "paused" on standard output; or w: then
 * it is sent the arguments as its command when it says that it waits for one.
 *
 * The channel is 0 for a launcher of the command line. Else it is the number of the report channel,
 * and there is a directory before the arguments. Descriptors below the channel lead to /dev/null.
 * Above both channels are those that BEFORE sent, a launcher that sets a sandbox up. If PATH is such
 * a one itself and says that it is ready, then AFTER has what it sent. Each can be "-", for none;
 * what AFTER says is added to what PATH did.
 *
 * The report is a line of numbers: wait status, whether it hung, how many processes it left, whether
 * the mount table changed, whether the pipe it inherited was closed when it paused (or when it
 * ended), whether its file is still there, and the lengths of what follows: standard output,
 * standard error, both channels, and the files it left below DIRECTORY/bound. All but its
 * processes' status is put right again.
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_OUTPUT (1 << 18)
#define PATIENCE_MS 10000

/* Words on the report channel: docs/adr/0018-library.md. */
#define READY -3
#define KEEP -5
#define MAX_KEPT 16

/* Above every number that a launcher is given. */
#define APART 200

/* What a launcher reports on, if it does. */
#define REPORTS 20

static char out[MAX_OUTPUT], error[MAX_OUTPUT], said[MAX_OUTPUT], ended[MAX_OUTPUT];
static size_t out_size, error_size, said_size, ended_size;
static char mounts[MAX_OUTPUT], usual[MAX_OUTPUT], files[MAX_OUTPUT], known[MAX_OUTPUT];
static char *environment[] = {"PATH=/usr/bin:/bin", "HOME=/", "SECRET=x", "LC_ALL=C", NULL};
static int kept[MAX_KEPT], kept_count;

/* What a launcher is given, at the ends that are its own. */
struct given {
  int out, error, life, report, status;
};

/* How a launcher ended. */
struct end {
  int status, hung, closed, left;
};

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

static int32_t last_word(void) {
  int32_t word = 0;
  if (said_size >= sizeof word)
    memcpy(&word, said + said_size - sizeof word, sizeof word);
  return word;
}

/* Reads what is said, and keeps the namespaces that come with it; whether that was all. */
static int hear(int socket) {
  for (;;) {
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {said + said_size, MAX_OUTPUT - 1 - said_size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n <= 0)
      return n == 0 || errno == ECONNRESET;
    said_size += (size_t)n;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header) {
      int fd;
      memcpy(&fd, CMSG_DATA(header), sizeof fd);
      /* What has a descriptor ends what is read (unix(7)). */
      if (last_word() == KEEP && kept_count < MAX_KEPT)
        kept[kept_count++] = fd;
      else
        close(fd);
    }
  }
}

static size_t add_words(char *into, size_t size, char **words, uint32_t *count) {
  for (; words[*count]; ++*count) {
    strcpy(into + size, words[*count]);
    size += strlen(words[*count]) + 1;
  }
  return size;
}

/* Sends a command with the standard descriptors that it shall have. */
static void send_command(int socket, char **words, int null, struct given given) {
  static char strings[MAX_OUTPUT];
  uint32_t header[4] = {0};
  int fds[] = {null, given.out, given.error};
  char control[CMSG_SPACE(sizeof fds)] = {0};
  size_t size = add_words(strings, 0, words, &header[1]);
  size = add_words(strings, size, environment, &header[2]);
  header[0] = (uint32_t)size;
  struct iovec parts[] = {{header, sizeof header}, {strings, size}};
  struct msghdr message = {
      .msg_iov = parts, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *first = CMSG_FIRSTHDR(&message);
  first->cmsg_level = SOL_SOCKET;
  first->cmsg_type = SCM_RIGHTS;
  first->cmsg_len = CMSG_LEN(sizeof fds);
  memcpy(CMSG_DATA(first), fds, sizeof fds);
  if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno != EPIPE)
    err(2, "sendmsg");
}

static int apart(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, APART); }

static void give(int fd, int number) {
  if (dup2(fd, number) < 0)
    _exit(99);
}

/* First all out of the way of each other. */
static void start(const char *path, int channel, char **words, struct given given) {
  int null = apart(open("/dev/null", O_RDONLY | O_CLOEXEC));
  struct given high = {apart(given.out), apart(given.error), apart(given.life),
                       apart(given.report), apart(given.status)};
  int namespaces[MAX_KEPT];
  for (int i = 0; i < kept_count; i++)
    namespaces[i] = apart(kept[i]);
  give(null, 0);
  give(high.out, 1);
  give(high.error, 2);
  for (int number = 3; number < channel; number++)
    give(null, number);
  if (channel) {
    give(high.report, channel);
    give(high.status, channel + 1);
    for (int i = 0; i < kept_count; i++)
      give(namespaces[i], channel + 2 + i);
  }
  give(high.life, channel ? 99 : 9);
  if (!channel)
    give(apart(open("/dev/null", O_WRONLY | O_CLOEXEC)), REPORTS);
  words[0] = (char *)path;
  execve(path, words, environment);
  dprintf(2, "execve: %s\n", strerror(errno));
  _exit(99);
}

static struct end follow(const char *path, char mode, int channel, char **words) {
  int o[2], e[2], life[2], r[2], s[2], dead = 0, sent = mode != 'w';
  struct end end = {.closed = -1};
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (pipe2(o, O_CLOEXEC) || pipe2(e, O_CLOEXEC) || pipe2(life, O_CLOEXEC) ||
      pipe2(s, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r))
    err(2, "pipe2");
  fcntl(o[0], F_SETFL, O_NONBLOCK);
  fcntl(e[0], F_SETFL, O_NONBLOCK);
  fcntl(s[0], F_SETFL, O_NONBLOCK);
  struct given given = {o[1], e[1], life[1], r[1], s[1]};
  pid_t pid = fork();
  if (pid == 0)
    start(path, channel, words, given);
  close(life[1]);
  close(r[1]);
  close(s[1]);
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  long last = now_ms() + PATIENCE_MS;
  while (!dead) {
    struct pollfd p[] = {
        {fd, POLLIN, 0}, {o[0], POLLIN, 0}, {e[0], POLLIN, 0}, {sent ? -1 : r[0], POLLIN, 0}};
    int n = poll(p, 4, (int)(last - now_ms() > 0 ? last - now_ms() : 0));
    drain(o[0], out, &out_size);
    drain(e[0], error, &error_size);
    if (p[0].revents) {
      waitpid(pid, &end.status, 0);
      dead = 1;
    } else if (mode == 'k' && end.closed < 0 && strstr(out, "paused")) {
      end.closed = is_closed(life[0]);
      kill(pid, SIGKILL);
    } else if (n == 0) {
      end.hung = 1;
      kill(pid, SIGKILL);
    } else if (p[3].revents) {
      if (!hear(r[0]) && last_word() == READY)
        send_command(r[0], words, null, given);
      sent = last_word() == READY || p[3].revents & POLLHUP;
    } else if ((p[1].revents | p[2].revents) & POLLHUP) {
      /* Closed before its end: nothing more to read, but poll would say so again and again. */
      usleep(100);
    }
  }
  close(o[1]);
  close(e[1]);
  end.left = leftovers(end.hung ? 0 : 1000);
  drain(o[0], out, &out_size);
  drain(e[0], error, &error_size);
  drain(s[0], ended, &ended_size);
  int all = hear(r[0]);
  if (end.closed < 0)
    end.closed = is_closed(life[0]) && is_closed(s[0]) && all;
  int own[] = {null, fd, o[0], e[0], life[0], r[0], s[0]};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    close(own[i]);
  return end;
}

/* What is the launcher's with what comes before and after it. */
static struct end follow_all(
    const char *path, char mode, int channel, const char *before, const char *after, char **words) {
  out_size = error_size = said_size = ended_size = 0;
  out[0] = error[0] = 0;
  if (*before != '-') {
    follow(before, 'r', channel, words);
    if (last_word() != READY)
      errx(2, "%s: %s", before, said);
    said_size = 0;
  }
  struct end end = follow(path, mode, channel, words);
  if (*after != '-' && last_word() == READY)
    end.left += follow(after, 'r', channel, words).left;
  while (kept_count > 0)
    close(kept[--kept_count]);
  return end;
}

static void report(const char *path, struct end end, const char *bound) {
  size_t size = read_file("/proc/self/mountinfo", mounts);
  int changed = size != strlen(usual) || memcmp(mounts, usual, size) != 0;
  files[0] = 0;
  list(bound, files, 1);
  int there = unlink(path) == 0;
  printf("%d %d %d %d %d %d %zu %zu %zu %zu %zu\n", end.status, end.hung, end.left, changed,
         end.closed, there, out_size, error_size, said_size, ended_size, strlen(files));
  fwrite(out, 1, out_size, stdout);
  fwrite(error, 1, error_size, stdout);
  fwrite(said, 1, said_size, stdout);
  fwrite(ended, 1, ended_size, stdout);
  fwrite(files, 1, strlen(files), stdout);
  fflush(stdout);
}

int main(int argc, char **argv) {
  char line[16384], path[4096], before[4096], after[4096], bound[4096], mode;
  int channel;
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
  read_file("/proc/self/mountinfo", usual);
  snprintf(bound, sizeof bound, "%s/bound", argv[1]);
  list(bound, known, 0);
  /* Before the command's arguments are the launcher's name and, with a channel, a directory. */
  while (fgets(line, sizeof line, stdin)) {
    if (sscanf(line, "%4095s %c %d %4095s %4095s", path, &mode, &channel, before, after) != 5)
      errx(2, "%s", line);
    char **words = channel ? argv + 1 : argv + 2;
    argv[2] = "/";
    report(path, follow_all(path, mode, channel, before, after, words), bound);
  }
  return 0;
}
