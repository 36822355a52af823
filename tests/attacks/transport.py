"""
Addresses, methods and headers that nobody means well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tests.attacks.good import MARK, Request
from tests.attacks.table import ANSWERED, Row

__all__ = ["addresses", "headers"]

_SERVICE: Final = "/cds-services/metabolic-patient-view"
_NOT_THERE: Final = (404,)


def _same(_request: Request) -> Any:
    return None


def addresses() -> Iterator[Row]:
    """Yield paths that lead nowhere, and methods that nothing answers."""
    for path in (
        f"/{MARK}",
        f"/cds-services/{MARK}",
        "/cds-services/../../etc/passwd",
        "/cds-services/%2e%2e/%2e%2e/etc/passwd",
        "/cds-services/metabolic-patient-view%00",
        "/cds-services/metabolic-patient-view%0d%0aX-Evil:1",
        "/cds-services/metabolic-patient-view;x=1",
        "/cds-services/METABOLIC-PATIENT-VIEW",
        "/CDS-SERVICES/metabolic-patient-view",
        "/cds-services/metabolic-",
        "/cds-services/patient-view",
        "/cds-services/metabolic-metabolic-patient-view",
        "/cds-services/metabolic-order-review",
        "/cds-services/__class__",
        "/cds-services/%ff%fe",
        "/cds-services/\u00e9",
        "/cds-services/" + "a" * 20_000,
        "/" + "x/" * 2_000,
        "/cds-services/metabolic-patient-view/feedback/" + MARK,
        f"/cds-services/{MARK}/feedback",
        "/.env",
        "/metrics",
        "/docs",
        "/admin",
        "/cds-services/metabolic-patient-view\\feedback",
    ):
        yield Row(f"to {path[:60]!r}", _same, (404, 405), path=path)
    for method in ("GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "PROPFIND", "X" * 200):
        yield Row(f"{method[:10]} of a service", _same, (405,), method=method, path=_SERVICE)
        if method not in {"GET", "HEAD"}:
            yield Row(
                f"{method[:10]} of discovery", _same, (405,), method=method, path="/cds-services"
            )
    yield Row("POST of discovery", _same, (405,), path="/cds-services")
    query = f"?patientId={MARK}&hook=order-sign&{MARK}=%00"
    yield Row("with a query", _same, ANSWERED, path=_SERVICE + query)
    yield Row("discovery with a query", _same, ANSWERED, method="GET", path="/cds-services" + query)


def headers() -> Iterator[Row]:
    """Yield heads of every kind."""
    for value in (
        "text/html",
        "multipart/form-data; boundary=x",
        "application/xml",
        "json",
        "*/*",
        ";",
    ):
        expected = ANSWERED if value == ";" else (415,)
        yield Row(f"Content-Type {value}", _same, expected, headers={"Content-Type": value})
    for charset in ("utf-16", "latin-1", '"utf-7"', MARK):
        media = f"application/json; charset={charset}"
        yield Row(f"charset {charset}", _same, (415,), headers={"Content-Type": media})
    for charset in ("UTF-8", '"utf-8"', "utf8"):
        media = f"application/json;charset={charset}"
        yield Row(f"charset {charset}", _same, ANSWERED, headers={"Content-Type": media})
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "x-" + MARK, "identity, gzip"):
        yield Row(f"Content-Encoding {coding}", _same, (415,), headers={"Content-Encoding": coding})
    yield Row(
        "Content-Encoding identity", _same, ANSWERED, headers={"Content-Encoding": "Identity"}
    )
    for name, value in {
        "Authorization": f"Bearer {MARK}",
        "Cookie": f"session={MARK}",
        "X-Forwarded-For": f"{MARK}, 127.0.0.1",
        "X-Forwarded-Host": f"{MARK}.example",
        "Forwarded": f"host={MARK}",
        "X-Original-URL": "/status",
        "X-HTTP-Method-Override": "DELETE",
        "X-Request-Id": MARK,
        "Traceparent": f"00-{MARK}-01",
        "Host": f"{MARK}.example",
        "Origin": f"https://{MARK}.example",
        "Referer": f"https://{MARK}.example",
        "User-Agent": f"{MARK}" * 1_000,
        "Accept": "text/html",
        "Accept-Encoding": "gzip;q=" + "1" * 1_000,
        "Range": "bytes=0-1," * 500,
        "If-None-Match": "*",
        "Expect": "200-ok",
        "Upgrade": "h2c",
        "Connection": "Upgrade, HTTP2-Settings",
        "Content-Language": MARK,
        "Prefer": f"respond-async {MARK}",
        "Content-Length": "0",
    }.items():
        if name != "Content-Length":
            yield Row(f"the header {name}", _same, ANSWERED, headers={name: value})
