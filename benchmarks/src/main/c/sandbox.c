/*
 * The calls of a launcher that `cloister emit --preset host --bind DIRECTORY /opt` wrote, as a static C
 * program makes them: a peer for measurements, without the launcher's error messages and fallbacks.
 *
 *     sandbox DIRECTORY PATH_OF_COMMAND [ARGUMENT...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECURSIVE 0x8000
#define OLDER_MOUNTS_BELOW 1

static long check(long result, const char *call)
{
    if (result < 0) {
        fprintf(stderr, "%s: %s\n", call, strerror(errno));
        exit(125);
    }
    return result;
}

#define CHECK(call) check((long)(call), #call)

static int proc;

static void write_file(const char *name, const char *text)
{
    int file = CHECK(openat(proc, name, O_WRONLY | O_CLOEXEC));
    CHECK(write(file, text, strlen(text)));
    CHECK(close(file));
}

static void map(const char *name, unsigned inside, unsigned outside)
{
    char text[32];
    snprintf(text, sizeof text, "%u %u 1", inside, outside);
    int file = CHECK(openat(proc, name, O_WRONLY | O_CLOEXEC));
    CHECK(write(file, text, strlen(text)));
}

static int copy(const char *path)
{
    return syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | RECURSIVE);
}

static void restrict_mount(int directory, const char *path, int flags, unsigned long attributes)
{
    struct mount_attr attr = {.attr_set = attributes};
    CHECK(syscall(SYS_mount_setattr, directory, path, flags | RECURSIVE, &attr, sizeof attr));
}

static void attach(int tree, const char *name, unsigned long attributes)
{
    restrict_mount(tree, "", AT_EMPTY_PATH, attributes);
    CHECK(mkdir(name, 0755));
    CHECK(syscall(SYS_move_mount, tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH));
}

static void as_on_host(const char *entry, unsigned long attributes)
{
    char target[4096];
    ssize_t length = readlink(entry, target, sizeof target - 1);
    if (length > 0) {
        target[length] = 0;
        CHECK(symlink(target, entry + 1));
    } else if (errno == EINVAL) {
        attach(CHECK(copy(entry)), entry + 1, attributes);
    }
}

static void devices(void)
{
    static const char *const names[] = {"null", "zero", "full", "random", "urandom", "tty"};
    CHECK(mkdir("dev", 0755));
    CHECK(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
    CHECK(chdir("dev"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/%s", names[i]);
        CHECK(mknod(names[i], S_IFREG | 0444, 0));
        CHECK(mount(path, names[i], NULL, MS_BIND, NULL));
    }
    CHECK(symlink("/proc/self/fd", "fd"));
    CHECK(symlink("/proc/self/fd/0", "stdin"));
    CHECK(symlink("/proc/self/fd/1", "stdout"));
    CHECK(symlink("/proc/self/fd/2", "stderr"));
    CHECK(symlink("/proc/kcore", "core"));
    CHECK(mkdir("shm", 01777));
    CHECK(mkdir("pts", 0755));
    CHECK(mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=620"));
    CHECK(symlink("pts/ptmx", "ptmx"));
    CHECK(chdir("/.."));
}

static void protected_proc(void)
{
    static const char *const names[] = {"sys", "irq", "bus", "sysrq-trigger"};
    CHECK(mkdir("proc", 0755));
    CHECK(mount("/proc", "proc", NULL, MS_BIND | MS_REC, NULL));
    restrict_mount(AT_FDCWD, "proc", 0, MOUNT_ATTR_NOSUID);
    CHECK(chdir("proc"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (mount(names[i], names[i], NULL, MS_BIND | MS_REC, NULL) == 0) {
            restrict_mount(AT_FDCWD, names[i], 0,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        }
    }
    CHECK(chdir("/.."));
}

int main(int count, char **arguments, char **environment)
{
    static const char *const entries[] = {
        "/usr", "/etc", "/nix", "/bin", "/lib", "/lib32", "/lib64", "/libx32", "/sbin"};
    const unsigned long read_only = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
    char directory[4096];
    if (count < 3) {
        return 125;
    }
    unsigned uid = geteuid();
    unsigned gid = getegid();
    int root = uid == 0;
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[2];
    CHECK(syscall(SYS_capget, &header, sets));
    CHECK(syscall(SYS_close_range, 3, ~0U, 0));
    signal(SIGCHLD, SIG_DFL);
    if (getcwd(directory, sizeof directory) == NULL) {
        strcpy(directory, "/");
    }
    mode_t mask = umask(0);
    proc = CHECK(open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (root) {
        CHECK(unshare(CLONE_NEWNS));
    } else {
        CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
        write_file("self/setgroups", "deny");
        map("self/uid_map", 0, uid);
        map("self/gid_map", 0, gid);
    }
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    int dev = root ? -1 : CHECK(copy("/dev"));
    int host_proc = root ? -1 : CHECK(copy("/proc"));
    int sys = CHECK(copy("/sys"));
    int opt = CHECK(copy(arguments[1]));
    CHECK(mount("tmpfs", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"));
    CHECK(chdir("/.."));
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        as_on_host(entries[i], read_only);
    }
    if (root) {
        devices();
        protected_proc();
        attach(sys, "sys", read_only);
    } else {
        attach(dev, "dev", MOUNT_ATTR_NOSUID);
        attach(host_proc, "proc", MOUNT_ATTR_NOSUID);
        attach(sys, "sys", MOUNT_ATTR_NOSUID);
    }
    CHECK(mkdir("tmp", 01777));
    attach(opt, "opt", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    int old_root = CHECK(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    CHECK(syscall(SYS_pivot_root, ".", "."));
    CHECK(fchdir(old_root));
    for (int i = 0; i < OLDER_MOUNTS_BELOW; i++) {
        CHECK(umount2(".", MNT_DETACH));
    }
    while (umount2(".", MNT_DETACH) == 0) {
    }
    CHECK(chdir("/"));
    if (root) {
        CHECK(syscall(SYS_setgroups, 0, NULL));
    }
    CHECK(unshare(CLONE_NEWUSER));
    if (root) {
        write_file("self/setgroups", "deny");
    }
    map("self/uid_map", uid, root ? uid : 0);
    map("self/gid_map", gid, root ? gid : 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    memset(sets, 0, sizeof sets);
    CHECK(syscall(SYS_capset, &header, sets));
    umask(mask);
    CHECK(syscall(SYS_close_range, 3, ~0U, 0));
    if (chdir(directory) < 0) {
        CHECK(chdir("/"));
    }
    execve(arguments[2], arguments + 2, environment);
    return 127;
}
