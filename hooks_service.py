"""
The entry: settings -> app.

Run it (`python hooks_service.py`, `make run`), or point an ASGI server at `hooks_service:app`.
"""

from __future__ import annotations

import sys

from cds.errors import RuleError
from cds.service.logs import configure
from cds.service.release import NotServedError
from cds.service.server import serve
from cds.service.settings import BadSettingsError, Settings, read_settings
from cds.service.start import build, try_next

_CONFIGURATION = 78  # EX_CONFIG of sysexits.h


def start() -> tuple[object, Settings]:
    """Read the settings, load the rules, build the app; a reason in one line where not."""
    try:
        settings = read_settings()
        configure()
        return build(settings), settings
    except (BadSettingsError, NotServedError, RuleError) as error:
        print(f"cannot start: {error}", file=sys.stderr)  # noqa: T201 - nobody logs yet
        raise SystemExit(_CONFIGURATION) from None


app, _settings = start()

if __name__ == "__main__":
    if not _settings.is_production:
        print(try_next(_settings), flush=True)  # noqa: T201 - for the person who typed it
    serve(app, _settings)
