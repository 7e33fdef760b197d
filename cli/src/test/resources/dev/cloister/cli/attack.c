/*
 * attack NAME [ARG...]
 *
 * One attempt at something a sandbox should not allow. Prints "open" if it worked, or "closed: CALL:
 * ERROR" if not. The names are those of the table at the end. Beside the attacks it has what they are
 * aimed at and what they need around them: "victim", and the wrappers that end in "-- COMMAND".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/tiocl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif

#define PATIENCE 60 /* seconds, only against what hangs */

/* What was tried last, for the message. */
static const char *tried = "nothing";

static int try(const char *name, long result) {
  tried = name;
  return result == -1 ? -1 : 0;
}

static int fail(const char *name, int error) {
  tried = name;
  errno = error;
  return -1;
}

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *text(const char *format, ...) {
  static char buffers[8][8192];
  static int next;
  char *buffer = buffers[next++ % 8];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(buffer, sizeof buffers[0], format, arguments);
  va_end(arguments);
  return buffer;
}

static int must(int result, const char *what) {
  if (result == -1)
    err(3, "%s", what);
  return result;
}

static long number(const char *digits) { return strtol(digits, NULL, 0); }

/* Whether the file has the secret in it. */
static int reads_at(int directory, const char *path) {
  char content[64] = "";
  int file = openat(directory, path, O_RDONLY | O_NONBLOCK);
  if (try("open", file))
    return -1;
  ssize_t length = read(file, content, sizeof content - 1);
  close(file);
  if (try("read", length))
    return -1;
  return strstr(content, "secret") ? 0 : fail("read", ENODATA);
}

static int reads(const char *path) { return reads_at(AT_FDCWD, path); }

static int writes(const char *path) {
  int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (try("open for writing", file))
    return -1;
  int result = try("write", write(file, "x", 1));
  close(file);
  return result;
}

/* From the working directory, which may be outside of the root. */
static int climb(const char *secret) {
  int result = -1;
  for (int i = 0; i < 64 && result; i++) {
    result = reads(text(".%s", secret));
    if (chdir(".."))
      break;
  }
  return result;
}

/* For each process that can be seen but this one; returns 0 at the first where it works. */
static int any_process(int (*attempt)(const char *, char **), char **args) {
  DIR *proc = opendir("/proc");
  if (!proc)
    return fail("opendir", errno);
  int result = fail("no process", ESRCH);
  for (struct dirent *entry; result && (entry = readdir(proc));) {
    long pid = strtol(entry->d_name, NULL, 10);
    if (pid > 0 && pid != getpid())
      result = attempt(entry->d_name, args);
  }
  closedir(proc);
  return result;
}

/* Whoever has the rights already needs no namespaces of its own; those it has may be lacking. */
static int nested(int (*attempt)(char **), char **args) {
  if (!attempt(args))
    return 0;
  if (try("unshare", unshare(CLONE_NEWUSER | CLONE_NEWNS)))
    return -1;
  return attempt(args);
}

/* ---- the root ---- */

static int nothing(char **args) {
  (void)args;
  return fail("nothing", 0);
}

static int read_secret(char **args) { return reads(args[0]); }

static int write_file(char **args) { return writes(args[0]); }

/* In a directory that can be written. */
static int chroot_and_climb(char **args) {
  if (try("chdir", chdir(args[1])) || try("mkdir", mkdir("lower", 0700) && errno != EEXIST ? -1 : 0))
    return -1;
  int top = open(".", O_RDONLY | O_DIRECTORY);
  if (try("open", top) || try("chroot", chroot("lower")) || try("fchdir", fchdir(top)))
    return -1;
  return climb(args[0]);
}

static int nested_chroot_and_climb(char **args) { return nested(chroot_and_climb, args); }

static int enter(const char *path, int kind, const char *name) {
  int namespace = open(path, O_RDONLY);
  if (try("open of a namespace", namespace))
    return -1;
  int result = try(name, setns(namespace, kind));
  close(namespace);
  return result;
}

/* Entering one's own mount namespace anew leads to its root. */
static int enter_own_mounts(char **args) {
  if (enter("/proc/self/ns/mnt", CLONE_NEWNS, "setns"))
    return -1;
  return reads(args[0]);
}

static int enter_mounts_of(char **args) {
  if (enter(text("/proc/%s/ns/mnt", args[0]), CLONE_NEWNS, "setns"))
    return -1;
  return reads(args[1]);
}

static int enter_users_of(char **args) {
  return enter(text("/proc/%s/ns/user", args[0]), CLONE_NEWUSER, "setns of a user namespace");
}

static int enter_by_pidfd(char **args) {
  int process = syscall(SYS_pidfd_open, number(args[0]), 0);
  if (try("pidfd_open", process))
    return -1;
  return try("setns", setns(process, CLONE_NEWUSER | CLONE_NEWNS));
}

