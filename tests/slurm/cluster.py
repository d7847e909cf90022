"""A real SLURM for the length of a test session: a login node and some compute nodes on this one machine.

Every node has a network, a host name, a boot id and a hosts file of its own (namespaces), so to the programs
under test they are different machines on one network; the file system is shared, as on a cluster. Needs root
and Debian's `slurm-wlm` and `munge`; nothing of the machine's own configuration is read or changed. Timers
that last minutes on a real site are shortened to seconds.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.slurm.configuration import write_configuration

PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch", "ip", "unshare", "nsenter", "setpriv", "curl")
WAIT_S = 150.0
"""Patience on a loaded machine; what works needs a fraction of it."""
_SETUP = """
mount --make-rprivate /
mount --bind "$1" /etc/hosts
if [ -n "$2" ]; then mount --bind "$2" /proc/sys/kernel/random/boot_id; fi
echo "$3" > /proc/sys/kernel/hostname
shift 3
exec "$@"
"""


def why_not() -> str:
    """Return why no cluster can be started here; empty when one can."""
    missing = [name for name in PROGRAMS if _program(name) is None]
    if missing:
        return f"no real SLURM here: {', '.join(missing)} not installed (see .ci/run)"
    if os.geteuid() != 0:
        return "a real SLURM can only be started as root"
    tried = subprocess.run(["unshare", "--net", "--mount", "--uts", "true"], capture_output=True)
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.decode().strip()}"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class Cluster:
    """`login` and nodes `n1`, `n2`, …; `close` ends everything."""

    def __init__(self, n_nodes: int = 4, n_cpus: int = 64) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="tss-"))
        self.place.chmod(0o755)
        self.tag = f"tui-sweeps-{os.getpid()}"
        self.nodes = [f"n{i}" for i in range(1, n_nodes + 1)]
        self._n_cpus = n_cpus
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("SLURM", "SBATCH", "SQUEUE", "SACCT"))
            },
            "SLURM_CONF": str(self.place / "slurm.conf"),
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
        }

    def start(self) -> None:
        """Bring everything up; returns once every node takes jobs."""
        _clear_away_dead()
        for name in ("state", "spool", "log", "etc"):
            (self.place / name).mkdir()
        write_configuration(self.place, self.nodes, self._n_cpus)
        self._make_network()
        self._start_munge()
        self._daemon("slurmctld", "login", ["slurmctld", "-D"])
        self.until(lambda: "UP" in self.run("scontrol", "ping", check=False))
        for node in self.nodes:
            self.start_node(node)
        self.until(lambda: all(self.node_state(node) == "idle" for node in self.nodes))

    def start_node(self, node: str) -> None:
        """Boot a node: a new boot id, a new slurmd."""
        (self.place / "etc" / f"{node}.boot_id").write_text(f"{uuid.uuid4()}\n")
        self._daemon(node, node, ["slurmd", "-D", "-N", node])

    def node_state(self, node: str) -> str:
        return self.run("sinfo", "-h", "-n", node, "-p", "main", "-o", "%T", check=False).strip()

    def crash_node(self, node: str) -> None:
        """Cut a node's power: slurmd, its steps and all processes of its jobs are gone."""
        self._kill_all_at(node)
        self._daemons.pop(node).wait()

    def set_cable(self, node: str, *, plugged: bool) -> None:
        """Pull a node's network cable, or put it back."""
        port = f"p{self.nodes.index(node) + 1}"
        _ip(f"-n {self._net('switch')} link set {port} {'up' if plugged else 'down'}")

    def restart_controller(self) -> None:
        """Stop and start slurmctld."""
        self._end("slurmctld")
        self._daemon("slurmctld", "login", ["slurmctld", "-D"])
        self.until(lambda: "UP" in self.run("scontrol", "ping", check=False))

    def at(self, where: str, argv: Sequence[str]) -> list[str]:
        """Return the command that runs `argv` on a host of the cluster."""
        hosts = self.place / "etc" / "hosts"
        boot_id = "" if where == "login" else str(self.place / "etc" / f"{where}.boot_id")
        inside = [
            "unshare",
            "--mount",
            "--uts",
            "sh",
            "-euc",
            _SETUP,
            "sh",
            str(hosts),
            boot_id,
            where,
            *argv,
        ]
        return ["nsenter", f"--net=/run/netns/{self._net(where)}", *inside]

    def run(self, *argv: str, where: str = "login", check: bool = True, uid: int | None = None) -> str:
        """Run a command on a host and return what it printed."""
        words = [*argv] if uid is None else ["setpriv", f"--reuid={uid}", "--clear-groups", *argv]
        done = subprocess.run(
            self.at(where, words), env=self.environment, capture_output=True, text=True, timeout=WAIT_S
        )
        assert not check or done.returncode == 0, (argv, done.stdout, done.stderr)
        return done.stdout

    def processes_of(self, array: str) -> list[int]:
        """Return the processes on the nodes that belong to an array's tasks."""
        mark = f"SLURM_ARRAY_JOB_ID={array}".encode()
        found = []
        for pid in (pid for node in self.nodes for pid in _processes_in(self._net(node))):
            with contextlib.suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    found.append(pid)
        return found

    def states(self, array: str) -> dict[str, str]:
        """Return the state of each task of an array that SLURM still knows, by index."""
        out = self.run("squeue", "-h", "-r", "-t", "all", "-j", array, "-o", "%K %T", check=False)
        return dict(line.split(maxsplit=1) for line in out.splitlines())

    def until(self, condition: Callable[[], bool]) -> None:
        """Look until the condition holds; SLURM tells nobody of its changes."""
        until = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < until, f"not within {WAIT_S} s; logs in {self.place / 'log'}"
            time.sleep(0.1)

    def close(self) -> None:
        """End every process in the cluster's own networks, and take the networks away."""
        for where in ("login", *self.nodes):
            self._kill_all_at(where)
        for process in self._daemons.values():
            process.kill()
            process.wait()
        for where in ("login", "switch", *self.nodes):
            with contextlib.suppress(AssertionError):
                _ip(f"netns del {self._net(where)}")
        for controller in Path("/sys/fs/cgroup").glob("*/slurm*"):
            with contextlib.suppress(OSError):
                controller.rmdir()
        shutil.rmtree(self.place, ignore_errors=True)

    def _net(self, where: str) -> str:
        return f"{self.tag}-{where}"

    def _daemon(self, name: str, where: str, argv: Sequence[str]) -> None:
        with (self.place / "log" / f"{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                self.at(where, argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
                cwd="/",
            )

    def _end(self, name: str) -> None:
        process = self._daemons.pop(name)
        process.terminate()
        process.wait(WAIT_S)

    def _kill_all_at(self, where: str) -> None:
        while _kill_all_in(self._net(where)):
            for process in self._daemons.values():
                process.poll()

    def _make_network(self) -> None:
        """One switch, and a cable from each host to it; nothing appears in the machine's own network."""
        switch = self._net("switch")
        lines = [
            f"netns add {switch}",
            f"-n {switch} link add br0 type bridge",
            f"-n {switch} link set br0 up",
        ]
        for i, where in enumerate(("login", *self.nodes)):
            net = self._net(where)
            lines += [
                f"netns add {net}",
                f"-n {net} link set lo up",
                f"-n {net} link add eth0 type veth peer name p{i} netns {switch}",
                f"-n {switch} link set p{i} master br0 up",
                f"-n {net} addr add 10.77.0.{1 if i == 0 else 10 + i}/24 dev eth0",
                f"-n {net} link set eth0 up",
            ]
        for line in lines:
            _ip(line)

    def _start_munge(self) -> None:
        key = self.place / "etc" / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        socket = self.place / "munge.socket"
        argv = ["munged", "--foreground", "--force", f"--socket={socket}", f"--key-file={key}"]
        argv += [f"--{kind}-file={self.place / 'etc' / f'munge.{kind}'}" for kind in ("pid", "log", "seed")]
        self._daemon("munged", "login", argv)
        self.until(socket.exists)


def _processes_in(net: str) -> list[int]:
    """Return the processes of one host: those in its network, which nobody else can be in."""
    found = []
    with contextlib.suppress(FileNotFoundError):
        network = os.stat(f"/run/netns/{net}").st_ino
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError):
                    if os.stat(f"/proc/{entry}/ns/net").st_ino == network:
                        found.append(int(entry))
    return found


def _kill_all_in(net: str) -> bool:
    """Kill what runs in a network; return whether there was anything."""
    found = _processes_in(net)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)


def _clear_away_dead() -> None:
    """Take away the clusters of test sessions that were killed: nobody else would."""
    nets = Path("/run/netns")
    for net in sorted(path.name for path in nets.iterdir()) if nets.exists() else ():
        found = re.fullmatch(r"tui-sweeps-(\d+)-\w+", net)
        if found and not os.path.exists(f"/proc/{found[1]}"):
            while _kill_all_in(net):
                pass
            with contextlib.suppress(AssertionError):  # another worker may be at the same
                _ip(f"netns del {net}")


def _ip(arguments: str) -> None:
    done = subprocess.run(["ip", *shlex.split(arguments)], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)
