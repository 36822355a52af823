"""
Places: which folder is on a network file system.
"""

from pathlib import Path

import pytest

from cds.service.places import is_private, network_of
from cds.service.start import may_be_written

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


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o600, True), (0o400, True), (0o640, False), (0o604, False)]
)
def test_private_is_what_its_owner_alone_may_open(tmp_path, mode, expected):
    """
    As the file of a secret must be (4.2).
    """
    path = tmp_path / "secret"
    path.touch()
    path.chmod(mode)

    assert expected == is_private(path)


def test_rules_that_can_be_changed_are_found(tmp_path, monkeypatch):
    """
    By this process, or one file of them by everybody (4.1, T49).
    """
    (tmp_path / "cards").mkdir()
    card = tmp_path / "cards" / "one.yaml"
    card.touch(0o644)
    assert may_be_written(tmp_path)

    # A test may run as a user who may everything.
    monkeypatch.setattr("cds.service.start.os.access", lambda _path, _mode: False)
    assert not may_be_written(tmp_path)

    card.chmod(0o646)
    assert may_be_written(tmp_path)
