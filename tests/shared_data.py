"""Where the shared sample data lies; tests that read it skip where it is absent."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CDS_SHARED_DATA", ROOT.parent / "shared" / "data"))

needs_shared_data = pytest.mark.skipif(
    not (SHARED / "MANIFEST.csv").exists(),
    reason="the sample data is not beside this checkout (CDS_SHARED_DATA names another place)",
)


def read(path: Path) -> Any:
    """Read a JSON document, packed or not; numbers with a point stay exact."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(raw, parse_float=Decimal)


def lines(path: Path) -> Iterator[Any]:
    """Read newline-delimited JSON."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in raw.splitlines():
        if line.strip():
            yield json.loads(line, parse_float=Decimal)
