"""
Patterns: none of ours takes long on any text, however nearly it fits (T30).
"""

import importlib
import pkgutil
import re
import time
from pathlib import Path

import cds

SIZE = 100_000
# Quadratic patterns need minutes for such texts, linear ones thousandths of this.
SECONDS = 1.0
# What a request or an answer of another server goes through.
PARTS = ("cds.core.", "cds.fhir.", "cds.hooks.", "cds.reasoning.", "cds.service.")
PIECES = [
    *("a", "A", "1", " ", "\t", "-", ".", "/", "_", "#", "<", "[", "(", "*", "{", ":", "@", "\n"),
    *(
        "a.",
        "a-",
        "a1",
        "1.",
        "1 ",
        ", ",
        "{{",
        "}}",
        "a ",
        "a@",
        "a:",
        "eyJ",
        "\\",
        '"',
        "é",
        "%2",
    ),
]


def patterns():
    """
    Every pattern that a module of ours holds: its name, itself, and how it is used.
    """
    for module in pkgutil.walk_packages(cds.__path__, "cds."):
        if not module.name.startswith(PARTS):
            continue
        imported = importlib.import_module(module.name)
        text = Path(imported.__file__).read_text("utf-8")
        for name, value in vars(imported).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                anywhere = re.search(rf"\b{name}\.(search|sub|findall|finditer|split)\b", text)
                yield f"{module.name}.{name}", value, anywhere is not None


def near_misses(pattern):
    """
    Long texts that begin as the pattern does, and do not end so.
    """
    words = re.findall(r"[A-Za-z]{2,}", pattern.pattern)
    for piece in dict.fromkeys([*PIECES, *words[:3]]):
        text = (piece * (SIZE // len(piece) + 1))[:SIZE]
        yield text + "\x01"
        yield f"a{text}!\x01"


def took(pattern, text, *, anywhere):
    """
    Seconds of processor time for one text.
    """
    began = time.process_time()
    pattern.match(text)
    if anywhere:
        pattern.search(text)
    return time.process_time() - began


def test_no_pattern_takes_long():
    """
    Each is fed 100 KB of what nearly fits (T30).
    """
    found = list(patterns())
    slow = [
        f"{name} {text[:8]!r}"
        for name, pattern, anywhere in found
        for text in near_misses(pattern)
        if took(pattern, text, anywhere=anywhere) > SECONDS
    ]

    assert len(found) > 30
    assert [] == slow


def test_a_pattern_that_takes_long_is_found():
    """
    So that the test above can fail; in a text that is short enough to wait for.
    """
    nested = re.compile(r"(a+)+$")

    assert took(nested, "a" * 24 + "!", anywhere=False) > took(
        nested, "a" * 12 + "!", anywhere=False
    )
