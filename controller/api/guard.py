"""Who may ask at all: what every request is held against before its path is looked at.

Browsers are kept out without a browser client (a web page may reach a forwarded socket): lists of
what is allowed, for every method and for streams, never lists of what is forbidden. The refusal is
data; the server turns it into an answer.
"""

from __future__ import annotations

from msgspec import Struct
from multidict import CIMultiDictProxy

HOSTS = frozenset({"tui-sweeps", "localhost"})
"""What a client on the Unix socket writes as `Host`; anything else was meant for another server."""

JSON_TYPE = "application/json"


class Fault(Struct, frozen=True):
    """Why a request is not served: an HTTP status, a sentence and what to do."""

    status: int
    error: str
    hint: str = ""


def find_fault(
    headers: CIMultiDictProxy[str],
    has_body: bool,
    max_body_bytes: int,
    hosts: frozenset[str] | None = HOSTS,
) -> Fault | None:
    """Return the first thing wrong with a request's headers; None when there is nothing.

    `hosts`: what the request may be meant for; None: whoever called has looked.
    """
    found = headers.getall("Host", ())
    if hosts is not None and (len(found) != 1 or found[0].lower() not in hosts):
        return Fault(403, "This Host is not served here.", "send `Host: localhost`")
    if "Origin" in headers:
        return Fault(403, "Requests of web pages are not served.")
    if any(site.strip().lower() != "none" for site in headers.getall("Sec-Fetch-Site", ())):
        return Fault(403, "Requests of web pages are not served.")
    if "Upgrade" in headers:
        return Fault(400, "The protocol cannot be changed here.")
    return _find_body_fault(headers, max_body_bytes) if has_body else None


def _find_body_fault(headers: CIMultiDictProxy[str], max_body_bytes: int) -> Fault | None:
    kinds = headers.getall("Content-Type", ())
    if len(kinds) != 1 or kinds[0].partition(";")[0].strip().lower() != JSON_TYPE:
        return Fault(415, "Bodies are JSON.", f"send `Content-Type: {JSON_TYPE}`")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        return Fault(415, "Bodies are not compressed.", "send it without `Content-Encoding`")
    length = headers.get("Content-Length", "0")
    if length.isdecimal() and int(length[:20]) > max_body_bytes:
        return too_large(max_body_bytes)
    return None


def too_large(max_body_bytes: int) -> Fault:
    """Return the fault of a body over the limit."""
    return Fault(413, f"The body is larger than {max_body_bytes:,} bytes.", "send it in several parts")
