"""
Settings: from the environment, once, at start.

Production is the default; development is asked for (`CDS_ENV=development`, as `make
run` does) and serves on loopback only. What is unknown or cannot be read stops the
start with the name of the setting, never its value.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    DirectoryPath,
    Field,
    FilePath,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds.service.faults import BadSettingsError, meant, sentence_of
from cds.service.places import default_rules, is_private

__all__ = [
    "Settings",
    "chosen_profile",
    "default_rules",
    "instant_of",
    "read_settings",
]

_PREFIX: Final = "CDS_"
_DATABASE: Final = re.compile(r"sqlite:///|sqlite://$|postgresql(\+psycopg)?://")
_MASK: Final = "***"


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


def _is_base(url: str) -> bool:
    parts = urlsplit(url)
    extra = parts.username is not None or parts.query or parts.fragment
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and not extra


def _also(name: str) -> AliasChoices:
    """Let a setting be called by its plain name too, as hosts and documents do."""
    return AliasChoices(_PREFIX + name, name)


class Settings(BaseSettings):
    """
    What an operator may choose.

    *clock* freezes the time of evaluation, outside production only. *max_body* is in
    bytes; *receive_seconds* is the time a client has to send its whole request;
    *in_flight* the number of requests answered at a time, beyond which 503 is said.
    *auth*: whether callers must sign their calls; where nothing is said, in production.
    *clients* is the folder of the registered ones, *public_url* the base under which they
    know the service (it is what `aud` is compared with), *database* where replicas share
    what they remember, *database_file* a file that holds that instead. *protect_discovery*:
    sign for discovery too. *fetch_seconds* is the time that fetching from a FHIR server may
    take. *spec* switches on what the 3.0 ballot
    adds, *crd* the names that Da Vinci CRD gives to configuration options.
    *workers* is the number of processes that answer; each ends after about *recycle*
    requests and is replaced (0: never). *connections* may be open in each. *drain_seconds*
    pass between the word to stop and the end, in which `/readyz` says so; where nothing is
    said, 3 in production.
    *trusted_proxy*: a proxy in front speaks TLS, so that plain HTTP may be listened to
    beyond this machine.
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
    auth: Literal["required", "off"] | None = Field(default=None, validation_alias=_also("AUTH"))
    clients: DirectoryPath | None = Field(default=None, validation_alias="CDS_CLIENTS")
    public_url: str = Field(default="", validation_alias="CDS_PUBLIC_URL")
    database: str = Field(
        default="sqlite:///cds-state.sqlite3", repr=False, validation_alias="CDS_DATABASE"
    )
    database_file: FilePath | None = Field(default=None, validation_alias="CDS_DATABASE_FILE")
    protect_discovery: bool = Field(default=False, validation_alias="CDS_PROTECT_DISCOVERY")
    fetch_seconds: float = Field(default=0.35, gt=0, le=10, validation_alias="CDS_FETCH_SECONDS")
    workers: int = Field(default=1, ge=1, le=64, validation_alias=_also("WORKERS"))
    recycle: int = Field(default=50_000, ge=0, validation_alias="CDS_RECYCLE")
    connections: int = Field(default=500, ge=1, le=100_000, validation_alias="CDS_CONNECTIONS")
    drain_seconds: float | None = Field(
        default=None, ge=0, le=60, validation_alias="CDS_DRAIN_SECONDS"
    )
    trusted_proxy: bool = Field(default=False, validation_alias=_also("TRUSTED_PROXY"))
    spec: Literal["2.0", "3.0"] = Field(default="2.0", validation_alias="CDS_SPEC")
    crd: bool = Field(default=False, validation_alias="CDS_CRD")
    rules: DirectoryPath = Field(default_factory=default_rules, validation_alias=_also("RULES"))

    @field_validator("clock", mode="before")
    @classmethod
    def _read_clock(cls, value: Any) -> Any:
        """Take what `instant_of` reads."""
        return instant_of(value) if isinstance(value, str) else value

    @field_validator("database")
    @classmethod
    def _is_database(cls, value: str) -> str:
        """Take what is tested: SQLite in a file, and PostgreSQL."""
        if _DATABASE.match(value) is None:
            raise ValueError("must begin with sqlite:/// or postgresql+psycopg://")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.is_production and self.clock is not None:
            raise ValueError("CDS_CLOCK: the clock cannot be frozen in production")
        if not self.is_production and not self.on_loopback:
            raise ValueError("HOST: development serves on loopback only")
        if self.is_production and self.auth == "off":
            raise ValueError("AUTH: production answers nobody who does not sign")
        if self.is_production and not self.on_loopback and not self.trusted_proxy:
            raise ValueError(
                "HOST: plain HTTP is for this machine; TRUSTED_PROXY=1 says that a proxy in "
                "front speaks TLS"
            )
        if self.public_url and not _is_base(self.public_url):
            raise ValueError("CDS_PUBLIC_URL: must be an absolute URL without user and query")
        if self.is_production and self.public_url and not self.public_url.startswith("https://"):
            raise ValueError("CDS_PUBLIC_URL: production is called by https only")
        return self

    def shown(self) -> dict[str, str]:
        """Give every setting by its name, as it is in effect, without what is secret."""
        found = {
            _PREFIX + name.upper(): "" if value is None else str(value)
            for name, value in self.model_dump().items()
        }
        database = re.sub(r"//.*@", f"//{_MASK}@", self.database)
        found["CDS_DATABASE"] = re.sub(r"\?.*", f"?{_MASK}", database)
        found["CDS_AUTH"] = "required" if self.needs_tokens else "off"
        found["CDS_RELOAD"] = "watch" if self.watches else "signal"
        found["CDS_DRAIN_SECONDS"] = f"{self.seconds_to_drain:g}"
        return dict(sorted(found.items()))

    @property
    def needs_tokens(self) -> bool:
        """Tell whether a call must be signed."""
        return self.auth == "required" or (self.auth is None and self.is_production)

    @property
    def base_url(self) -> str:
        """Give the base URL of the service as its callers know it, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def is_production(self) -> bool:
        """Tell whether this is production, which forbids what only helps development."""
        return self.env == "production"

    @property
    def seconds_to_drain(self) -> float:
        """Give the seconds between the word to stop and the end."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return 3.0 if self.is_production else 0.0

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
        raise BadSettingsError(
            f"{unknown[0]}: is no setting{meant(unknown[0], known)}; docs/operating.md lists them"
        )
    try:
        return Settings(**_from_files())
    except ValidationError as error:
        raise BadSettingsError(_as_it_was_set(sentence_of(error))) from None


def _from_files() -> dict[str, Any]:
    """Read what is secret and stands in a file: the environment of a process is less private."""
    name = os.environ.get("CDS_DATABASE_FILE", "")
    if not name:
        return {}
    if os.environ.get("CDS_DATABASE"):
        raise BadSettingsError("CDS_DATABASE_FILE: CDS_DATABASE is set too; one of them is enough")
    try:
        if not is_private(Path(name)):
            raise BadSettingsError(
                "CDS_DATABASE_FILE: others may read it; its owner alone should: chmod 600"
            )
        return {"database": Path(name).read_text("utf-8").strip()}
    except (OSError, UnicodeDecodeError):
        raise BadSettingsError("CDS_DATABASE_FILE: names no file that can be read") from None


def _as_it_was_set(sentence: str) -> str:
    """Name a setting as the environment does: `PORT` where nobody wrote `CDS_PORT`."""
    name = sentence.partition(":")[0]
    plain = name.removeprefix(_PREFIX)
    written = plain if name not in os.environ and plain in os.environ else name
    return written + sentence.removeprefix(name)
