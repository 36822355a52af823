"""
Places: which folder is on a network file system.
"""

from pathlib import Path

import pytest

from cds.service.places import network_of

MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv nfs4 rw 0 0
/dev/sdb1 /srv/local xfs rw 0 0
//server/share /srv/with\\040space cifs rw 0 0
me@host: /home/me/there fuse.sshfs rw 0 0
tmpfs /run tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/var/lib/cds", ""),
        ("/srv", "nfs4"),
        ("/srv/cds", "nfs4"),
        ("/srvs", ""),
        ("/srv/local/cds", ""),
        ("/srv/with space/cds", "cifs"),
        ("/home/me/there", "fuse.sshfs"),
        ("/run/cds", ""),
    ],
)
def test_the_nearest_mount_counts(tmp_path, folder, expected):
    """
    Locks of a network are none that SQLite could rely on (T61).
    """
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS, "utf-8")

    assert expected == network_of(Path(folder), mounts=mounts)


def test_a_system_without_such_a_list_is_believed(tmp_path):
    """
    It is a second look, not the only one.
    """
    assert "" == network_of(tmp_path, mounts=tmp_path / "none")