static int through_process(const char *pid, char **args) {
  for (const char **way = (const char *[]){"root", "cwd/../../../../../../../..", NULL}; *way; way++)
    if (!reads(text("/proc/%s/%s%s", pid, *way, args[0])))
      return 0;
  return -1;
}

static int through_root_of(char **args) {
  return reads(text("/proc/%s/root%s", args[0], args[1]));
}

static int through_directory_of(char **args) {
  return reads(text("/proc/%s/cwd/%s", args[0], args[1]));
}

static int through_descriptor_of(char **args) {
  return reads(text("/proc/%s/fd/%s", args[0], args[1]));
}

static int through_any_process(char **args) { return any_process(through_process, args); }

static int through_descriptors(char **args) {
  int result = fail("no descriptor", EBADF);
  for (int descriptor = 3; descriptor < 1024 && result; descriptor++)
    if (fcntl(descriptor, F_GETFD) != -1)
      result = reads_at(descriptor, text(".%s", args[0]));
  return result;
}

static int through_working_directory(char **args) {
  return reads("secret") && climb(args[0]) ? -1 : 0;
}

/* Where setting a sandbox up may have left the old root. */
static int through_leftovers(char **args) {
  for (const char **place = (const char *[]){"/oldroot", "/newroot", "/old_root", "/put_old",
                                             "/..", "/../..", "/newroot/..", "/.oldroot", NULL};
       *place; place++)
    if (!reads(text("%s%s", *place, args[0])))
      return 0;
  return -1;
}

static int by_handle(char **args) {
  union {
    struct file_handle handle;
    char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } it = {.handle.handle_bytes = 0};
  unsigned size;
  int used = 0;
  char *bytes = args[0];
  if (sscanf(bytes, "%d:%u:%n", &it.handle.handle_type, &size, &used) < 2 || size > MAX_HANDLE_SZ)
    errx(2, "no handle: %s", bytes);
  it.handle.handle_bytes = size;
  for (unsigned i = 0; i < size; i++)
    sscanf(bytes + used + 2 * i, "%2hhx", &it.handle.f_handle[i]);
  int mount = open(args[1], O_RDONLY);
  int file = open_by_handle_at(mount, &it.handle, O_RDONLY);
  if (try("open_by_handle_at", file))
    return -1;
  return reads(text("/proc/self/fd/%d", file)) && reads_at(file, "") ? -1 : 0;
}

/* For the test: what to open by. */
static int print_handle(char **args) {
  union {
    struct file_handle handle;
    char space[sizeof(struct file_handle) + MAX_HANDLE_SZ];
  } it = {.handle.handle_bytes = MAX_HANDLE_SZ};
  int mount;
  must(name_to_handle_at(AT_FDCWD, args[0], &it.handle, &mount, 0), "name_to_handle_at");
  printf("%d:%u:", it.handle.handle_type, it.handle.handle_bytes);
  for (unsigned i = 0; i < it.handle.handle_bytes; i++)
    printf("%02hhx", it.handle.f_handle[i]);
  puts("");
  exit(0);
}

/* ---- mounts ---- */

static int mount_something(char **args) {
  return try("mount", mount("none", args[0], "tmpfs", 0, NULL));
}

static int mount_by_descriptors(char **args) {
  int context = syscall(SYS_fsopen, "tmpfs", 0);
  if (try("fsopen", context) || try("fsconfig", syscall(SYS_fsconfig, context, 6, NULL, NULL, 0)))
    return -1;
  int tree = syscall(SYS_fsmount, context, 0, 0);
  if (try("fsmount", tree))
    return -1;
  return try("move_mount", syscall(SYS_move_mount, tree, "", AT_FDCWD, args[0], 4));
}

static int remount_and_write(char **args) {
  if (try("mount", mount("none", args[0], "none", MS_REMOUNT | MS_BIND, NULL)))
    return -1;
  return writes(text("%s/written", args[0]));
}

static int nested_remount_and_write(char **args) { return nested(remount_and_write, args); }

static int set_attributes_and_write(char **args) {
  struct {
    uint64_t set, clear, propagation, userns;
  } attributes = {.clear = 1 /* MOUNT_ATTR_RDONLY */};
  if (try("mount_setattr",
          syscall(SYS_mount_setattr, AT_FDCWD, args[0], AT_RECURSIVE, &attributes, sizeof attributes)))
    return -1;
  return writes(text("%s/written", args[0]));
}

/* A copy of the mount need not have its flags. */
static int clone_and_write(char **args) {
  int tree = syscall(SYS_open_tree, AT_FDCWD, args[0], 1 /* OPEN_TREE_CLONE */);
  if (try("open_tree", tree))
    return -1;
  struct {
    uint64_t set, clear, propagation, userns;
  } attributes = {.clear = 1};
  if (try("mount_setattr",
          syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes)))
    return -1;
  int file = openat(tree, "written", O_WRONLY | O_CREAT, 0644);
  return try("openat", file);
}

