"""What a training script talks to: `tui_sweeps.log({...})`.

Standard library only and nothing heavy on import. A call appends one line to the run's report file in a
single write, so it never waits for the network, for the agent or for another process, and nothing it is
given can make it raise: a problem is one line on stderr and training goes on.

A line is eight hex digits of CRC-32, a blank, JSON, a line feed; the agent reads them from there. Outside
a sweep everything works and nothing is recorded.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping

TYPE_CHECKING = False  # importing typing for it would cost more than all the rest
if TYPE_CHECKING:
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

MAX_RECORD_BYTES = 1_000_000
"""A larger record is replaced by short descriptions of its values."""
MAX_REPR = 500
MAX_DEPTH = 20
MAX_STEP = 2**63 - 1
RANK_VARIABLES = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")


def warn(text: str) -> None:
    """Say something on stderr; a closed stderr is nobody's problem."""
    try:
        sys.stderr.write(f"tui_sweeps: {text}\n")
    except Exception:
        return


def harmless(function: Callable[P, R]) -> Callable[P, R | None]:
    """Make a function that training calls unable to raise."""

    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            warn(f"{function.__name__}: {type(error).__name__}: {str(error)[:MAX_REPR]}")
            return None

    guarded.__name__, guarded.__doc__ = function.__name__, function.__doc__
    return guarded


class Reporter:
    """Appends records to the report file; without a file it does nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._handle: int | None = None
        self._torn = False
        self._told = False
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def append(self, record: dict[str, Any]) -> None:
        """Write one record."""
        if self._path is None:
            return
        import zlib

        text = _encode(record)
        line = b"%08x %s\n" % (zlib.crc32(text), text)
        with self._lock:
            self._write(line)

    def _write(self, line: bytes) -> None:
        try:
            if self._handle is None:
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
                self._handle = os.open(self._path or "", flags, 0o600)
            if self._torn:
                line = b"\n" + line
            # A short write (disk full) leaves a torn line; the next record starts on a new one.
            self._torn = os.write(self._handle, line) < len(line)
        except OSError as error:
            if not self._told:
                self._told = True
                warn(f"cannot write {self._path}: {error}; what is logged is lost until that works")


def _encode(record: dict[str, Any]) -> bytes:
    import json

    try:
        text = json.dumps(record, default=_plain, separators=(",", ":"))
    except Exception:
        text = json.dumps(_clean(record, 0), separators=(",", ":"))
    if len(text) > MAX_RECORD_BYTES:
        values = record.get("values")
        short = {}
        if isinstance(values, Mapping):
            short = {str(key)[:MAX_REPR]: _describe(values[key]) for key in list(values)[:1000]}
        text = json.dumps({**record, "values": short}, default=_plain, separators=(",", ":"))
    return text.encode("ascii")


def _plain(value: Any) -> Any:
    """Return a number for whatever has one (numpy, torch), else a short description."""
    item = getattr(value, "item", None)
    if callable(item):
        try:
            number = item()
        except Exception:
            number = None
        if isinstance(number, bool | int | float | str):
            return number
    if isinstance(value, Mapping):
        return {str(key): value[key] for key in value}
    return _describe(value)


def _clean(value: Any, depth: int) -> Any:
    """Return something that can be written, whatever it was."""
    try:
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return value if abs(value) < 10**300 else _describe(value)
        if isinstance(value, str):
            return str(value)
        if depth >= MAX_DEPTH:
            return _describe(value)
        if isinstance(value, Mapping):
            return {_key(key): _clean(value[key], depth + 1) for key in list(value)}
        if isinstance(value, list | tuple):
            return [_clean(item, depth + 1) for item in list(value)]
        return _clean(_plain(value), depth + 1)
    except Exception:
        return _describe(value)


def _key(key: Any) -> str:
    return key if type(key) is str else _describe(key)


def _describe(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= MAX_REPR else text[:MAX_REPR] + "…"


class Summary(MutableMapping["str", "Any"]):
    """The run's summary: the last logged value of each key, and what the script sets itself."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._values: dict[str, Any] = {}

    def follow(self, values: Mapping[str, Any]) -> None:
        """Note logged values; the controller knows them by itself."""
        self._values.update(values)

    @harmless
    def _tell(self, values: Mapping[Any, Any]) -> None:
        self._reporter.append(
            {"kind": "summary", "t": time.time(), "values": {_key(key): values[key] for key in values}}
        )

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value
        self._tell({key: value})

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def update(self, *others: Any, **values: Any) -> None:
        """Set several keys with one record."""
        new = dict(*others, **values)
        self._values.update(new)
        self._tell(new)

    def __repr__(self) -> str:
        return repr(self._values)


