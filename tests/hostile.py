"""
Files that nobody writes by mistake, and what somebody might: each is refused with a reason.
"""

import os
from pathlib import Path

HEAD = "kind: condition\nid: x\ntitle: X\n"

TEXTS = {
    "a bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]\n",
    "an alias": "kind: condition\nid: &i x\ntitle: *i\n",
    "a tag": "kind: !!python/object/apply:os.system ['id']\nid: x\n",
    "a merge key": HEAD + "<<: {a: b}\n",
    "no for a status": HEAD + "status: no\n",
    "an exponent for a version": HEAD + "version: 1e3\n",
    "a key twice": HEAD + "title: Y\n",
    "20,000 brackets": HEAD + "holds_if: " + "[" * 20_000 + "]" * 20_000 + "\n",
    "20,000 brackets left open": HEAD + "holds_if: " + "[" * 20_000 + "\n",
    "20,000 dashes": HEAD + "holds_if:\n  " + "- " * 20_000 + "x\n",
    "20,000 braces": HEAD + "holds_if: " + "{a: " * 20_000 + "}" * 20_000 + "\n",
    "20,000 question marks in a row": HEAD + "? " * 20_000 + "x\n",
    "20,000 question marks": HEAD + "?\n" * 20_000,
    "20,000 keys": HEAD + "".join(f"k{number}: x\n" for number in range(20_000)),
    "20,000 times one key": HEAD + "title: Y\n" * 20_000,
    "10,000 anchors": HEAD + "".join(f"k{one}: &a{one} x\n" for one in range(10_000)),
    "15,000 clauses": HEAD + "holds_if: {all: [" + "a is present," * 15_000 + "]}\n",
    "a huge text": HEAD + "because: " + "x" * 200_000 + "\n",
    "a huge key": HEAD + "k" * 200_000 + ": x\n",
    "a huge clause": HEAD + "holds_if: " + "a " * 100_000 + "\n",
    "a huge formula": "kind: index\nid: x\nformula: " + "(" * 50_000 + "1" + ")" * 50_000 + "\n",
    "a tower of powers": "kind: index\nid: x\nformula: " + "2^" * 900 + "2\n",
    "a huge number": HEAD + "holds_if: hba1c >= " + "9" * 100_000 + " %\n",
    "a huge exponent": HEAD + "thresholds: {x: {value: 1e999999999 %, cite: a}}\n",
    "a NUL byte": HEAD + "because: a\0b\n",
    "a tab": HEAD + "about:\n\tpurpose: x\n",
    "a surrogate": HEAD + 'because: "\\ud800"\n',
    "a line separator": HEAD + "because: a\u2028b\n",
    "a quotation mark left open": HEAD + 'because: "abc\n',
    "a list for a key": HEAD + "? [a, b]\n: c\n",
    "a block for a key": HEAD + "{a: b}: c\n",
    "two documents": HEAD + "---\n" + HEAD,
    "50,000 documents": "---\n" * 50_000,
    "nothing": "",
    "comments alone": "#" * 200_000 + "\n",
    "a null": "~\n",
    "a text alone": "hello\n",
    "a list alone": "- a\n",
    "two megabytes": HEAD + "#" * 2_000_000,
}
"""Texts by what is wrong with them."""

BYTES = {
    "Latin-1": HEAD.encode() + b"because: \xe9\n",
    "UTF-16": HEAD.encode("utf-16"),
    "UTF-32": HEAD.encode("utf-32"),
    "random bytes": bytes(range(256)) * 20,
}
"""What is no UTF-8."""


def sparse(path: Path) -> None:
    """
    A file of a hundred megabytes that takes no room.
    """
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


PLACES = {
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("/nonexistent/x"),
    "a folder": lambda path: path.mkdir(),
    "a pipe": os.mkfifo,
    "a hundred megabytes": sparse,
}
"""What may stand where a file is looked for."""