static int uncover(char **args) {
  if (try("umount2", umount2(args[0], MNT_DETACH)))
    return -1;
  return reads(text("%s/secret", args[0]));
}

static int nested_uncover(char **args) { return nested(uncover, args); }

static int move_cover(char **args) {
  if (try("mount", mount(args[0], args[1], NULL, MS_MOVE, NULL)))
    return -1;
  return reads(text("%s/secret", args[0]));
}

static int nested_move_cover(char **args) { return nested(move_cover, args); }

/* A recursive bind may leave a cover behind. */
static int bind_without_cover(char **args) {
  if (try("mount", mount(args[0], args[1], NULL, MS_BIND, NULL)))
    return -1;
  return reads(text("%s/covered/secret", args[1]));
}

static int nested_bind_without_cover(char **args) { return nested(bind_without_cover, args); }

/* ---- devices, set-user-ID, capabilities, ids ---- */

static int make_device(char **args) {
  const char *path = text("%s/device", args[0]);
  if (try("mknod", mknod(path, S_IFCHR | 0666, makedev(1, 3))))
    return -1;
  return try("open", open(path, O_WRONLY));
}

static int open_device(char **args) { return try("open", open(args[0], O_RDONLY | O_NONBLOCK)); }

/* Opening changes nothing. One that can be opened is enough. */
static int open_any_for_writing(char **args) {
  int result = fail("open for writing", ENOENT);
  for (; *args && result; args++)
    result = try("open for writing", open(*args, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY));
  if (!result)
    fprintf(stderr, "%s\n", args[-1]);
  return result;
}

/* Runs itself again from a file, with an argument that says what to look at. */
static int by_executing(const char *file, const char *what, const char *argument) {
  pid_t child = must(fork(), "fork");
  if (!child) {
    execl(file, file, what, argument, NULL);
    _exit(4);
  }
  int status;
  must(waitpid(child, &status, 0), "waitpid");
  return status ? fail(text("execution of %s", what), EPERM) : 0;
}

static int be_other_user(char **args) {
  (void)args;
  return geteuid() != getuid() ? 0 : fail("set-user-ID", EPERM);
}

static int be_other_group(char **args) {
  (void)args;
  return getegid() != getgid() ? 0 : fail("set-group-ID", EPERM);
}

static int capabilities(char **args) {
  (void)args;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  must(syscall(SYS_capget, &header, data), "capget");
  for (int i = 0; i < 2; i++)
    if (data[i].effective | data[i].permitted | data[i].inheritable)
      return 0;
  return fail("capget", EPERM);
}

static int silently(const char *file, const char *what) {
  int out = must(dup(1), "dup");
  must(dup2(must(open("/dev/null", O_WRONLY), "/dev/null"), 1), "dup2");
  int result = by_executing(file, what, NULL);
  dup2(out, 1);
  return result;
}

static int set_user_id(char **args) { return silently(args[0], "be-other-user"); }

static int set_group_id(char **args) { return silently(args[0], "be-other-group"); }

static int file_capabilities(char **args) { return silently(args[0], "capabilities"); }

static int raise_capabilities(char **args) {
  (void)args;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {.effective = 1 << CAP_SYS_CHROOT, .permitted = 1 << CAP_SYS_CHROOT}};
  return try("capset", syscall(SYS_capset, &header, data));
}

static int nested_namespace(char **args) {
  (void)args;
  return try("unshare", unshare(CLONE_NEWUSER));
}

static int nested_namespace_after_raising(char **args) {
  static const char *limits[] = {"/proc/sys/user/max_user_namespaces", NULL};
  for (const char **limit = limits; *limit; limit++) {
    int file = open(*limit, O_WRONLY);
    if (file != -1 && write(file, "100", 3) == -1)
      tried = "write";
  }
  return nested_namespace(args);
}

static int become(char **args) {
  uid_t other = (uid_t)number(args[0]);
  return try("setresuid", setresuid(other, other, other));
}

static int give_away(char **args) {
  int file = open(args[0], O_WRONLY | O_CREAT, 0644);
  if (try("open", file))
    return -1;
  return try("fchown", fchown(file, 0, 0) || fchown(file, 12, 12) ? -1 : 0);
}

/* What somebody else on the host executes is then root's. */
static int make_set_user_id(char **args) {
  int file = open(args[0], O_WRONLY | O_CREAT, 0755);
  if (try("open", file) || try("fchmod", fchmod(file, 04755)))
    return -1;
  /* Only the host can tell whose it is. */
  return fail("made", 0);
}

static int drop_groups(char **args) {
  (void)args;
  return try("setgroups", setgroups(0, NULL));
}

