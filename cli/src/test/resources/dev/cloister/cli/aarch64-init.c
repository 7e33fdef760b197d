/*
 * Process 1 of the aarch64 guest: makes the calls in /calls, one a line and its words separated by
 * tabs, and writes what came of each to the console. Under the name "probe" it is the command.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void list_root(void) {
  struct dirent **entries;
  int count = scandir("/", &entries, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    if (entries[i]->d_name[0] != '.') {
      printf("entry %s\n", entries[i]->d_name);
    }
  }
}

static void print_file(const char *path) {
  char line[256];
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    fputs(line, stdout);
  }
}

static int probe(char **words) {
  for (; *words != NULL; words++) {
    char *word = *words;
    if (strcmp(word, "ids") == 0) {
      printf("ids %d %d\n", getuid(), getgid());
    } else if (strcmp(word, "pid") == 0) {
      printf("pid %d\n", getpid());
    } else if (strcmp(word, "root") == 0) {
      list_root();
    } else if (strcmp(word, "environment") == 0) {
      for (char **variable = environ; *variable != NULL; variable++) {
        puts(*variable);
      }
    } else if (word[0] == '/') {
      print_file(word);
    } else if (word[0] == '+') {
      puts(close(open(word + 1, O_WRONLY | O_CREAT, 0600)) == 0 ? "written" : "not written");
    } else if (strcmp(word, "kill") == 0) {
      raise(SIGKILL);
    } else {
      return atoi(word);
    }
    fflush(stdout);
  }
  return 0;
}

/* Away from each other until the call has ended, so that their lines do not mix. */
static void redirect(int descriptor, const char *path) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  dup2(file, descriptor);
  close(file);
}

static void print_prefixed(const char *prefix, const char *path) {
  char line[4096];
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = 0;
    printf("@%s %s\n", prefix, line);
  }
}

static void call(const char *name, const char *uid, char **words) {
  int status = -1;
  pid_t child = fork();
  if (child == 0) {
    redirect(1, "/out");
    redirect(2, "/err");
    setgroups(0, NULL);
    if (setgid(atoi(uid)) == 0 && setuid(atoi(uid)) == 0) {
      execv(words[0], words);
    }
    perror(words[0]);
    _exit(99);
  }
  waitpid(child, &status, 0);
  print_prefixed("out", "/out");
  print_prefixed("err", "/err");
  printf("@end %s %s %d\n", name, uid,
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static void make_calls(void) {
  char line[4096];
  char *words[64];
  FILE *calls = fopen("/calls", "re");
  while (calls != NULL && fgets(line, sizeof line, calls) != NULL) {
    int count = 0;
    for (char *word = strtok(line, "\t\n"); word != NULL && count < 63; word = strtok(NULL, "\t\n")) {
      words[count++] = word;
    }
    words[count] = NULL;
    call(words[0], words[1], words + 2);
  }
}

int main(int argc, char **argv) {
  if (argc > 0 && strcmp(basename(argv[0]), "probe") == 0) {
    return probe(argv + 1);
  }
  mount("proc", "/proc", "proc", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  int console = open("/dev/console", O_RDWR);
  dup2(console, 0);
  dup2(console, 1);
  dup2(console, 2);
  if (console > 2) {
    close(console);
  }
  setlinebuf(stdout);
  chmod("/", 0755);
  clearenv();
  setenv("PATH", "/usr/bin", 1);
  setenv("SECRET", "secret", 1);
  make_calls();
  sync();
  reboot(RB_POWER_OFF);
  return 1;
}
