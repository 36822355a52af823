"""
Where things are: in a checkout beside the package, once installed inside it.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

__all__ = ["default_rules", "is_open_to_all", "is_private", "network_of"]

# Where locks are not what SQLite needs (T61).
_NETWORKS: Final = ("9p", "afs", "ceph", "cifs", "fuse.", "gluster", "lustre", "nfs", "smb")
_MOUNTS: Final = Path("/proc/self/mounts")


def default_rules() -> Path:
    """Find the rules: beside the package in a checkout, inside it once installed."""
    package = Path(__file__).resolve().parent.parent
    beside = package.parent / "rules"
    return beside if beside.is_dir() else package / "_rules"


def network_of(folder: Path, *, mounts: Path = _MOUNTS) -> str:
    """Name the network file system that *folder* is on; empty where it is on none we know."""
    if not mounts.is_file():
        return ""
    here = folder.resolve()
    found = Path("/"), ""
    for line in mounts.read_text("utf-8", "replace").splitlines():
        _, point, kind, *_ = line.split(" ")
        place = Path(point.replace("\\040", " "))
        if here.is_relative_to(place) and len(place.parts) >= len(found[0].parts):
            found = place, kind
    return found[1] if found[1].startswith(_NETWORKS) else ""


def is_open_to_all(path: Path) -> bool:
    """Tell whether every user of this machine may write here."""
    return bool(path.stat().st_mode & stat.S_IWOTH)


def is_private(path: Path) -> bool:
    """Tell whether nobody but its owner may read or write a file."""
    return not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
