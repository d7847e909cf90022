"""Files of runs: where they are uploaded to and where they lie.

The client's upload carries no key, so the path itself is signed for one run and one file name. A name is a
label and becomes one percent-encoded path part below the run's own directory, never a path.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import mimetypes
import os
import secrets
from pathlib import Path
from urllib.parse import quote, unquote

from msgspec import Struct

MAX_NAME_BYTES = 200
PREFIX = "/uploads"


class StoredFile(Struct, frozen=True, kw_only=True):
    """A file that was uploaded."""

    name: str
    path: Path
    n_bytes: int
    at: float

    @property
    def kind(self) -> str:
        """Its media type, by its name."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class Uploads:
    """The directory of uploaded files (0700), one directory a run."""

    def __init__(self, directory: Path, secret: str) -> None:
        self._directory = directory
        self._secret = secret

    def path_for(self, run_id: str, name: str) -> str:
        """Return the signed URL path for a file of a run."""
        return f"{PREFIX}/{run_id}/{self._sign(run_id, name)}/{quote(name, safe='')}"

    def is_signed(self, run_id: str, signature: str, name: str) -> bool:
        """Say whether the path was made by us."""
        ours = self._sign(run_id, name)
        return hmac.compare_digest(ours.encode(), signature.encode("utf-8", "surrogatepass"))

    def _sign(self, run_id: str, name: str) -> str:
        text = f"upload\0{run_id}\0{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret.encode(), text, hashlib.sha256).hexdigest()[:40]

    def find(self, run_id: str, name: str) -> Path:
        """Return where a file lies or would lie."""
        return self._directory / run_id / _part(name)

    def start(self, run_id: str, name: str) -> tuple[int, Path]:
        """Return a handle to write to, and the path that `finish` puts in place."""
        path = self.find(run_id, name)
        for directory in (self._directory, path.parent):
            directory.mkdir(exist_ok=True, mode=0o700)
        beside = path.parent / f".{secrets.token_hex(8)}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(beside, flags, 0o600), beside

    def finish(self, run_id: str, name: str, beside: Path) -> None:
        """Put a written file in its place."""
        beside.replace(self.find(run_id, name))

    def drop(self, beside: Path) -> None:
        """Forget a half-written file."""
        with contextlib.suppress(OSError):
            beside.unlink()

    def files_of(self, run_id: str) -> list[StoredFile]:
        """Return a run's files by name."""
        found = []
        with contextlib.suppress(OSError):
            for path in (self._directory / run_id).iterdir():
                if path.name.startswith("."):
                    continue
                seen = path.stat()
                name = unquote(path.name)
                found.append(StoredFile(name=name, path=path, n_bytes=seen.st_size, at=seen.st_mtime))
        return sorted(found, key=lambda file: file.name)


def _part(name: str) -> str:
    """Return a name as one path part: no separator, no leading dot, not too long, never the same twice."""
    part = quote(name, safe="", errors="surrogatepass")
    if part.startswith("."):
        part = "%2E" + part[1:]
    if len(part) > MAX_NAME_BYTES:
        digest = hashlib.sha256(part.encode()).hexdigest()[:16]
        part = f"{part[: MAX_NAME_BYTES - 20]}~{digest}"
    return part or "%00"