static int name_host(char **args) {
  (void)args;
  char name[65];
  must(gethostname(name, sizeof name), "gethostname");
  return try("sethostname", sethostname(name, strlen(name)));
}

/* ---- other processes ---- */

static int trace(char **args) {
  return try("ptrace", ptrace(PTRACE_SEIZE, (pid_t)number(args[0]), NULL, NULL));
}

static int trace_parent(char **args) {
  (void)args;
  return try("ptrace", ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int trace_process(const char *pid, char **args) {
  (void)args;
  if (ptrace(PTRACE_SEIZE, (pid_t)number(pid), NULL, NULL))
    return fail("ptrace", errno);
  return 0;
}

/* Only those of which the environment has the mark: no other's process is harmed. */
static int marked(const char *pid, const char *mark) {
  char content[65536];
  int file = open(text("/proc/%s/environ", pid), O_RDONLY);
  if (try("open of an environment", file))
    return 0;
  ssize_t length = read(file, content, sizeof content);
  close(file);
  return length > 0 && memmem(content, (size_t)length, mark, strlen(mark)) != NULL;
}

static int trace_marked(const char *pid, char **args) {
  return marked(pid, args[0]) ? trace_process(pid, args) : -1;
}

static int trace_any(char **args) { return any_process(trace_marked, args); }

static int read_memory(char **args) {
  char content[6] = "";
  struct iovec here = {content, sizeof content};
  struct iovec there = {(void *)(uintptr_t)strtoull(args[1], NULL, 0), sizeof content};
  return try("process_vm_readv",
             process_vm_readv((pid_t)number(args[0]), &here, 1, &there, 1, 0));
}

static int write_memory(char **args) {
  char content[] = "broken";
  struct iovec here = {content, sizeof content};
  struct iovec there = {(void *)(uintptr_t)strtoull(args[1], NULL, 0), sizeof content};
  return try("process_vm_writev",
             process_vm_writev((pid_t)number(args[0]), &here, 1, &there, 1, 0));
}

static int write_memory_file(char **args) {
  int memory = open(text("/proc/%s/mem", args[0]), O_RDWR);
  if (try("open", memory))
    return -1;
  return try("pwrite", pwrite(memory, "broken", 6, (off_t)strtoull(args[1], NULL, 0)));
}

static int take_descriptor(char **args) {
  int process = syscall(SYS_pidfd_open, number(args[0]), 0);
  if (try("pidfd_open", process))
    return -1;
  int file = syscall(SYS_pidfd_getfd, process, number(args[1]), 0);
  return try("pidfd_getfd", file);
}

static int read_environment(char **args) {
  return reads(text("/proc/%s/environ", args[0])) && !marked(args[0], args[1]) ? -1 : 0;
}

static int environment_has(const char *pid, char **args) { return marked(pid, args[0]) ? 0 : -1; }

static int read_any_environment(char **args) {
  if (marked("self", args[0]))
    return 0;
  return any_process(environment_has, args);
}

/* ETXTBSY means that it could be written as soon as it has ended (CVE-2019-5736). */
static int write_executable_of(const char *pid, char **args) {
  (void)args;
  int file = open(text("/proc/%s/exe", pid), O_WRONLY);
  return file == -1 && errno != ETXTBSY ? fail("open of an executable", errno) : 0;
}

static int write_executable(char **args) { return write_executable_of(args[0], args); }

static int write_executable_of_parent(char **args) {
  return write_executable_of(text("%d", getppid()), args);
}

static int executable_of_marked(const char *pid, char **args) {
  return strcmp(pid, text("%d", getpid())) ? write_executable_of(pid, args) : -1;
}

static int write_any_executable(char **args) { return any_process(executable_of_marked, args); }

static int see_process(char **args) {
  struct stat found;
  return try("stat", stat(text("/proc/%s", args[0]), &found));
}

static int send_signal(char **args) {
  return try("kill", kill((pid_t)number(args[0]), SIGKILL));
}

static int send_signal_by_pidfd(char **args) {
  int process = syscall(SYS_pidfd_open, number(args[0]), 0);
  if (try("pidfd_open", process))
    return -1;
  return try("pidfd_send_signal", syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0));
}

static int limit_process(char **args) {
  struct rlimit none = {0, 0};
  return try("prlimit", prlimit((pid_t)number(args[0]), RLIMIT_CORE, &none, NULL));
}

static int slow_process(char **args) {
  return try("setpriority", setpriority(PRIO_PROCESS, (id_t)number(args[0]), 19));
}

/* By a descriptor's owner, whom the kernel tells when there is something to read. */
static int signal_by_owner(char **args) {
  int pair[2];
  must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
  if (try("F_SETOWN", fcntl(pair[0], F_SETOWN, (int)number(args[0]))) ||
      try("F_SETSIG", fcntl(pair[0], F_SETSIG, SIGKILL)) ||
      try("F_SETFL", fcntl(pair[0], F_SETFL, O_ASYNC)))
    return -1;
  must((int)write(pair[1], "x", 1), "write");
  nanosleep(&(struct timespec){0, 50000000}, NULL);
  return kill((pid_t)number(args[0]), 0) ? 0 : fail("still there", 0);
}

/* ---- sockets, queues, keys ---- */

static int connect_to(struct sockaddr_un *address, size_t length) {
  address->sun_family = AF_UNIX;
  int connection = socket(AF_UNIX, SOCK_STREAM, 0);
  if (try("socket", connection))
    return -1;
  int result = connect(connection, (struct sockaddr *)address,
                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  return try("connect", result);
}

static int connect_path(char **args) {
  struct sockaddr_un address = {0};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", args[0]);
  return connect_to(&address, strlen(address.sun_path) + 1);
}

static int connect_abstract(char **args) {
  struct sockaddr_un address = {0};
  int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", args[0]);
  return connect_to(&address, (size_t)length + 1);
}

static int connect_port(char **args) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)number(args[0])),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (try("socket", connection))
    return -1;
  return try("connect", connect(connection, (struct sockaddr *)&address, sizeof address));
}

