"""Keys: 40 hex digits, kept as digests in a file that only its owner reads.

A key holds 160 random bits, so its plain SHA-256 tells nothing about it and needs no salt. Programs of our
own agents carry a key derived for their attempt (`controller.domain.runkeys`), which is looked up in the
World and kept nowhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import secrets
import time
from pathlib import Path

from msgspec import Struct

from controller.domain.runkeys import N_DIGITS, agent_key, owner_key, run_key
from controller.domain.wire import WireError, decode, encode
from controller.domain.world import World
from controller.wandb_api.callers import Caller, Scope

log = logging.getLogger(__name__)

STALE_S = 5.0
"""A key that was taken out of the file is refused after so long at the latest."""
LATE_S = 3600.0
"""How long a run's key outlives its attempt: the last words may be late."""


class Key(Struct, frozen=True, kw_only=True):
    """What is known of a key."""

    digest: str
    """SHA-256 of its text, hexadecimal."""
    scope: Scope
    subject: str = ""
    label: str = ""
    created_at: float = 0.0


class _File(Struct, frozen=True, kw_only=True):
    keys: tuple[Key, ...] = ()


class KeyFile:
    """The file of digests (0600)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._keys: dict[str, Key] = {}
        self._seen: tuple[int, int, int] | None = None
        self._looked_s = float("-inf")

    def find(self, text: str, now_s: float) -> Key | None:
        """Return the key with this text; a new file is read when it is not known."""
        digest = digest_of(text)
        if now_s - self._looked_s > STALE_S or digest not in self._keys:
            self._look(now_s)
        return self._keys.get(digest)

    def _look(self, now_s: float) -> None:
        self._looked_s = now_s
        try:
            self._take_in()
        except (OSError, WireError) as error:
            # A file server that stumbles must not look like a wrong key: that ends every upload for good.
            log.error("%s cannot be read, the keys known so far count on: %s", self.path, error)

    def _take_in(self) -> None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._keys, self._seen = {}, None
            return
        mark = (found.st_mtime_ns, found.st_size, found.st_ino)
        if mark == self._seen:
            return
        if found.st_uid != os.getuid() or found.st_mode & 0o077:
            self._keys, self._seen = {}, None  # somebody else could have put a key there
            return
        self._keys, self._seen = {key.digest: key for key in _read(self.path)}, mark

    def mint(self, scope: Scope, subject: str = "", label: str = "") -> str:
        """Make a key, keep its digest and return its text, which nobody can learn again.

        Raises:
            OSError, WireError: the file cannot be read or written; it is as it was.
        """
        text = secrets.token_hex(N_DIGITS // 2)
        key = Key(digest=digest_of(text), scope=scope, subject=subject, label=label, created_at=time.time())
        with _locked(self.path.with_name(self.path.name + ".lock")):
            keys = _read(self.path) if self.path.exists() else ()
            write_private(self.path, encode(_File(keys=(*keys, key))))
        return text


class _locked:  # noqa: N801 (a context manager used like a function)
    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def digest_of(text: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> tuple[Key, ...]:
    return decode(path.read_bytes(), _File).keys


def write_private(path: Path, text: str) -> None:
    """Write a file (0600) so that a reader sees the old one or the new one."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.unlink(missing_ok=True)
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor)
        file.write(text)
        file.flush()
        os.fsync(handle)
    beside.replace(path)


def secret_of(path: Path) -> str:
    """Return the secret that attempts' keys and upload paths are derived from; made at the first start."""
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        write_private(path, secrets.token_hex(32) + "\n")
        return path.read_text("ascii").strip()


class KeyRing:
    """Finds the caller behind a key."""

    def __init__(self, file: KeyFile, secret: str) -> None:
        self._file = file
        self._secret = secret
        self._attempts: dict[str, tuple[str, int]] = {}
        """Digest of each attempt's key with its run and token."""
        self._last_token = 0
        self._owner = digest_of(owner_key(secret))
        self._sweeps: dict[str, str] = {}
        """Digest of the key of each sweep's agents with its project."""
        self._n_sweeps = 0

    def caller(self, text: str, world: World, *, mono_s: float, at: float) -> Caller | None:
        """Return who holds this key; None when nobody does."""
        key = self._file.find(text, mono_s)
        if key is not None:
            return Caller(scope=key.scope, subject=key.subject)
        digest = digest_of(text)
        if digest == self._owner:  # of digests: how far they agree says nothing of the key
            return Caller(scope=Scope.ADMIN)
        self._derive(world)
        if digest in self._sweeps:
            return Caller(scope=Scope.AGENT, subject=self._sweeps[digest])
        found = self._attempts.get(digest)
        if found is None:
            return None
        run_id, token = found
        attempt = world.attempts.get(token)
        if attempt is None or (attempt.ended_at is not None and at - attempt.ended_at > LATE_S):
            del self._attempts[digest]
            return None
        return Caller(scope=Scope.RUN, subject=run_id)

    def _derive(self, world: World) -> None:
        """Take in the sweeps and attempts that are new since the last look."""
        if len(world.sweeps) != self._n_sweeps:
            self._n_sweeps = len(world.sweeps)
            self._sweeps = {
                digest_of(agent_key(self._secret, sweep.id)): sweep.project for sweep in world.sweeps.values()
            }
        if world.last_token <= self._last_token:
            return
        for token, attempt in world.attempts.items():
            if token > self._last_token:
                text = run_key(self._secret, attempt.run_id, token)
                self._attempts[digest_of(text)] = (attempt.run_id, token)
        self._last_token = world.last_token