class Run:
    """One run of a sweep as its script sees it."""

    def __init__(self, config: Any, environment: Mapping[str, str]) -> None:
        env = environment
        self.id = env.get("TUI_SWEEPS_RUN_ID", env.get("WANDB_RUN_ID", ""))
        self.name = env.get("TUI_SWEEPS_RUN_NAME", self.id)
        self.sweep_id = env.get("TUI_SWEEPS_SWEEP_ID", env.get("WANDB_SWEEP_ID", ""))
        self.resumed = env.get("TUI_SWEEPS_RESUME") == "1"
        """Whether an earlier attempt was preempted: load the checkpoint."""
        self.checkpoint_dir = env.get("TUI_SWEEPS_CHECKPOINT_DIR", os.path.join(os.curdir, "checkpoints"))  # noqa: PTH118
        """The same directory for every attempt of this run."""
        self.config = config
        path = env.get("TUI_SWEEPS_REPORT")
        self.recorded = path is not None and not is_further_rank(env)
        self._reporter = Reporter(path if self.recorded else None)
        self.summary = Summary(self._reporter)
        self._next_step = 0
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    @property
    def step(self) -> int:
        """The step that the next `log` without one will get."""
        return self._next_step

    @harmless
    def log(self, values: Mapping[str, Any], step: int | None = None, **_ignored: Any) -> None:
        """Record one row of the history.

        Steps count from 0 as in wandb; a step that is given is kept as given.
        """
        if not isinstance(values, Mapping):
            raise TypeError(f"a mapping of names to values is needed, not {type(values).__name__}")
        row = {_key(key): values[key] for key in values}
        given = None if step is None else _whole(step)
        with self._lock:
            at = self._next_step if given is None else given
            self._next_step = max(self._next_step, at + 1)
        self.summary.follow(row)
        self._reporter.append({"kind": "log", "step": at, "t": time.time(), "values": row})

    @harmless
    def note_config(self, values: Mapping[str, Any]) -> None:
        """Record what the script adds to the config; what the sweep assigned stays."""
        self._reporter.append({"kind": "config", "t": time.time(), "values": dict(values)})

    @harmless
    def mark_preempting(self) -> None:
        """Say that the scheduler takes the machine away: a bad exit now means "again", not "failed"."""
        self._reporter.append({"kind": "preempting", "t": time.time()})

    @harmless
    def finish(self, exit_code: int | None = None, **_ignored: Any) -> None:
        """Say that the script is done; not needed."""
        self._reporter.append({"kind": "finish", "t": time.time(), "exit_code": exit_code})

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self.finish(exit_code=1 if kind else 0)


def is_further_rank(env: Mapping[str, str]) -> bool:
    """Say whether this is a process of a distributed program other than the first.

    A rank that the agent had itself (`SLURM_PROCID` of its job step) is no rank within the run.
    """
    had = env.get("TUI_SWEEPS_RANKS", "").split()
    return any(
        env.get(name, "0") not in ("", "0") and f"{name}={env[name]}" not in had for name in RANK_VARIABLES
    )


def _whole(step: Any) -> int:
    number = int(step.item() if hasattr(step, "item") else step)
    if abs(number) > MAX_STEP:
        raise ValueError(f"step {number} is out of range")
    return number