static int see_devices(char **args) {
  (void)args;
  FILE *devices = fopen("/proc/self/net/dev", "r");
  if (!devices)
    return fail("fopen", errno);
  char line[256];
  int count = 0;
  while (fgets(line, sizeof line, devices))
    count += strchr(line, ':') && !strstr(line, " lo:");
  fclose(devices);
  return count ? 0 : fail("no device", ENODEV);
}

static int attach_shared_memory(char **args) {
  return try("shmget", shmget((key_t)number(args[0]), 0, 0));
}

static int open_queue(char **args) {
  return try("mq_open", mq_open(args[0], O_RDONLY));
}

static int read_key(char **args) {
  char content[64] = "";
  long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", args[0], 0);
  if (try("keyctl", key))
    return -1;
  return try("keyctl", syscall(SYS_keyctl, KEYCTL_READ, key, content, sizeof content));
}

static int make_ring(char **args) {
  (void)args;
  static char parameters[256];
  return try("io_uring_setup", syscall(SYS_io_uring_setup, 1, parameters));
}

/* ---- the terminal: standard input ---- */

static int push_key(char **args) {
  (void)args;
  return try("TIOCSTI", syscall(SYS_ioctl, 0, (long)TIOCSTI, "x"));
}

/* The kernel looks at the lower 32 bits only (CVE-2019-10063). */
static int push_key_high(char **args) {
  (void)args;
  return try("TIOCSTI with high bits", syscall(SYS_ioctl, 0, (1L << 32) | (long)TIOCSTI, "x"));
}

static int push_key_by_name(char **args) {
  (void)args;
  int terminal = open("/dev/tty", O_RDWR);
  if (try("open of /dev/tty", terminal))
    return -1;
  return try("TIOCSTI", ioctl(terminal, TIOCSTI, "x"));
}

static int paste(char **args) {
  (void)args;
  struct {
    char code;
    struct tiocl_selection selection;
  } __attribute__((packed)) select = {TIOCL_SETSEL, {1, 1, 3, 1, TIOCL_SELCHAR}};
  if (try("TIOCLINUX", ioctl(0, TIOCLINUX, &select)))
    return -1;
  char code = TIOCL_PASTESEL;
  return try("TIOCLINUX", ioctl(0, TIOCLINUX, &code));
}

/* Only a console obeys, but what says so is the terminal: nobody was in between. */
static int reach_terminal(char **args) {
  (void)args;
  char code = TIOCL_PASTESEL;
  int result = try("TIOCLINUX", ioctl(0, TIOCLINUX, &code));
  return result && errno == ENOTTY ? 0 : result;
}

/* ---- propagation: works with the wrapper "shared" ---- */

static void wait_for(const char *path) {
  for (int i = 0; i < PATIENCE * 50 && access(path, F_OK); i++)
    nanosleep(&(struct timespec){0, 20000000}, NULL);
}

static void touch(const char *path) { close(open(path, O_WRONLY | O_CREAT, 0666)); }

static int see_later_mount(char **args) {
  touch(text("%s/ready", args[0]));
  wait_for(text("%s/go", args[0]));
  return reads(text("%s/below/secret", args[0]));
}

/* Whatever is mounted meanwhile; the wrapper counts. */
static int mount_for_others(char **args) {
  int result = mount_something((char *[]){(char *)text("%s/below", args[0]), NULL});
  int error = errno;
  touch(text("%s/ready", args[0]));
  wait_for(text("%s/go", args[0]));
  errno = error;
  return result && errno ? -1 : fail("only for itself", 0);
}

/* ---- living on ---- */

