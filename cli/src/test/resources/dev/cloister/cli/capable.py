"""Uses capabilities.

usage: capable.py attack OUTSIDE_PID SECRET_FILE READ_ONLY_DIRECTORY MASKED_DIRECTORY
       capable.py gain     try to get more of them by executing; print those that are permitted
       capable.py use      do what needs some; print "NAME: open" or "NAME: closed" for each

For an attack, OUTSIDE_PID is a process of the same user outside, SECRET_FILE a file outside,
READ_ONLY_DIRECTORY a read-only mount of a directory of this user's, MASKED_DIRECTORY one over which
an empty file system is mounted and which has a file named "secret". Prints a line "NAME: open" or
"NAME: closed" for each attempt.
"""

import ctypes
import fcntl
import os
import socket
import stat
import struct
import sys
import tempfile

libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_REMOUNT, MS_BIND, MS_MOVE = 32, 4096, 8192
MNT_DETACH = 2
NS_GET_USERNS, NS_GET_PARENT = 0xB701, 0xB702
PTRACE_SEIZE = 0x4206
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
LINUX_CAPABILITY_VERSION_3 = 0x20080522
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def check(result):
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def mount(source, target, kind, flags):
    check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, None))


def scratch():
    return tempfile.mkdtemp(dir="/tmp")


def require(path):
    if not os.path.exists(path):
        raise OSError(f"no {path}")


def remount_writable(read_only):
    mount("none", read_only, "none", MS_REMOUNT | MS_BIND)
    open(read_only + "/written", "w").close()


def bind_writable(read_only):
    place = scratch()
    mount(read_only, place, "none", MS_BIND)
    remount_writable(place)


def unmount(masked):
    check(libc.umount2(masked.encode(), MNT_DETACH))
    require(masked + "/secret")


def unmount_the_root(secret):
    check(libc.umount2(b"/", MNT_DETACH))
    require(secret)


def move_the_root(secret):
    mount("/", scratch(), "none", MS_MOVE)
    require(secret)


def pivot(secret):
    place = scratch()
    mount("none", place, "tmpfs", 0)
    os.mkdir(place + "/old")
    os.chdir(place)
    check(libc.syscall(SYS_PIVOT_ROOT, b".", b"old"))
    require("old" + secret)


def climb(secret):
    place = scratch()
    os.chdir(place)
    top = os.open(".", os.O_RDONLY)
    os.mkdir("lower")
    os.chroot("lower")
    os.fchdir(top)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    require(secret)


def enter(path, secret):
    check(libc.setns(os.open(path, os.O_RDONLY), 0))
    require(secret)


def enter_user_namespace(path, request):
    above = fcntl.ioctl(os.open(path, os.O_RDONLY), request)
    check(libc.setns(above, CLONE_NEWUSER))


def look_through(path):
    require(path)


def trace(pid):
    check(libc.ptrace(PTRACE_SEIZE, int(pid), None, None))


def make_device():
    place = os.path.join(scratch(), "null")
    os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    open(place, "w").close()


def new_proc():
    """Whoever is root outside may write to what a procfs has, whatever the capabilities."""
    check(libc.unshare(CLONE_NEWPID))
    in_child(lambda: write_proc(scratch()))


def write_proc(place):
    mount("proc", place, "proc", 0)
    open(place + "/sys/kernel/core_pattern", "a").close()


def new_sysfs():
    check(libc.unshare(CLONE_NEWNET))
    place = scratch()
    mount("sysfs", place, "sysfs", 0)
    open(place + "/kernel/mm/transparent_hugepage/enabled", "a").close()


def in_child(attempt):
    process = os.fork()
    if process == 0:
        status = 0
        try:
            attempt()
        except Exception as e:  # every failure is as good
            print("    ", e, file=sys.stderr)
            status = 1
        os._exit(status)
    _, status = os.waitpid(process, 0)
    if status:
        raise OSError("failed in the child")


def after_unshare(flags, attempt):
    def both():
        check(libc.unshare(flags))
        attempt()

    return both


def attacks(outside, secret, read_only, masked):
    mounts = {
        "new procfs": new_proc,
        "new sysfs": new_sysfs,
        "chroot and climb": lambda: climb(secret),
        "own mount namespace": lambda: enter("/proc/self/ns/mnt", secret),
        "remount writable": lambda: remount_writable(read_only),
        "bind, remount writable": lambda: bind_writable(read_only),
        "unmount what masks": lambda: unmount(masked),
        "move the root": lambda: move_the_root(secret),
        "unmount the root": lambda: unmount_the_root(secret),
        "pivot the root": lambda: pivot(secret),
    }
    all_of_them = {}
    for name, attempt in mounts.items():
        all_of_them[name + ", new mounts"] = after_unshare(CLONE_NEWNS, attempt)
    all_of_them |= {
        "user namespace above": lambda: enter_user_namespace("/proc/self/ns/user", NS_GET_PARENT),
        "user namespace of the mounts": lambda: enter_user_namespace(
            "/proc/self/ns/mnt", NS_GET_USERNS
        ),
        "user namespace of another": lambda: enter(f"/proc/{outside}/ns/user", "/"),
        "mount namespace of another": lambda: enter(f"/proc/{outside}/ns/mnt", secret),
        "root of another": lambda: look_through(f"/proc/{outside}/root{secret}"),
        "trace another": lambda: trace(outside),
        "device": make_device,
        "the host's name": lambda: socket.sethostname(socket.gethostname()),
    }
    # Those that change what all share come last.
    return all_of_them | mounts


def set_capabilities(effective, permitted, inheritable):
    header = struct.pack("=Ii", LINUX_CAPABILITY_VERSION_3, 0)
    halves = b"".join(
        struct.pack("=III", *(each >> 32 * half & 0xFFFFFFFF for each in (effective, permitted, inheritable)))
        for half in range(2)
    )
    check(libc.capset(header, halves))


def status(field):
    for line in open("/proc/self/status"):
        if line.startswith(field):
            return int(line.split()[1], 16)
    raise KeyError(field)


def gain():
    permitted = status("CapPrm")
    # Whoever has CAP_SETPCAP may make inheritable what the bounding set allows (capabilities(7)).
    set_capabilities(permitted, permitted, status("CapBnd"))
    os.execv("/bin/sh", ["sh", "-c", "grep CapPrm /proc/self/status"])


def loopback():
    with socket.socket() as any_socket:
        name = b"lo".ljust(16, b"\0")
        answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, name + bytes(24))
        flags = struct.unpack_from("=H", answer, 16)[0]
        if not flags & IFF_UP:
            raise OSError("loopback is down")
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, name + struct.pack("=H", flags) + bytes(22))


def report(attempts):
    for name, attempt in attempts.items():
        try:
            in_child(attempt)
            print(f"{name}: open", flush=True)
        except OSError:
            print(f"{name}: closed", flush=True)


if sys.argv[1] == "attack":
    report(attacks(*sys.argv[2:]))
elif sys.argv[1] == "gain":
    gain()
else:
    report({"network": loopback, "host name": lambda: socket.sethostname("other")})
