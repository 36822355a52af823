"""
From settings to an application: rules, reasoner, routes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from cds.fhir.drafts import warm_up
from cds.hooks.discovery import SERVICE
from cds.service.activation import Activation, judged
from cds.service.app import create_app
from cds.service.frame import Frame
from cds.service.pipeline import Pipeline
from cds.service.release import Release, open_release
from cds.service.settings import Settings

__all__ = ["build", "clock_of", "try_next"]


_EXAMPLES: Final = Path(__file__).resolve().parents[2] / "fixtures" / "requests"


def build(settings: Settings) -> Frame:
    """
    Load what *settings* name and build the application.

    Raises `RuleError` or `NotServedError` where the rules must not be served.
    """
    unreviewed = settings.allow_unreviewed or not settings.is_production

    def opens(folder: Path) -> tuple[Release, Pipeline]:
        release = open_release(folder, unreviewed=unreviewed, profile=settings.profile)
        pipeline = Pipeline(
            release.ruleset,
            engine=settings.engine,
            now=clock_of(settings),
            check=not settings.is_production,
        )
        return release, pipeline

    activation = Activation(
        settings.rules,
        opens=opens,
        now=lambda: datetime.now(UTC),
        judge=partial(judged, profile=settings.profile),
    )
    warm_up()
    return create_app(
        settings,
        activation,
        about=lambda: {**activation.about(), "unreviewedAllowed": unreviewed},
        alongside=lambda: activation.run(watches=settings.watches),
    )


def clock_of(settings: Settings) -> Callable[[], datetime]:
    """Give the clock of evaluation: the real one, or one that stands still."""
    frozen = settings.clock
    if frozen is not None:
        return lambda: frozen
    return lambda: datetime.now(UTC)


def try_next(settings: Settings) -> str:
    """Say what to try next, to somebody who has just started the service."""
    base = f"http://{settings.host}:{settings.port}"
    lines = [
        f"Development mode on {base}, without authentication. Try:",
        f"  curl {base}/cds-services",
        f"  curl {base}/status",
    ]
    examples = sorted(_EXAMPLES.glob("*.json"))
    if examples:
        example = examples[0].relative_to(_EXAMPLES.parent.parent)
        lines += [
            "  curl -H 'Content-Type: application/json' \\",
            f"    -d @{example} {base}/cds-services/{SERVICE}",
        ]
    return "\n".join([*lines, "Stop with Ctrl-C."])