/* Leaves a process behind that has nothing to do with this one, and ends. */
static int live_on(char **args) {
  if (!must(fork(), "fork")) {
    setsid();
    if (must(fork(), "fork"))
      _exit(0);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++)
      dup2(null, i);
    touch(text("%s/alive", args[0]));
    for (int i = 0; i < PATIENCE; i++)
      sleep(1);
    _exit(0);
  }
  wait_for(text("%s/alive", args[0]));
  for (int i = 0; i < PATIENCE; i++)
    sleep(1);
  return -1;
}

/* ---- wrappers ---- */

static char **after_dashes(char **args) {
  while (*args && strcmp(*args, "--"))
    args++;
  if (!*args || !args[1])
    errx(2, "no -- COMMAND");
  return args + 1;
}

static void execute(char **command) {
  execvp(*command, command);
  err(3, "%s", *command);
}

static int run(char **command) {
  pid_t child = must(fork(), "fork");
  if (!child)
    execute(command);
  int status;
  must(waitpid(child, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A process of the same user that waits. */
static int parent(char **args) { exit(run(after_dashes(args))); }

static int with_descriptors(char **args) {
  struct rlimit limit;
  must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
  int root = must(open("/", O_RDONLY | O_DIRECTORY), "/");
  for (int descriptor = 3; descriptor < 256; descriptor++)
    if (descriptor != root)
      must(dup2(root, descriptor), "dup2");
  execute(after_dashes(args));
  return -1;
}

static int in_directory(char **args) {
  must(chdir(args[0]), "chdir");
  execute(after_dashes(args));
  return -1;
}

/* TIMES A B: exchanges two names all the while. */
static int exchange(char **args) {
  pid_t child = must(fork(), "fork");
  if (!child) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      must((int)syscall(SYS_renameat2, AT_FDCWD, args[1], AT_FDCWD, args[2], RENAME_EXCHANGE),
           "renameat2");
  }
  int result = 0;
  for (long i = 0; i < number(args[0]); i++)
    result = run(after_dashes(args));
  if (waitpid(child, NULL, WNOHANG))
    errx(3, "the exchange has ended");
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  exit(result);
}

/* A session of its own on this terminal; what comes to its input is told by the one who made it. */
static void watch_input(int terminal, const char *line, char **command) {
  struct termios raw;
  must(tcgetattr(terminal, &raw), "tcgetattr");
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  must(tcsetattr(terminal, TCSANOW, &raw), "tcsetattr");
  must((int)write(terminal, line, strlen(line)), "write");
  pid_t child = must(fork(), "fork");
  if (!child) {
    must(setsid(), "setsid");
    must(ioctl(terminal, TIOCSCTTY, 1), "TIOCSCTTY");
    must(dup2(terminal, 0), "dup2");
    execute(command);
  }
  int status, waiting = 0;
  must(waitpid(child, &status, 0), "waitpid");
  must(ioctl(terminal, FIONREAD, &waiting), "FIONREAD");
  if (waiting)
    puts("open");
  exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

static int terminal(char **args) {
  int master = must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt");
  must(grantpt(master) | unlockpt(master), "unlockpt");
  int slave = must(open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC), "open");
  watch_input(slave, "", after_dashes(args));
  return -1;
}

/* A virtual one of the kernel's. */
static int console(char **args) {
  int slave = must(open(args[0], O_RDWR | O_NOCTTY | O_CLOEXEC), args[0]);
  tcflush(slave, TCIOFLUSH);
  watch_input(slave, "\033[Habc\r\n", after_dashes(args));
  return -1;
}

static int count_mounts(void) {
  FILE *mounts = fopen("/proc/self/mountinfo", "r");
  if (!mounts)
    err(3, "mountinfo");
  int count = 0;
  for (int c; (c = getc(mounts)) != EOF;)
    count += c == '\n';
  fclose(mounts);
  return count;
}

/* DIRECTORY: shared with whatever is made of it; says if a mount comes out, and makes a later one. */
static int shared(char **args) {
  const char *here = args[0];
  must(unshare(CLONE_NEWNS), "unshare");
  must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make private");
  must(mount(here, here, NULL, MS_BIND, NULL), "bind");
  must(mount(NULL, here, NULL, MS_SHARED, NULL), "make shared");
  int before = count_mounts();
  pid_t child = must(fork(), "fork");
  if (!child)
    execute(after_dashes(args));
  int status;
  while (access(text("%s/ready", here), F_OK) && !waitpid(child, &status, WNOHANG))
    nanosleep(&(struct timespec){0, 20000000}, NULL);
  int during = count_mounts();
  const char *below = text("%s/below", here);
  must(mount("late", below, "tmpfs", 0, "mode=1777"), "mount");
  FILE *secret = fopen(text("%s/secret", below), "w");
  fputs("secret\n", secret);
  fclose(secret);
  touch(text("%s/go", here));
  waitpid(child, &status, 0);
  if (during != before || count_mounts() != before + 1)
    puts("open");
  exit(0);
}

/* DIRECTORY...: a file system in each, for this process and its children. */
static int mounted(char **args) {
  must(unshare(CLONE_NEWNS), "unshare");
  must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make private");
  for (char **each = args; strcmp(*each, "--"); each++)
    must(mount("below", *each, "tmpfs", 0, "mode=1777"), "mount");
  execute(after_dashes(args));
  return -1;
}

/* NAME: a key of that name in a session keyring of the command's. */
static int with_key(char **args) {
  must((int)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL), "keyctl");
  must((int)syscall(SYS_add_key, "user", args[0], "secret", 6, KEY_SPEC_SESSION_KEYRING), "add_key");
  execute(after_dashes(args));
  return -1;
}

/* DIRECTORY: kills the command with SIGKILL once it has left something behind; says if that lives. */
static int killing(char **args) {
  const char *file = text("%s/alive", args[0]);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t child = must(fork(), "fork");
  if (!child)
    execute(after_dashes(args));
  wait_for(file);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  /* Everything that lives is a child now. It has this long to notice. */
  for (int i = 0; i < 100; i++) {
    if (waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD) {
      puts("closed: all have ended");
      exit(1);
    }
    nanosleep(&(struct timespec){0, 50000000}, NULL);
  }
  puts("open");
  fflush(stdout);
  for (int i = 0; i < 100; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *children = fopen(path, "r");
    int pid, any = 0;
    while (children && fscanf(children, "%d", &pid) == 1) {
      kill(pid, SIGKILL);
      any = 1;
    }
    if (children)
      fclose(children);
    while (waitpid(-1, NULL, WNOHANG) > 0)
      ;
    if (!any)
      break;
    nanosleep(&(struct timespec){0, 20000000}, NULL);
  }
  exit(0);
}

/* ---- what attacks are aimed at ---- */

static char memory[] = "secret";

static int listener(int family, struct sockaddr *address, socklen_t length) {
  int server = must(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  must(bind(server, address, length), "bind");
  must(listen(server, 16), "listen");
  return server;
}

/*
 * DIRECTORY: a process that has all an attack could be after. Prints how to reach that; when its
 * standard input ends, says how it fared.
 */
static int victim(char **args) {
  must(chdir(args[0]), "chdir");
  int secret = must(open("secret", O_RDONLY | O_CLOEXEC), "secret");
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "socket"};
  listener(AF_UNIX, (struct sockaddr *)&path, sizeof path);
  struct sockaddr_un abstract = {.sun_family = AF_UNIX};
  int length = sprintf(abstract.sun_path + 1, "cloister-%d", getpid());
  listener(AF_UNIX, (struct sockaddr *)&abstract,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length));
  struct sockaddr_in port = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof port;
  getsockname(listener(AF_INET, (struct sockaddr *)&port, size), (struct sockaddr *)&port, &size);
  /* Not by a process id: a victim that was killed had it, and left these behind. */
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  key_t key = 0x40000000 | (key_t)now.tv_nsec;
  int shared_memory = must(shmget(key, 1, IPC_CREAT | 0600), "shmget");
  const char *queue = text("/cloister-%ld-%ld", (long)now.tv_sec, now.tv_nsec);
  struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 1};
  must(mq_open(queue, O_RDWR | O_CREAT, 0600, &attributes), "mq_open");
  printf("%d %#lx %d %s %d %d %s\n", getpid(), (unsigned long)memory, secret, abstract.sun_path + 1,
         ntohs(port.sin_port), key, queue);
  fflush(stdout);
  char nothing;
  ssize_t ended;
  do
    ended = read(0, &nothing, 1);
  while (ended == -1 && errno == EINTR);
  struct rlimit core;
  getrlimit(RLIMIT_CORE, &core);
  printf("memory %s, core files %s, priority %d\n", memory, core.rlim_max ? "allowed" : "forbidden",
         getpriority(PRIO_PROCESS, 0));
  shmctl(shared_memory, IPC_RMID, NULL);
  mq_unlink(queue);
  exit(0);
}

