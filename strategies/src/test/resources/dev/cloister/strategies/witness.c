/*
 * witness NAMESPACE...: the command in a sandbox. Leaves a mark, and says what it sees and may do:
 * two sandboxes of which it says the same are equally strong. The arguments are the namespaces of
 * who started the launcher.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* What was bound for this program lies below the directory above its own. */
static char root[4096];

static const char *in(const char *path) {
  static char full[8192];
  snprintf(full, sizeof full, "%s%s", root, path);
  return full;
}

/* Each line of /proc/self/status that concerns rights. */
static void status(void) {
  const char *words[] = {"Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp", "Sig", "Shd", "Umask"};
  char line[512];
  FILE *file = fopen("/proc/self/status", "re");
  while (file && fgets(line, sizeof line, file))
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
      if (!strncmp(line, words[i], strlen(words[i])) && strncmp(line, "SigQ", 4) &&
          strncmp(line, "Seccomp_filters", 15))
        printf("%s", line);
  if (file)
    fclose(file);
  char dumpable = (char)('0' + prctl(PR_GET_DUMPABLE));
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  printf("dumpable %c death signal %d\n", dumpable, death);
}

/* Without ids, device numbers and propagation groups, which differ from run to run. */
static void mounts(void) {
  char line[4096];
  FILE *file = fopen("/proc/self/mountinfo", "re");
  while (file && fgets(line, sizeof line, file)) {
    char *field = strtok(line, " \n");
    for (int i = 0; field; i++, field = strtok(NULL, " \n")) {
      char *colon = strchr(field, ':');
      if (colon && (!strncmp(field, "shared:", 7) || !strncmp(field, "master:", 7)))
        *colon = 0;
      if (i > 2)
        printf("%s ", field);
    }
    printf("\n");
  }
  if (file)
    fclose(file);
}

static void names(const char *directory) {
  struct dirent **entries;
  int count = scandir(directory, &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    char path[4096], target[4096] = "";
    struct stat s;
    snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
    if (lstat(path, &s) == 0 && strcmp(entries[i]->d_name, "..")) {
      if (S_ISLNK(s.st_mode) && readlink(path, target, sizeof target - 1) < 0)
        target[0] = '?';
      printf("%s %o %u:%u %s\n", path, s.st_mode, s.st_uid, s.st_gid, target);
    }
  }
}

static void namespaces(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    char path[64], target[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%.*s", (int)strcspn(argv[i], ":"), argv[i]);
    if (readlink(path, target, sizeof target - 1) < 0)
      strcpy(target, "hidden");
    printf("%s %s\n", path, strcmp(target, argv[i]) ? "own" : "the host's");
  }
}

static void descriptors(void) {
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0)
      printf("descriptor %d\n", fd);
}

static void attempt(const char *what, long result) {
  printf("%s: %s\n", what, result < 0 ? strerrorname_np(errno) : "possible");
}

static void network(void) {
  struct ifreq request = {.ifr_name = "lo"};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  long result = ioctl(fd, SIOCGIFFLAGS, &request);
  attempt("lo", result);
  printf("lo is %s\n", request.ifr_flags & IFF_UP ? "up" : "down");
  close(fd);
}

static void limits(void) {
  for (int i = 0; i < RLIMIT_NLIMITS; i++) {
    struct rlimit limit;
    if (i != RLIMIT_SIGPENDING && getrlimit(i, &limit) == 0)
      printf("limit %d %lu %lu\n", i, limit.rlim_cur, limit.rlim_max);
  }
}

int main(int argc, char **argv) {
  char host[256] = "";
  strncat(root, argv[0], sizeof root - 1);
  *strrchr(root, '/') = 0;
  *strrchr(root, '/') = 0;
  int mark = open(in("/bound/ran"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  attempt("mark", mark);
  close(mark);
  status();
  mounts();
  names("/");
  names("/dev");
  names(in("/t"));
  namespaces(argc, argv);
  descriptors();
  network();
  limits();
  gethostname(host, sizeof host - 1);
  printf("host %s\n", host);
  printf("session of its own: %d\n", getsid(0) == getpid());
  printf("process 1: %d\n", getpid() == 1);
  for (char **variable = environ; *variable; variable++)
    printf("environment %s\n", *variable);
  attempt("write to /w", open(in("/w/x"), O_WRONLY | O_CREAT, 0644));
  attempt("core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
  attempt("tmpfs", mount("none", in("/t"), "tmpfs", 0, NULL));
  attempt("remount", mount(NULL, in("/w"), NULL, MS_REMOUNT | MS_BIND, NULL));
  attempt("umount", umount2(in("/w"), MNT_DETACH));
  attempt("signal to the parent", kill(getppid(), 0));
  attempt("TIOCSTI", ioctl(0, TIOCSTI, "x"));
  attempt("user namespace", unshare(CLONE_NEWUSER));
  attempt("chroot", chroot(in("/t")));
  fflush(stdout);
  char here[4096] = "?";
  syscall(SYS_getcwd, here, sizeof here);
  printf("directory %s\n", here);
  return 0;
}
