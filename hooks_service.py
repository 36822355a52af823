"""
The entry: settings -> app.

Run it (`python hooks_service.py`, `make run`), or point an ASGI server at `hooks_service:app`.
"""

from __future__ import annotations

import os
import sys
from typing import Any

try:
    from cds.service.process import harden
    from cds.service.server import serve
    from cds.service.start import application, opened, started, try_next
    from cds.service.workers import supervise
except ModuleNotFoundError as error:
    sys.stderr.write(
        f"cannot start: this Python has no package {error.name}; `make setup` installs what is"
        " needed into .venv, and `make run` or `.venv/bin/python hooks_service.py` serves\n"
    )
    raise SystemExit(os.EX_CONFIG) from None


def __getattr__(name: str) -> Any:
    """Build `app` when it is asked for: worker processes read this module and need it not."""
    if name == "app":
        return application()
    raise AttributeError(name)


def main() -> None:
    """Serve, in one process or in several."""
    harden()
    app, settings = started()
    door = opened(settings)  # before anybody is told where to call
    if not settings.is_production:
        print(try_next(settings), flush=True)  # noqa: T201 - for the person who typed it
    if settings.workers > 1:
        del app  # what was proved here each worker builds for itself
        supervise(settings, door)
    else:
        serve(app, settings, door)


if __name__ == "__main__":
    main()
