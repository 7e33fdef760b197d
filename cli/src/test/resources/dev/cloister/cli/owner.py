"""Says whether the process's own user namespace owns some other namespace of its own.

usage: owner.py NAMESPACE
"""

import fcntl
import os
import sys

NS_GET_USERNS = 0xB701

descriptor = os.open(f"/proc/self/ns/{sys.argv[1]}", os.O_RDONLY)
try:
    found = os.fstat(fcntl.ioctl(descriptor, NS_GET_USERNS)).st_ino
    print("own" if found == os.stat("/proc/self/ns/user").st_ino else "below")
except PermissionError:  # it is out of reach: an ancestor (ioctl_ns(2))
    print("above")
