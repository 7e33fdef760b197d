"""What Landlock forbids, tried from within, and what it leaves open.

    landlock.py serve BASE          be the process outside; says its id when all is there
    landlock.py attack BASE PID FD  says of each attack whether it is open or closed
    landlock.py leave BASE PID FD   the same of what nobody claims to close

FD is a descriptor of it for the directory outside.
BASE has the directories outside, read-only and writable; only the last two are shown.
"""
import ctypes
import os
import signal
import socket
import stat
import sys

BASE = sys.argv[2]
OUTSIDE = BASE + "/outside"
READ_ONLY = BASE + "/read-only"
WRITABLE = BASE + "/writable"
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def serve():
    files = socket.socket(socket.AF_UNIX)
    files.bind(OUTSIDE + "/socket")
    files.listen()
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0cloister-%d" % os.getpid())
    abstract.listen()
    directory = os.open(OUTSIDE, os.O_RDONLY)
    os.chdir(OUTSIDE)
    print(os.getpid(), directory, flush=True)
    sys.stdin.read()


def read(path):
    with open(path) as file:
        file.read()


def write(path):
    os.close(os.open(path, os.O_WRONLY))


def empty(path):
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))


def make(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def listen(path):
    socket.socket(socket.AF_UNIX).bind(path)


def connect(address):
    socket.socket(socket.AF_UNIX).connect(address)


def rename(source, target):
    os.rename(source, target)
    os.rename(target, source)


def exchange(one, other):
    # renameat2(2), RENAME_EXCHANGE
    for _ in range(2):
        check(LIBC.renameat2(-100, one.encode(), -100, other.encode(), 2))


def link(source, target):
    os.link(source, target)
    os.unlink(target)


def write_by_link(source, target):
    os.link(source, target)
    try:
        write(target)
    finally:
        os.unlink(target)


def execute(path):
    child = os.fork()
    if child == 0:
        try:
            os.execv(path, [path])
        except OSError:
            os._exit(99)
    if os.waitpid(child, 0)[1] != 0:
        raise PermissionError


def trace(pid):
    # PTRACE_ATTACH, PTRACE_DETACH
    check(LIBC.ptrace(16, pid, 0, 0))
    os.waitpid(pid, 0x40000000)
    check(LIBC.ptrace(17, pid, 0, 0))


def read_memory(pid):
    class Range(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

    with open("/proc/self/maps") as maps:
        address = int(maps.readline().split("-")[0], 16)
    buffer = ctypes.create_string_buffer(1)
    here = Range(ctypes.addressof(buffer), 1)
    # Any errno but EPERM shows that it was allowed to look.
    there = Range(address, 1)
    result = LIBC.process_vm_readv(pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    if result < 0 and ctypes.get_errno() == 1:
        raise PermissionError


def through_standard_input(path):
    # What was standard input; Python would not start with a directory there.
    os.close(os.open(path, os.O_RDONLY, dir_fd=8))


def mount():
    # CLONE_NEWUSER|CLONE_NEWNS; without them root's own mounts would be tried.
    uid, gid = os.getuid(), os.getgid()
    check(LIBC.unshare(0x10020000))
    for file, text in (("setgroups", "deny"), ("uid_map", "0 %d 1" % uid), ("gid_map", "0 %d 1" % gid)):
        with open("/proc/self/" + file, "w") as opened:
            opened.write(text)
    check(LIBC.mount(b"none", WRITABLE.encode(), b"tmpfs", 0, None))


def mount_in_child():
    child = os.fork()
    if child == 0:
        try:
            mount()
            os._exit(0)
        except OSError:
            os._exit(99)
    if os.waitpid(child, 0)[1] != 0:
        raise PermissionError


def attacks(pid, directory):
    proc = "/proc/%d" % pid
    yield "read outside", lambda: read(OUTSIDE + "/secret")
    yield "list outside", lambda: os.listdir(OUTSIDE)
    yield "list the root", lambda: os.listdir("/")
    yield "write outside", lambda: write(OUTSIDE + "/file")
    yield "truncate outside", lambda: os.truncate(OUTSIDE + "/file", 0)
    yield "empty outside", lambda: empty(OUTSIDE + "/file")
    yield "make a file outside", lambda: make(OUTSIDE + "/made")
    yield "make a directory outside", lambda: os.mkdir(OUTSIDE + "/made-directory")
    yield "make a link outside", lambda: os.symlink("x", OUTSIDE + "/made-link")
    yield "make a fifo outside", lambda: os.mkfifo(OUTSIDE + "/made-fifo")
    yield "make a socket outside", lambda: listen(OUTSIDE + "/made-socket")
    yield "remove a file outside", lambda: os.unlink(OUTSIDE + "/doomed")
    yield "remove a directory outside", lambda: os.rmdir(OUTSIDE + "/doomed-directory")
    yield "rename out", lambda: rename(WRITABLE + "/file", OUTSIDE + "/renamed")
    yield "rename in", lambda: rename(OUTSIDE + "/file", WRITABLE + "/renamed")
    yield "exchange with outside", lambda: exchange(OUTSIDE + "/file", WRITABLE + "/file")
    yield "link out", lambda: link(WRITABLE + "/file", OUTSIDE + "/linked")
    yield "link in", lambda: link(OUTSIDE + "/file", WRITABLE + "/linked")
    yield "execute outside", lambda: execute(OUTSIDE + "/true")
    yield "read outside through the own root", lambda: read("/proc/self/root" + OUTSIDE + "/secret")
    yield "read outside through another's root", lambda: read(proc + "/root" + OUTSIDE + "/secret")
    yield "read outside through another's directory", lambda: read(proc + "/cwd/secret")
    yield "read outside through another's descriptor", lambda: read(
        "%s/fd/%d/secret" % (proc, directory)
    )
    yield "read outside through standard input", lambda: through_standard_input("secret")
    yield "read outside through an inherited descriptor", lambda: read("/proc/self/fd/7/secret")
    yield "read outside through a link", lambda: read(WRITABLE + "/to-secret")
    yield "write in read-only", lambda: write(READ_ONLY + "/file")
    yield "append in read-only", lambda: os.close(os.open(READ_ONLY + "/file", os.O_RDWR | os.O_APPEND))
    yield "truncate in read-only", lambda: os.truncate(READ_ONLY + "/file", 0)
    yield "empty in read-only", lambda: empty(READ_ONLY + "/file")
    yield "make a file in read-only", lambda: make(READ_ONLY + "/made")
    yield "remove a file in read-only", lambda: os.unlink(READ_ONLY + "/doomed")
    yield "rename within read-only", lambda: rename(READ_ONLY + "/file", READ_ONLY + "/renamed")
    yield "rename from read-only", lambda: rename(READ_ONLY + "/file", WRITABLE + "/renamed")
    yield "rename to read-only", lambda: rename(WRITABLE + "/file", READ_ONLY + "/renamed")
    yield "write to read-only through a link", lambda: write_by_link(
        READ_ONLY + "/file", WRITABLE + "/linked"
    )
    # A character device of number 0:0 may be made without any capability.
    yield "make a device in writable", lambda: os.mknod(WRITABLE + "/device", stat.S_IFCHR | 0o600, 0)
    yield "environment of another", lambda: read(proc + "/environ")
    yield "memory of another", lambda: read_memory(pid)
    yield "trace another", lambda: trace(pid)
    yield "mount in a user namespace", mount_in_child
    yield "signal another", lambda: os.kill(pid, signal.SIGWINCH)
    yield "abstract socket", lambda: connect("\0cloister-%d" % pid)


def left_open(pid, directory):
    yield "see outside", lambda: os.stat(OUTSIDE + "/secret")
    yield "enter outside", lambda: os.chdir(OUTSIDE)
    yield "mode outside", lambda: os.chmod(OUTSIDE + "/file", 0o640)
    yield "mode in read-only", lambda: os.chmod(READ_ONLY + "/file", 0o640)
    yield "times in read-only", lambda: os.utime(READ_ONLY + "/file", (1, 1))
    yield "socket outside", lambda: connect(OUTSIDE + "/socket")
    yield "another's name", lambda: read("/proc/%d/comm" % pid)


def try_all(kind):
    pid, directory = int(sys.argv[3]), int(sys.argv[4])
    for name, attack in kind(pid, directory):
        try:
            attack()
            print(name + ": open")
        except OSError:
            print(name + ": closed")


if sys.argv[1] == "serve":
    serve()
elif sys.argv[1] == "attack":
    try_all(attacks)
else:
    try_all(left_open)
