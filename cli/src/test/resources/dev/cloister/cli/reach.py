"""Reaches for something of the host's that is not a file, and says what came of it.

usage: reach.py serve            make what can be reached for; print "PORT KEY", wait for a line
       reach.py try PORT KEY     try from elsewhere; print "NAME: open" or "NAME: closed" for each
       reach.py owner NAMESPACE  whether the process's own user namespace owns this one of its own
       reach.py exchange A B     exchange two names until killed
"""

import ctypes
import fcntl
import os
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)

IPC_CREAT, IPC_RMID = 0o1000, 0
NS_GET_USERNS = 0xB701
AT_FDCWD, RENAME_EXCHANGE = -100, 2


def check(result):
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def abstract_name(port):
    return f"\0cloister-{port}"


def serve():
    network = socket.create_server(("127.0.0.1", 0))
    port = network.getsockname()[1]
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(abstract_name(port))
    abstract.listen()
    key = 0x434C0000 | port
    memory = check(libc.shmget(key, 1, IPC_CREAT | 0o600))
    try:
        print(port, key, flush=True)
        sys.stdin.readline()
    finally:
        check(libc.shmctl(memory, IPC_RMID, None))


def connect_port(port, _):
    socket.create_connection(("127.0.0.1", port), timeout=10)


def connect_abstract(port, _):
    socket.socket(socket.AF_UNIX).connect(abstract_name(port))


def attach_memory(_, key):
    check(libc.shmget(key, 0, 0))


def attempt(port, key):
    attempts = {
        "port": connect_port,
        "abstract socket": connect_abstract,
        "shared memory": attach_memory,
    }
    for name, reach in attempts.items():
        try:
            reach(int(port), int(key))
            print(f"{name}: open")
        except OSError as e:
            print("    ", e, file=sys.stderr)
            print(f"{name}: closed")


def owner(namespace):
    descriptor = os.open(f"/proc/self/ns/{namespace}", os.O_RDONLY)
    try:
        found = os.fstat(fcntl.ioctl(descriptor, NS_GET_USERNS)).st_ino
        print("own" if found == os.stat("/proc/self/ns/user").st_ino else "below")
    except PermissionError:  # it is out of reach: an ancestor (ioctl_ns(2))
        print("above")


def exchange(one, other):
    while True:
        check(
            libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE)
        )


{"serve": serve, "try": attempt, "owner": owner, "exchange": exchange}[sys.argv[1]](*sys.argv[2:])
