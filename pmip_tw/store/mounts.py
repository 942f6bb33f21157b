"""What a journal lies on: some file systems do not keep what they are given as long as a journal must."""

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")

_IN_MEMORY = "is in memory: what it has is gone when the machine loses its power or starts anew"
_ON_A_NETWORK = "is on a network: whether what was saved is on a disk is known to another machine"
_DOUBTFUL = {
    **dict.fromkeys(("tmpfs", "ramfs", "devtmpfs"), _IN_MEMORY),
    **dict.fromkeys(("nfs", "nfs4", "cifs", "smb3", "ceph", "9p"), _ON_A_NETWORK),
}


def doubt(path: str) -> str:
    """What speaks against the file system of ``path`` and what to do about it; "" if nothing is known."""
    name = file_system(path)
    if name not in _DOUBTFUL:
        return ""
    return f"its file system ({name}) {_DOUBTFUL[name]}: name a path on a local disk in 'store'"


def file_system(path: str) -> str:
    """Its kind, as mount calls it; "" if that cannot be seen."""
    try:
        device = os.stat(path).st_dev
        mounts = MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    for mount in mounts:  # 36 35 98:0 /root /mount/point rw,noatime master:1 - ext4 /dev/root rw
        before, _, behind = mount.partition(" - ")
        if before.split()[2:3] == [number]:
            return behind.split()[0]
    return ""
