"""Where a run lives on disk: `sweeps/SWEEP_ID/RUN_ID/attempt-N/` below the sweep's working directory.

The files of an attempt are its spool: while the controller is away they hold everything it must be told,
and `.open/` beside the runs names the attempts that it has not been told entirely, so that a new agent
finds them without looking through every run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from controller.domain.macros import params_yaml_mapping

_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")

OPEN = ".open"
DELIVERED = "delivered"
LEFT = "left"


@dataclass(frozen=True, slots=True)
class RunPlace:
    """The directory of one attempt and the files in it."""

    directory: Path

    @property
    def parameters(self) -> Path:
        """The config as `wandb` and our own reporter read it (YAML)."""
        return self.directory / "params.yaml"

    @property
    def config(self) -> Path:
        """The config as plain JSON."""
        return self.directory / "config.json"

    @property
    def report(self) -> Path:
        """Lines by which the program reports."""
        return self.directory / "report.jsonl"

    @property
    def output(self) -> Path:
        """Standard output and error."""
        return self.directory / "output.log"

    @property
    def attempt(self) -> Path:
        """Whose attempt this is."""
        return self.directory / "attempt.json"

    @property
    def result(self) -> Path:
        """How it ended."""
        return self.directory / "result.json"

    @property
    def checkpoints(self) -> Path:
        """The same for every attempt of the run."""
        return self.directory.parent / "checkpoints"

    @property
    def open_mark(self) -> Path:
        """There for as long as the controller has not been told everything."""
        run = self.directory.parent
        return run.parent / OPEN / f"{run.name}@{self.directory.name}"

    def mark_delivered(self) -> None:
        """Note that nothing is left to tell."""
        (self.directory / DELIVERED).touch(mode=0o600)
        self.open_mark.unlink(missing_ok=True)

    def mark_left(self) -> None:
        """Note that its agent left before everything was told."""
        (self.directory / LEFT).touch(mode=0o600)

    @property
    def is_delivered(self) -> bool:
        """Whether nothing is left to tell."""
        return (self.directory / DELIVERED).exists()


def safe_name(text: str) -> str:
    """Return the text if it can only be one file name, else a digest of it."""
    if _NAME.fullmatch(text):
        return text
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def sweep_place(root: Path, sweep_id: str) -> Path:
    """Make and return the directory of a sweep's runs, or one in a temporary place.

    Raises:
        OSError: not even the temporary place can be made.
    """
    directory = root / "sweeps" / safe_name(sweep_id)
    try:
        (directory / OPEN).mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(f"{directory} is not writable")
    except OSError:
        directory = Path(tempfile.mkdtemp(prefix="tui-sweeps-")) / safe_name(sweep_id)
        (directory / OPEN).mkdir(mode=0o700, parents=True)
    return directory.resolve()


def run_place(sweep: Path, run_id: str, attempt: int, token: int) -> RunPlace:
    """Make and return the directory of an attempt.

    Raises:
        OSError: it cannot be made, or a link leads out of the sweep's directory.
    """
    run = sweep / safe_name(run_id)
    directory = run / f"attempt-{attempt}"
    run.mkdir(mode=0o700, exist_ok=True)
    if not run.resolve().is_relative_to(sweep):
        raise OSError(f"{run} leads out of {sweep}")
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        # Files of another controller's attempt are never continued.
        directory = run / f"attempt-{attempt}-{token}"
        directory.mkdir(mode=0o700, exist_ok=True)
    place = RunPlace(directory)
    place.open_mark.touch(mode=0o600)
    return place


def write_inputs(place: RunPlace, config: dict[str, Any], attempt: dict[str, Any]) -> None:
    """Write what the program and a later agent will read."""
    text = yaml.dump(params_yaml_mapping(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    _write(place.parameters, text)
    _write(place.config, json.dumps(config))
    _write(place.attempt, json.dumps(attempt))
    place.report.touch(mode=0o600)


def write_result(place: RunPlace, result: dict[str, Any], *, durable: bool) -> None:
    """Write how the attempt ended, whole or not at all.

    `durable` also outlives a power cut; it costs two syncs and is for when the controller has not
    recorded the end yet.
    """
    new = place.result.with_suffix(".new")
    _write(new, json.dumps(result), durable=durable)
    new.replace(place.result)
    if durable:
        handle = os.open(place.directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _write(path: Path, text: str, *, durable: bool = False) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode(errors="surrogatepass"))
        if durable:
            file.flush()
            os.fsync(handle)
