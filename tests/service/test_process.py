"""
A hardened process, looked at from inside another one.
"""

import json
import os
import subprocess
import sys

from tests.contract.traffic import python_path
from tests.pages import ROOT

LOOK = """
import json, os, faulthandler, resource, signal, time
from cds.service.process import harden
harden()
os.kill(os.getpid(), signal.SIGHUP)
os.kill(os.getpid(), signal.SIGUSR1)
print(json.dumps({
    "umask": os.umask(0),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    "zone": time.tzname[0],
    "faults": faulthandler.is_enabled(),
}))
"""


def run(code):
    """
    Run a program in a process of its own, in another zone.
    """
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "TZ": "America/New_York", "PYTHONPATH": python_path(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_process_leaves_nothing_behind():
    """
    No core file, no file that others may read, no local time; and a reload kills nobody (T59, 4.5).
    """
    done = run(LOOK)

    assert 0 == done.returncode
    assert {"umask": 0o077, "core": 0, "zone": "UTC", "faults": True} == json.loads(done.stdout)


def test_a_crash_says_where_and_nothing_else():
    """
    Frames without values (T59).
    """
    done = run(
        "import os, signal\n"
        "from cds.service.process import harden\n"
        "harden()\n"
        "def crash(name):\n"
        "    os.kill(os.getpid(), signal.SIGSEGV)\n"
        "crash('Zebedee')\n"
    )

    assert done.returncode != 0
    assert "in crash" in done.stderr
    assert "Zebedee" not in done.stderr + done.stdout
