"""The batch script of an array, and the command that submits it: what a preview shows is what is sent.

Everything here is text; `controller.launch` runs sbatch.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from controller.domain.arrays import ArrayError, read_array, read_time_limit
from controller.domain.commands import SubmitArray
from controller.domain.sweeps import Sweep

NAME_PREFIX = "tui-sweeps-"

WARN_S = 120
"""How long before its time limit an agent is warned: enough to save a checkpoint."""
WARN_LEAST_S = 15
SHORT_LIMIT_S = 1200.0
"""Below this limit the warning comes a tenth of it before the end: it must not come at the start."""

MAX_SCRIPT_BYTES = 1_000_000

_VALUED = frozenset("AaBbCcDdeFGiJLMmNnopqStwx")
"""One-letter options of sbatch that take a value."""
_FLAGS = frozenset(
    [
        "contiguous",
        "exclusive",
        "get-user-env",
        "help",
        "hold",
        "ignore-pbs",
        "nice",
        "no-kill",
        "no-requeue",
        "overcommit",
        "oversubscribe",
        "parsable",
        "propagate",
        "quiet",
        "reboot",
        "requeue",
        "spread-job",
        "test-only",
        "usage",
        "use-min-nodes",
        "verbose",
        "version",
        "wait",
    ]
)
"""Long options whose value, if they take one, is joined with `=`; all others may have it as the next word."""

_REFUSED = {
    "array": "give it as --array of this command",
    "job-name": "the name is how the array is found again",
    "wrap": "the agent is started by the script; use --script for one of your own",
    "parsable": "it is given anyway",
    "wait": "follow the tasks with `tui-sweeps jobs`",
    "test-only": "look at the script with --dry-run",
    "help": "see `sbatch --help`",
    "usage": "see `sbatch --usage`",
    "version": "see `sbatch --version`",
    "clusters": "one controller works with one cluster; run it where that cluster is the default",
}
_LONG = {
    "a": "array",
    "J": "job-name",
    "W": "wait",
    "h": "help",
    "V": "version",
    "M": "clusters",
    "D": "chdir",
    "o": "output",
    "t": "time",
}


def job_name(job_id: str) -> str:
    """Return the name under which SLURM knows a job of ours: unique, so that it can be found again."""
    return NAME_PREFIX + job_id


def job_of_name(name: str) -> str | None:
    """Return the job that a SLURM job's name tells of; None when it is none of ours."""
    found = re.fullmatch(re.escape(NAME_PREFIX) + r"([a-z0-9]{8})", name, re.ASCII)
    return found.group(1) if found else None


def plan(
    sweep: Sweep,
    *,
    program: Sequence[str],
    home: str,
    array: str,
    count: int | None = None,
    options: Sequence[str] = (),
    directory: str = "",
    actor: str = "user",
) -> SubmitArray:
    """Return the command that submits agents of a sweep as an array; its `script` is the whole batch script.

    Agents work in the sweep's own directory, or in `directory` when the sweep tells none. `program`
    starts `tui-sweeps` on a node: an absolute path first. `options` are sbatch's own arguments.

    Raises:
        ArrayError: something in it cannot be submitted.
    """
    numbers = read_array(array)
    check_options(options)
    if not program or not program[0].startswith("/"):
        raise ArrayError("the program needs an absolute path: a node starts it in another directory")
    directory = sweep.directory or directory
    if not directory.startswith("/"):
        raise ArrayError(
            f"sweep {sweep.id} came from W&B's client, which does not say where its program lies",
            "submit it from that directory",
        )
    log = log_of(options, directory=directory) or f"{_escaped(directory)}/sweeps/{sweep.id}/slurm/%A_%a.out"
    places = [f"--chdir={directory}", f"--output={log}"]
    lines = [
        "#!/bin/bash",
        f"#SBATCH --array={array.strip()}",
        "#SBATCH --open-mode=append --requeue",
        f"#SBATCH --signal=B:USR1@{_warn_s(options)}",
        f"#SBATCH {shlex.join(places)}",
    ]
    if options:
        lines.append(f"#SBATCH {shlex.join(options)}")
    agent = [*program, "agent", "--home", home, *(["--count", str(count)] if count else []), sweep.id]
    lines += [
        "# exec: SLURM's signals must reach the agent itself, which passes them on and reports.",
        f"exec {shlex.join(agent)}",
    ]
    return SubmitArray(
        actor=actor,
        sweep_id=sweep.id,
        array=numbers.spec,
        throttle=numbers.throttle,
        count=count,
        script="\n".join(lines) + "\n",
        directory=directory,
        log=log,
    )


