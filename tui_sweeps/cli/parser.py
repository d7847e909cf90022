"""Every command with its words, flags and an example; imports nothing heavy, so `--help` is immediate."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from controller.settings import VERSION
from tui_sweeps.cli.arguments import Parser, command, json_flag, positive, verb_flags
from tui_sweeps.cli.array_arguments import add_arrays

_COMMANDS = "tui-sweeps"


def read_arguments(argv: Sequence[str]) -> argparse.Namespace:
    """Return a command line taken apart; what follows `--` after `submit` or `doctor` is sbatch's."""
    parser = build(VERSION)
    if "--" not in argv or not {"submit", "doctor"} & set(argv[: argv.index("--")]):
        return parser.parse_args(argv)
    at = argv.index("--")
    options = parser.parse_args(argv[:at])
    options.sbatch_args = [*options.sbatch_args, *argv[at + 1 :]]
    return options


def build(version: str) -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = Parser(
        prog=_COMMANDS,
        description="Hyperparameter sweeps, steered from a terminal. Without a command: the dashboard.",
        example="tui-sweeps run sweep.yaml --agents 2",
    )
    parser.add_argument("--version", action="version", version=f"tui-sweeps {version}")
    parser.add_argument(
        "--home", metavar="DIR", help="where the controller keeps its store (TUI_SWEEPS_HOME)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    _add_making(commands)
    _add_agents(commands)
    add_arrays(commands)
    _add_tables(commands)
    _add_steering(commands)
    _add_environment(commands)
    _add_controller(commands)
    return parser


def _add_making(commands: Any) -> None:
    demo = command(
        commands, "demo", "train real models on scikit-learn's digits and watch", "tui-sweeps demo --headless"
    )
    demo.add_argument(
        "--headless", action="store_true", help="without the dashboard; ends with the best config"
    )
    demo.add_argument("--agents", type=positive, default=2, metavar="N", help="local agents (2)")
    check = command(
        commands, "check", "read a sweep file and run nothing", "tui-sweeps check sweep.yaml --json"
    )
    check.add_argument("config", metavar="CONFIG")
    json_flag(check)
    sweep = command(
        commands,
        "sweep",
        "register a sweep, or pause, resume, stop or cancel one",
        "tui-sweeps sweep -p my-project sweep.yaml\ntui-sweeps sweep --pause SWEEP_ID",
    )
    sweep.add_argument("target", metavar="CONFIG_OR_SWEEP_ID")
    sweep.add_argument("-p", "--project", metavar="PROJECT")
    sweep.add_argument("-e", "--entity", metavar="ENTITY")
    sweep.add_argument("--name", metavar="NAME")
    sweep.add_argument("--program", metavar="PROGRAM", help="override the file's program")
    sweep.add_argument(
        "-R",
        "--prior_run",
        action="append",
        default=[],
        metavar="RUN_ID",
        help="a run to learn from; repeatable",
    )
    verbs = verb_flags(
        sweep,
        {
            "pause": "no new runs; running ones go on",
            "resume": "new runs again",
            "stop": "no new runs for good; running ones finish",
            "cancel": "kill running runs at once; no new ones",
        },
    )
    verbs.add_argument(
        "--run-cap", type=positive, metavar="N", help="let the sweep start N runs in all (then --resume)"
    )
    json_flag(sweep)


def _add_agents(commands: Any) -> None:
    agent = command(
        commands, "agent", "work for a sweep in the foreground", "tui-sweeps agent --count 1 SWEEP_ID"
    )
    agent.add_argument("sweep_id", metavar="SWEEP_ID", help="ID, project/ID or entity/project/ID")
    agent.add_argument("--count", type=positive, metavar="N", help="leave after N runs")
    agent.add_argument("--job", help=argparse.SUPPRESS)
    agent.add_argument(
        "--via",
        choices=("auto", "socket", "tcp", "spool"),
        help="how to reach the controller (auto; or TUI_SWEEPS_VIA)",
    )
    run = command(
        commands,
        "run",
        "register a sweep and work on it until it is done",
        "tui-sweeps run sweep.yaml --agents 4",
    )
    run.add_argument("config", metavar="CONFIG")
    run.add_argument("--agents", type=positive, default=1, metavar="N", help="local agents (1)")
    run.add_argument("-p", "--project", metavar="PROJECT")
    run.add_argument("--name", metavar="NAME")
    run.add_argument("--tui", action="store_true", help="with the dashboard")
    json_flag(run)


def _add_tables(commands: Any) -> None:
    json_flag(command(commands, "ls", "list the sweeps", "tui-sweeps ls --json"))
    runs = command(
        commands,
        "runs",
        "list the runs of a sweep",
        "tui-sweeps runs SWEEP_ID --filter 'state:failed lr<1e-3'",
    )
    runs.add_argument("sweep_id", metavar="SWEEP_ID")
    runs.add_argument("--filter", default="", metavar="F")
    json_flag(runs)
    runs.add_argument("--csv", action="store_true")
    show = command(commands, "show", "everything about one run", "tui-sweeps show RUN_ID")
    show.add_argument("run_id", metavar="RUN_ID")
    json_flag(show)
    logs = command(commands, "logs", "what a run printed", "tui-sweeps logs -f RUN_ID")
    logs.add_argument("run_id", metavar="RUN_ID")
    logs.add_argument("-f", "--follow", action="store_true", help="wait for more until the run ends")
    logs.add_argument("--raw", action="store_true", help="unfiltered bytes; never to a terminal")
    history = command(commands, "history", "what a run logged", "tui-sweeps history RUN_ID --csv")
    history.add_argument("run_id", metavar="RUN_ID")
    json_flag(history)
    history.add_argument("--csv", action="store_true")
    best = command(commands, "best", "the best config as YAML", "tui-sweeps best SWEEP_ID > config.yaml")
    best.add_argument("sweep_id", metavar="SWEEP_ID")
    json_flag(best)
    importance = command(
        commands, "importance", "which parameters matter", "tui-sweeps importance SWEEP_ID --json"
    )
    importance.add_argument("sweep_id", metavar="SWEEP_ID")
    importance.add_argument("--metric", default="", metavar="NAME", help="another metric than the sweep's")
    importance.add_argument(
        "--of", choices=("best", "last", "min", "max"), default="best", help="which value of each run (best)"
    )
    json_flag(importance)
    watch = command(
        commands, "watch", "a progress line for logs and dumb terminals", "tui-sweeps watch --once --json"
    )
    watch.add_argument("sweep_id", nargs="?", metavar="SWEEP_ID")
    watch.add_argument("--once", action="store_true", help="print once and end")
    json_flag(watch)


def _add_steering(commands: Any) -> None:
    stop = command(commands, "stop", "stop runs: TERM, 30 s grace, KILL", "tui-sweeps stop RUN_ID")
    retry = command(
        commands, "retry", "queue ended runs for another attempt", "tui-sweeps retry --failed SWEEP_ID"
    )
    retry.add_argument("--failed", metavar="SWEEP_ID", help="every failed or crashed run of a sweep")
    retry.add_argument("--force", action="store_true", help="finished runs, too")
    ignore = command(
        commands,
        "ignore",
        "leave runs out of search, best and importance",
        "tui-sweeps ignore --sweep SWEEP_ID --filter 'loss<0'",
    )
    ignore.add_argument("--undo", action="store_true", help="take them in again")
    delete = command(
        commands,
        "delete",
        "take ended runs out of their sweep; grid cells are run again",
        "tui-sweeps delete RUN_ID",
    )
    for parser in (stop, retry, ignore, delete):
        parser.add_argument("run_ids", nargs="*", metavar="RUN_ID")
        parser.add_argument("--sweep", metavar="SWEEP_ID", help="the sweep that --filter looks at")
        parser.add_argument("--filter", default="", metavar="F", help="runs of --sweep that match")
        json_flag(parser)


def _add_controller(commands: Any) -> None:
    controller = command(
        commands, "controller", "the controller by itself", "tui-sweeps controller status --json"
    )
    controller.add_argument("action", choices=("start", "status", "stop", "run"))
    controller.add_argument(
        "--listen",
        action="append",
        metavar="HOST:PORT",
        help="for agents on other hosts and W&B's client, from now on; repeatable; `all:0`: every interface,"
        " any free port; `off`: no more",
    )
    controller.add_argument(
        "--advertise",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="what else agents may reach it by; repeatable",
    )
    controller.add_argument(
        "--insecure", action="store_true", help="listen without TLS; on this machine only"
    )
    controller.add_argument("--takeover", action="store_true", help="when its owner on another host is dead")
    controller.add_argument("--wait", type=float, default=0.0, help=argparse.SUPPRESS)
    controller.add_argument("--idle-exit", type=float, default=None, help=argparse.SUPPRESS)
    json_flag(controller)
    _add_doctor(commands)


def _add_doctor(commands: Any) -> None:
    doctor = command(
        commands,
        "doctor",
        "check what the program stands on and say what to do",
        "tui-sweeps doctor\ntui-sweeps doctor --slurm -- -p short",
    )
    doctor.add_argument(
        "--slurm", action="store_true", help="send a one-minute job to a node: which address works from there"
    )
    doctor.add_argument(
        "--wait", type=float, default=300.0, metavar="S", help="how long the job may take to start (300)"
    )
    doctor.add_argument("sbatch_args", nargs="*", metavar="-- SBATCH_ARG", help="sbatch's own arguments")
    json_flag(doctor)


def _add_environment(commands: Any) -> None:
    env = command(
        commands,
        "env",
        "the exports with which the real wandb client works here",
        'eval "$(tui-sweeps env SWEEP_ID)"; wandb agent SWEEP_ID',
    )
    env.add_argument(
        "sweep_id", nargs="?", metavar="SWEEP_ID", help="a key for its project; without: for everything"
    )
    env.add_argument("--view", action="store_true", help="a key that may look and change nothing")
    json_flag(env)
