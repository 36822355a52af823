"""
Settings: from the environment, once, at start.

Production is the default; development is asked for (`CDS_ENV=development`, as `make
run` does) and serves on loopback only. What is unknown or cannot be read stops the
start with the name of the setting, never its value.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time
from ipaddress import ip_address
from typing import Any, Final, Literal, Self

from pydantic import (
    AliasChoices,
    DirectoryPath,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds.service.places import default_rules

__all__ = [
    "BadSettingsError",
    "Settings",
    "chosen_profile",
    "default_rules",
    "instant_of",
    "read_settings",
]

_PREFIX: Final = "CDS_"


class BadSettingsError(Exception):
    """A setting is unknown or cannot be used; the message names it."""


def chosen_profile() -> str:
    """Name the profile of the environment, for tools that read no other setting."""
    return os.environ.get("CDS_PROFILE") or "default"


def instant_of(text: str) -> datetime | None:
    """Read an instant with its zone, or a date: its last second in UTC; None where empty."""
    if not text:
        return None
    try:
        if len(text) == len("2026-11-21"):
            return datetime.combine(date.fromisoformat(text), time(23, 59, 59), tzinfo=UTC)
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date, or an instant with its zone") from None
    if instant.tzinfo is None:
        raise ValueError("must be a date, or an instant with its zone")
    return instant


def _also(name: str) -> AliasChoices:
    """Let a setting be called by its plain name too, as hosts and documents do."""
    return AliasChoices(_PREFIX + name, name)


class Settings(BaseSettings):
    """
    What an operator may choose.

    *clock* freezes the time of evaluation, outside production only. *max_body* is in
    bytes; *receive_seconds* is the time a client has to send its whole request;
    *in_flight* the number of requests answered at a time, beyond which 503 is said.
    *reload*: whether changed rules are taken up by themselves or on SIGHUP only; where
    nothing is said, by themselves in development.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
    )

    env: Literal["production", "development"] = Field(
        default="production", validation_alias=AliasChoices("CDS_ENV", "APP_ENV")
    )
    host: str = Field(default="127.0.0.1", validation_alias=_also("HOST"))
    port: int = Field(default=8000, ge=0, le=65535, validation_alias=_also("PORT"))
    engine: Literal["durable", "reference", "both"] = Field(
        default="both", validation_alias=_also("ENGINE")
    )
    clock: datetime | None = Field(default=None, validation_alias="CDS_CLOCK")
    allow_unreviewed: bool = Field(default=False, validation_alias=_also("ALLOW_UNREVIEWED"))
    max_body: int = Field(
        default=8 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, validation_alias=_also("MAX_BODY")
    )
    receive_seconds: float = Field(
        default=5, gt=0, le=60, validation_alias=_also("RECEIVE_SECONDS")
    )
    in_flight: int = Field(default=32, ge=1, le=1024, validation_alias=_also("IN_FLIGHT"))
    reload: Literal["watch", "signal"] | None = Field(
        default=None, validation_alias=_also("RELOAD")
    )
    profile: str = Field(
        default="default", pattern="^[a-z][a-z0-9_]*$", validation_alias="CDS_PROFILE"
    )
    rules: DirectoryPath = Field(default_factory=default_rules, validation_alias=_also("RULES"))

    @field_validator("clock", mode="before")
    @classmethod
    def _read_clock(cls, value: Any) -> Any:
        """Take what `instant_of` reads."""
        return instant_of(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.is_production and self.clock is not None:
            raise ValueError("CDS_CLOCK: the clock cannot be frozen in production")
        if not self.is_production and not self.on_loopback:
            raise ValueError("HOST: development serves on loopback only")
        return self

    @property
    def is_production(self) -> bool:
        """Tell whether this is production, which forbids what only helps development."""
        return self.env == "production"

    @property
    def watches(self) -> bool:
        """Tell whether changed rule files are taken up without being asked."""
        return self.reload == "watch" or (self.reload is None and not self.is_production)

    @property
    def on_loopback(self) -> bool:
        """Tell whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings() -> Settings:
    """Read the environment; a name beginning with `CDS_` that is no setting is refused."""
    known = {_PREFIX + name.upper() for name in Settings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(_PREFIX) and name not in known)
    if unknown:
        raise BadSettingsError(f"{unknown[0]}: is no setting")
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettingsError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    lines = []
    for one in error.errors(include_input=False, include_url=False, include_context=False):
        message = one["msg"].removeprefix("Value error, ")
        name = ".".join(str(part) for part in one["loc"])
        lines.append(f"{name}: {message}" if name else message)
    return "; ".join(lines)