/* FILE: gives it a capability that no namespace is needed for. */
static int give_capabilities(char **args) {
  struct {
    uint32_t magic;
    struct {
      uint32_t permitted, inheritable;
    } sets[2];
  } data = {0x02000001 /* version 2, effective */, {{1 << CAP_SYS_CHROOT, 0}, {0, 0}}};
  must(setxattr(args[0], "security.capability", &data, sizeof data, 0), "setxattr");
  exit(0);
}

static const struct command {
  const char *name;
  int (*function)(char **);
  int arguments;
} commands[] = {
    {"attach-shared-memory", attach_shared_memory, 1},
    {"be-other-group", be_other_group, 0},
    {"be-other-user", be_other_user, 0},
    {"become", become, 1},
    {"by-handle", by_handle, 2},
    {"capabilities", capabilities, 0},
    {"chroot-and-climb", chroot_and_climb, 2},
    {"clone-and-write", clone_and_write, 1},
    {"connect-abstract", connect_abstract, 1},
    {"connect-path", connect_path, 1},
    {"connect-port", connect_port, 1},
    {"console", console, 1},
    {"drop-groups", drop_groups, 0},
    {"enter-by-pidfd", enter_by_pidfd, 1},
    {"enter-mounts-of", enter_mounts_of, 2},
    {"enter-own-mounts", enter_own_mounts, 1},
    {"enter-users-of", enter_users_of, 1},
    {"exchange", exchange, 3},
    {"file-capabilities", file_capabilities, 1},
    {"give-away", give_away, 1},
    {"give-capabilities", give_capabilities, 1},
    {"in-directory", in_directory, 1},
    {"killing", killing, 1},
    {"limit-process", limit_process, 1},
    {"live-on", live_on, 1},
    {"make-device", make_device, 1},
    {"make-set-user-id", make_set_user_id, 1},
    {"make-ring", make_ring, 0},
    {"mount-by-descriptors", mount_by_descriptors, 1},
    {"mount-for-others", mount_for_others, 1},
    {"mount-something", mount_something, 1},
    {"mounted", mounted, 1},
    {"name-host", name_host, 0},
    {"nested-bind-without-cover", nested_bind_without_cover, 2},
    {"nested-chroot-and-climb", nested_chroot_and_climb, 2},
    {"nested-move-cover", nested_move_cover, 2},
    {"nested-namespace", nested_namespace, 0},
    {"nested-namespace-after-raising", nested_namespace_after_raising, 0},
    {"nested-remount-and-write", nested_remount_and_write, 1},
    {"nested-uncover", nested_uncover, 1},
    {"nothing", nothing, 0},
    {"open-any-for-writing", open_any_for_writing, 1},
    {"open-device", open_device, 1},
    {"open-queue", open_queue, 1},
    {"parent", parent, 1},
    {"paste", paste, 0},
    {"print-handle", print_handle, 1},
    {"push-key", push_key, 0},
    {"push-key-by-name", push_key_by_name, 0},
    {"push-key-high", push_key_high, 0},
    {"raise-capabilities", raise_capabilities, 0},
    {"reach-terminal", reach_terminal, 0},
    {"read-any-environment", read_any_environment, 1},
    {"read-environment", read_environment, 2},
    {"read-key", read_key, 1},
    {"read-memory", read_memory, 2},
    {"read-secret", read_secret, 1},
    {"remount-and-write", remount_and_write, 1},
    {"see-devices", see_devices, 0},
    {"see-later-mount", see_later_mount, 1},
    {"see-process", see_process, 1},
    {"send-signal", send_signal, 1},
    {"send-signal-by-pidfd", send_signal_by_pidfd, 1},
    {"set-attributes-and-write", set_attributes_and_write, 1},
    {"set-group-id", set_group_id, 1},
    {"set-user-id", set_user_id, 1},
    {"shared", shared, 1},
    {"signal-by-owner", signal_by_owner, 1},
    {"slow-process", slow_process, 1},
    {"take-descriptor", take_descriptor, 2},
    {"terminal", terminal, 1},
    {"through-any-process", through_any_process, 1},
    {"through-descriptor-of", through_descriptor_of, 2},
    {"through-descriptors", through_descriptors, 1},
    {"through-directory-of", through_directory_of, 2},
    {"through-leftovers", through_leftovers, 1},
    {"through-root-of", through_root_of, 2},
    {"through-working-directory", through_working_directory, 1},
    {"trace", trace, 1},
    {"trace-any", trace_any, 1},
    {"trace-parent", trace_parent, 0},
    {"uncover", uncover, 1},
    {"victim", victim, 1},
    {"with-descriptors", with_descriptors, 1},
    {"with-key", with_key, 1},
    {"write-any-executable", write_any_executable, 0},
    {"write-executable", write_executable, 1},
    {"write-executable-of-parent", write_executable_of_parent, 0},
    {"write-file", write_file, 1},
    {"write-memory", write_memory, 2},
    {"write-memory-file", write_memory_file, 2},
};

int main(int argc, char **argv) {
  for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
    const struct command *command = &commands[i];
    if (strcmp(argv[1], command->name))
      continue;
    if (argc - 2 < command->arguments)
      errx(2, "%s takes %d arguments", command->name, command->arguments);
    if (!command->function(argv + 2)) {
      puts("open");
      return 0;
    }
    printf("closed: %s: %s\n", tried, strerror(errno));
    return 1;
  }
  errx(2, "no such attack: %s", argc > 1 ? argv[1] : "");
}