def plan_own(
    sweep: Sweep,
    *,
    script: str,
    directory: str,
    array: str,
    count: int | None = None,
    options: Sequence[str] = (),
    actor: str = "user",
) -> SubmitArray:
    """Return the command that submits a batch script of the user's own, which starts the agent itself.

    Raises:
        ArrayError: something in it cannot be submitted.
    """
    numbers = read_array(array)
    check_options(options)
    check_script(script)
    log = (
        log_of((*options_in(script), *options), directory=directory)
        or f"{_escaped(directory)}/slurm-%A_%a.out"
    )
    return SubmitArray(
        actor=actor,
        sweep_id=sweep.id,
        array=numbers.spec,
        throttle=numbers.throttle,
        count=count,
        script=script,
        options=tuple(options),
        directory=directory,
        log=log,
    )


def sbatch_arguments(*, name: str, array: str, throttle: int | None, options: Sequence[str]) -> list[str]:
    """Return sbatch's arguments; the script goes to its standard input."""
    limited = array if throttle is None else f"{array}%{throttle}"
    return ["--parsable", *options, f"--job-name={name}", f"--array={limited}"]


def log_path(pattern: str, *, slurm_id: str, index: int) -> str:
    """Return the path of one task's output; only the marks that arrays use are filled in."""
    filled = {"A": slurm_id, "a": str(index), "%": "%"}
    return re.sub(r"%([Aa%])", lambda found: filled[found.group(1)], pattern)


def check_script(script: str) -> None:
    """Refuse what sbatch would not take for a script.

    Raises:
        ArrayError: with the reason.
    """
    if not script.startswith("#!"):
        raise ArrayError(
            "the batch script does not begin with #!", "its first line names the shell: #!/bin/bash"
        )
    if "\0" in script:
        raise ArrayError("the batch script holds a NUL character: it is no text file")
    if len(script.encode(errors="replace")) > MAX_SCRIPT_BYTES:
        raise ArrayError(f"the batch script is larger than {MAX_SCRIPT_BYTES} bytes")


def check_options(options: Sequence[str]) -> None:
    """Refuse arguments of sbatch that belong to us or would make it do something else than submit.

    Raises:
        ArrayError: with the reason and what to do instead.
    """
    for name, _ in _walk(options):
        if name == "":
            raise ArrayError("only options of sbatch can be given, no script", "use --script FILE")
        for refused, hint in _REFUSED.items():
            # sbatch takes a long option's beginning for the whole.
            if refused.startswith(name) and len(name) > 1:
                raise ArrayError(f"sbatch's --{refused} cannot be given here", hint)
    if any("\n" in option or "\0" in option for option in options):
        raise ArrayError("an argument for sbatch holds a line break")


def log_of(options: Sequence[str], *, directory: str) -> str | None:
    """Return the output pattern among sbatch's arguments, made absolute; None: it is not among them."""
    found = dict(_walk(options))
    if (log := found.get("output")) is None:
        return None
    below = found.get("chdir", directory)
    return log if log.startswith("/") else f"{_escaped(below)}/{log}"


def options_in(script: str) -> tuple[str, ...]:
    """Return the arguments in a script's `#SBATCH` lines, which end at its first command."""
    found: list[str] = []
    for line in script.splitlines():
        if line.startswith("#SBATCH"):
            try:
                found += shlex.split(line.removeprefix("#SBATCH"), comments=True)
            except ValueError:
                continue
        elif line.strip() and not line.startswith("#"):
            break
    return tuple(found)


def ends_in_exec(script: str) -> bool:
    """Say whether the last command is `exec`ed: only then do SLURM's signals reach the agent."""
    lines = script.replace("\\\n", " ").splitlines()
    commands = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    return bool(commands) and commands[-1].startswith("exec ")


def _warn_s(options: Sequence[str]) -> int:
    limits = [read_time_limit(value) for name, value in _walk(options) if name == "time"]
    limit_s = limits[-1] if limits else None
    if limit_s is None or limit_s >= SHORT_LIMIT_S:
        return WARN_S
    return max(WARN_LEAST_S, int(limit_s / 10))


def _walk(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (long name, value) of each option; the name is empty for what is none."""
    rest = iter(options)
    for option in rest:
        if option.startswith("--"):
            name, equals, value = option[2:].partition("=")
            yield name, value if equals or name in _FLAGS else next(rest, "")
        elif option.startswith("-") and len(option) > 1:
            letter, value = option[1], option[2:].removeprefix("=")
            if not value and letter in _VALUED:
                value = next(rest, "")
            yield _LONG.get(letter, letter), value
        else:
            yield "", option


def _escaped(path: str) -> str:
    """Return a path whose percent signs are no marks of sbatch's."""
    return path.replace("%", "%%")
