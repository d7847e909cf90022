"""A double of SLURM's programs: what a real one cannot be made to do quickly.

Installed under the names sbatch, squeue, scontrol, sacct and scancel. The folder that `DOUBLE` names holds
the queue, a log of calls and, per program, moods: one line is used up by each call.

    ok                      do it (also when there is no mood)
    slow SECONDS            do it, answer late
    fail TEXT               do nothing, complain
    lost TEXT               do it, complain all the same
    late SECONDS TEXT       complain, and do it so much later
    say FILE                do nothing, print that file
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path


def main() -> int:
    me, arguments = Path(sys.argv[0]).name, sys.argv[1:]
    place = Path(os.environ["DOUBLE"])
    text = sys.stdin.read() if me == "sbatch" else ""
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.environ.get("DOUBLE_AGAIN"):
            told = {"program": me, "arguments": arguments, "text": text, "environment": dict(os.environ)}
            with (place / "calls").open("a") as calls:
                calls.write(json.dumps(told) + "\n")
        mood, _, rest = _mood(place, me).partition(" ")
        if mood == "say":
            print(Path(rest).read_text(), end="")
            return 0
        if mood in ("ok", "slow", "lost"):
            said = _do(place, me, arguments)
    if mood == "slow":
        time.sleep(float(rest))
    if mood == "late":
        seconds, _, rest = rest.partition(" ")
        again = f'/bin/sleep {seconds}; exec "$0" "$@"'
        subprocess.Popen(
            ["/bin/sh", "-c", again, sys.argv[0], *arguments],
            env=os.environ | {"DOUBLE_AGAIN": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    if mood in ("fail", "lost", "late"):
        print(f"{me}: error: {rest}", file=sys.stderr)
        return 1
    print(said, end="")
    return 0


def _mood(place: Path, me: str) -> str:
    path = place / f"mood-{me}"
    lines = path.read_text().splitlines() if path.exists() and not os.environ.get("DOUBLE_AGAIN") else []
    if lines:
        path.write_text("".join(line + "\n" for line in lines[1:]))
    return lines[0] if lines else "ok"


def _do(place: Path, me: str, arguments: list[str]) -> str:
    path = place / "queue"
    queue = json.loads(path.read_text()) if path.exists() else []
    given = dict(a[2:].split("=", 1) for a in arguments if a.startswith("--") and "=" in a)
    said = ""
    match me:
        case "sbatch":
            first, _, last = given["array"].partition("%")[0].partition("-")
            number = str(100 + len({task["array"] for task in queue}))
            for index in range(int(first), int(last or first) + 1):
                queue.append(_task(number, index, given["job-name"]))
            said = f"{number};double\n"
        case "squeue":
            names = given.get("name", "").split(",") if "name" in given else None
            said = "".join(_row(task) for task in queue if names is None or task["name"] in names)
        case "scontrol" if arguments[0] == "--oneliner":
            said = "".join(_line(task) for task in queue if task["array"] == arguments[-1])
        case "scancel":
            for task in queue:
                waits = task["state"] == "PENDING"
                is_meant = task["array"] == arguments[-1] and given.get("name", task["name"]) == task["name"]
                if is_meant and (waits or "state" not in given):
                    task["state"] = "CANCELLED"
            # A waiting element that is cancelled leaves no record at all.
            queue = [task for task in queue if task["state"] != "CANCELLED" or task["node"]]
        case _:
            pass
    path.write_text(json.dumps(queue))
    return said


def _task(number: str, index: int, name: str) -> dict[str, str]:
    return {
        "array": number,
        "index": str(index),
        "id": number,
        "state": "PENDING",
        "reason": "Resources",
        "ran": "0:00",
        "left": "1:00:00",
        "submitted": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "node": "",
        "name": name,
        "exit": "0:0",
        "restarts": "0",
        "detail_state": "",
        "preempted": "None",
    }


def _row(task: dict[str, str]) -> str:
    names = ("array", "index", "id", "state", "reason", "ran", "left", "submitted", "node", "name")
    return "|".join(task[name] for name in names) + "\n"


def _line(task: dict[str, str]) -> str:
    return (
        f"JobId={task['id']} ArrayJobId={task['array']} ArrayTaskId={task['index']} JobName={task['name']} "
        f"JobState={task['detail_state'] or task['state']} Reason={task['reason']} "
        f"Restarts={task['restarts']} ExitCode={task['exit']} PreemptTime={task['preempted']} "
        "Comment=Restarts=99 \n"
    )


if __name__ == "__main__":
    sys.exit(main())
