"""A network of the process's own, with a loopback and nothing else. Linux alone.

AWS's client needs a loopback, which the filter of seccomp.py alone would take from it. Without the
privilege, a user namespace gives it; where neither can be made, as in most containers, there is no
such network. Sources: unshare(2), user_namespaces(7), netdevice(7).
"""

import ctypes
import os
import socket
import struct
import sys
from fcntl import ioctl
from pathlib import Path

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SET_FLAGS, _IS_UP = 0x8914, 0x1


def enter() -> bool:
    """Move this process, which may have one thread only, into a network of its own.

    Return whether it is in one, with its loopback up; its user and group stay what they are.
    """
    # Some systems give a namespace without the right to use it, and there is no way back.
    return sys.platform == "linux" and _can_be_entered() and _enter()


def _can_be_entered() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(0 if _enter() else 1)
    return os.waitpid(pid, 0)[1] == 0


def _enter() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    try:
        if libc.unshare(_NEW_NETWORK):
            if libc.unshare(_NEW_USER | _NEW_NETWORK):
                return False
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            ioctl(any_socket, _SET_FLAGS, struct.pack("16sH22x", b"lo", _IS_UP))
    except OSError:
        return False
    return True
