"""
The shipped rules with the profile of a hospital that does not exist.
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "fixtures" / "profiles" / "example_hospital.yaml"


def hospital(folder, changes=None):
    """
    Copy the rules below *folder*, and beside them the profile with texts changed in it.
    """
    rules = folder / "rules"
    shutil.copytree(ROOT / "rules", rules)
    text = EXAMPLE.read_text("utf-8")
    for before, after in (changes or {}).items():
        assert before in text
        text = text.replace(before, after)
    (rules / "profiles" / EXAMPLE.name).write_text(text, "utf-8")
    return rules
