"""What one run costs on the agent's side: a program that does nothing, a controller that answers at once.

python benchmarks/agent.py [N_RUNS]
"""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_s(n_runs: int, command: tuple[str, ...]) -> tuple[float, float]:
    """Return seconds per run by the wall and of this process's own time."""
    from controller.agent import AgentOptions, Steering, work
    from controller.agent.journal import Journal
    from tests.agent.fake import FakeController

    async def live(directory: Path) -> None:
        fake = FakeController(directory, command, [{"lr": 0.1, "layers": i} for i in range(n_runs)])
        await work(fake, AgentOptions(sweep_id="abcd1234"), Steering(), Journal(io.StringIO()))

    with tempfile.TemporaryDirectory() as name:
        started, used = time.perf_counter(), time.process_time()
        asyncio.run(live(Path(name)))
        return (time.perf_counter() - started) / n_runs, (time.process_time() - used) / n_runs


def main() -> None:
    n_runs = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for command in (("/bin/true",), (sys.executable, "-S", "-E", "-c", "pass")):
        wall, own = run_s(n_runs, command)
        print(f"{Path(command[0]).name:10} {wall * 1e3:6.2f} ms per run, {own * 1e3:5.2f} ms its own")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
