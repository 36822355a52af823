"""
`cds config`: the settings in effect, secrets masked, and what would stop the start.
"""

from __future__ import annotations

import sys
from typing import Final

from cds.core.rules import Ruleset
from cds.errors import RuleError
from cds.service.clients import check_against
from cds.service.faults import BadSettingsError
from cds.service.release import NotServedError, open_release
from cds.service.settings import Settings, read_settings
from cds.service.start import callers_of, check_database, clients_of, may_be_written

__all__ = ["check_config"]

_CONFIGURATION: Final = 78  # EX_CONFIG of sysexits.h, as the service says it


def check_config() -> int:
    """Print every setting and what was found; give the exit code that the service would."""
    try:
        settings = read_settings()
    except BadSettingsError as error:
        return _stops(str(error))
    for name, value in settings.shown().items():
        sys.stdout.write(f"{name:<24}{value}".rstrip() + "\n")
    sys.stdout.write("\n")
    try:
        clients = clients_of(settings)
        if settings.needs_tokens:
            check_database(settings)
        callers_of(settings, clients).close()
        names = ", ".join(clients.by_name) or "none"
        sys.stdout.write(f"clients: {names}\n")
        check_against(clients, _open_rules(settings))
    except BadSettingsError as error:
        return _stops(str(error))
    except RuleError as error:
        return _stops(f"{len(error.diagnostics)} errors in the rules; cds check shows them")
    except NotServedError as error:
        return _stops(str(error))
    sys.stdout.write("the service would start\n")
    return 0


def _open_rules(settings: Settings) -> Ruleset:
    unreviewed = settings.allow_unreviewed or not settings.is_production
    release = open_release(settings.rules, unreviewed=unreviewed, profile=settings.profile)
    if release.pending and settings.is_production:
        count = len(release.pending)
        sys.stdout.write(f"waived: {count} rules that no clinician has reviewed are served\n")
    if settings.is_production and may_be_written(settings.rules):
        sys.stdout.write("look: the service may write to its rules; mount or own them otherwise\n")
    sys.stdout.write(f"rules: release {release.ruleset.release}\n")
    return release.ruleset


def _stops(why: str) -> int:
    sys.stdout.flush()
    sys.stderr.write(f"the service would not start: {why}\n")
    return _CONFIGURATION
