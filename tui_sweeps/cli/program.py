"""Takes a command line apart and runs its command; every mistake ends as a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Coroutine
from typing import Any

from controller.settings import Home, home_path
from tui_sweeps.cli.outcomes import CommandError
from tui_sweeps.cli.parser import read_arguments


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    _write_any_text()
    options = read_arguments(argv)
    home = Home(home_path(options.home))
    try:
        code = _run(options, home)
        # Here and not while the interpreter leaves: a full disk is worth a sentence.
        sys.stdout.flush()
        return code
    except CommandError as error:
        _complain(str(error), error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not our mistake, and nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        _complain(f"{error.filename or 'output'}: {error.strerror or error}", "")
        _drop_output()
        return 1


def _write_any_text() -> None:
    """Where the locale knows only some characters (Latin-1, ASCII), show the others as escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Let what could not be written (a full disk) be, so that leaving does not try it once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: Namespace, home: Home) -> int:
    command = options.command
    if command is None:
        from tui_sweeps.cli.dashboard import dashboard

        dashboard(home)
        return 0
    work = _find(command)(options, home)
    if isinstance(work, int):
        return work
    import asyncio

    from tui_sweeps.cli.reach import translated

    return asyncio.run(translated(work))


def _find(command: str) -> Callable[[Namespace, Home], int | Coroutine[Any, Any, int]]:
    match command:
        case "check" | "sweep":
            from tui_sweeps.cli import sweeps

            return {"check": sweeps.check, "sweep": sweeps.sweep}[command]
        case "agent":
            from tui_sweeps.cli.agent import agent

            return agent
        case "run" | "demo":
            from tui_sweeps.cli import working

            return {"run": working.run, "demo": working.demo}[command]
        case "ls" | "runs" | "show" | "best" | "importance":
            from tui_sweeps.cli import tables

            return {
                "ls": tables.ls,
                "runs": tables.runs,
                "show": tables.show,
                "best": tables.best,
                "importance": tables.importance,
            }[command]
        case "submit" | "jobs":
            from tui_sweeps.cli import arrays, jobs

            return {"submit": arrays.submit, "jobs": jobs.jobs}[command]
        case "logs" | "history" | "watch":
            from tui_sweeps.cli import following

            return {"logs": following.logs, "history": following.history, "watch": following.watch}[command]
        case "env":
            from tui_sweeps.cli import environment

            return environment.env
        case "stop" | "retry" | "ignore" | "delete":
            from tui_sweeps.cli import steering

            acts = {"stop": steering.stop, "retry": steering.retry}
            return (acts | {"ignore": steering.ignore, "delete": steering.delete})[command]
        case "doctor":
            from tui_sweeps.cli.doctor import doctor

            return doctor
        case _:
            from tui_sweeps.cli import controllers

            return controllers.controller


def _complain(message: str, hint: str) -> None:
    from tui_sweeps.format import sanitise

    print(f"tui-sweeps: {sanitise(message)}", file=sys.stderr)
    if hint:
        print(f"  {sanitise(hint, allow=chr(10))}", file=sys.stderr)
