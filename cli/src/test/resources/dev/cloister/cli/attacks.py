"""Tries to get out of a sandbox and says what worked.

usage: attacks.py OUTSIDE_PID SECRET_FILE READ_ONLY_DIRECTORY SETUID_ID

OUTSIDE_PID is a process of the same user outside, SECRET_FILE a file outside that this user could
read there, READ_ONLY_DIRECTORY a read-only mount of a directory of this user's, SETUID_ID a
set-user-ID copy of id(1). Prints a line "NAME: open" or "NAME: closed" for
each attempt.
"""

import ctypes
import glob
import os
import stat
import subprocess
import sys
import tempfile

outside, secret, read_only, setuid_id = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_REMOUNT, MS_BIND = 32, 4096
MNT_DETACH = 2
PTRACE_SEIZE = 0x4206


def check(result):
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def mount(source, target, kind, flags):
    check(libc.mount(source.encode(), target.encode(), kind.encode(), flags, None))


def scratch():
    return tempfile.mkdtemp(dir="/tmp")


def sees_secret():
    if not os.path.exists(secret):
        raise OSError("the secret is not there")


def chroot_and_climb():
    place = scratch()
    os.chdir(place)
    top = os.open(".", os.O_RDONLY)
    os.mkdir("lower")
    os.chroot("lower")
    os.fchdir(top)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    sees_secret()


def enter_namespace(path):
    descriptor = os.open(path, os.O_RDONLY)
    check(libc.setns(descriptor, CLONE_NEWNS))
    sees_secret()


def remount_writable():
    mount("none", read_only, "none", MS_REMOUNT | MS_BIND)
    open(read_only + "/written", "w").close()


def in_own_namespaces(attack):
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
    attack()


def unmount_the_root():
    check(libc.umount2(b"/", MNT_DETACH))
    sees_secret()


def make_device():
    place = os.path.join(scratch(), "null")
    os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def become_through_setuid():
    ids = subprocess.run([setuid_id, "-u"], capture_output=True, text=True, check=True).stdout
    if int(ids) == os.getuid():
        raise OSError("nothing gained")


def trace(pid):
    check(libc.ptrace(PTRACE_SEIZE, int(pid), None, None))


def look_through(path):
    if not os.path.exists(path + secret):
        raise OSError("the secret is not there")


def read_environment(pid):
    if not open(f"/proc/{pid}/environ").read():
        raise OSError("empty")


def climb_from_working_directory():
    for _ in range(64):
        os.chdir("..")
        if os.path.exists("." + secret):
            return
    raise OSError("the secret is not there")


def use_descriptors():
    for name in os.listdir("/proc/self/fd"):
        path = f"/proc/self/fd/{name}"
        if int(name) > 2 and os.path.isdir(path) and os.path.exists(path + "/." + secret):
            return
    raise OSError("no descriptor leads out")


def any_process_shows(what):
    for path in glob.glob(f"/proc/[0-9]*/{what}"):
        if os.path.exists(path + secret):
            return
    raise OSError("the secret is not there")


parent = os.getppid()
attacks = {
    "the secret's own path": sees_secret,
    "chroot and climb": chroot_and_climb,
    "mount": lambda: mount("none", scratch(), "tmpfs", 0),
    "remount writable": remount_writable,
    "own mount namespace": lambda: enter_namespace("/proc/self/ns/mnt"),
    "another's mount namespace": lambda: enter_namespace(f"/proc/{outside}/ns/mnt"),
    "new namespaces, chroot and climb": lambda: in_own_namespaces(chroot_and_climb),
    "new namespaces, remount writable": lambda: in_own_namespaces(remount_writable),
    "new namespaces, unmount the root": lambda: in_own_namespaces(unmount_the_root),
    "device": make_device,
    "set-user-ID": become_through_setuid,
    "ptrace of another": lambda: trace(outside),
    "ptrace of the parent": lambda: trace(parent),
    "root of another": lambda: look_through(f"/proc/{outside}/root"),
    "root of the parent": lambda: look_through(f"/proc/{parent}/root"),
    "root of process 1": lambda: look_through("/proc/1/root"),
    "root of any process": lambda: any_process_shows("root"),
    "environment of another": lambda: read_environment(outside),
    "working directory": climb_from_working_directory,
    "descriptors": use_descriptors,
}

for name, attack in attacks.items():
    process = os.fork()
    if process == 0:
        status = 0
        try:
            attack()
        except Exception as e:  # every failure is as good
            print("    ", e, file=sys.stderr)
            status = 1
        os._exit(status)
    _, status = os.waitpid(process, 0)
    print(f"{name}: {'closed' if status else 'open'}", flush=True)
