"""What the made-up cluster is told of itself: its hosts, its settings, its nodes and partitions."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

LOGIN_ADDRESS = "10.77.0.1"
_MEMORY_CGROUP = Path("/sys/fs/cgroup/memory")
_SETTINGS: dict[str, object] = {
    "ClusterName": "lab",
    "SlurmctldHost": f"login({LOGIN_ADDRESS})",
    "SlurmctldPort": 17000,
    "SlurmdPort": 17001,
    "SrunPortRange": "17100-17400",
    "SlurmUser": "root",
    "SlurmdUser": "root",
    "AuthType": "auth/munge",
    "CredType": "cred/munge",
    "SwitchType": "switch/none",
    "MpiDefault": "none",
    "SelectType": "select/cons_tres",
    "SelectTypeParameters": "CR_Core_Memory",
    "DefMemPerCPU": 200,
    "SchedulerType": "sched/backfill",
    "SchedulerParameters": "bf_interval=1,sched_min_interval=100000,batch_sched_delay=0,sched_interval=1",
    "PriorityType": "priority/basic",
    "SlurmdParameters": "config_overrides",
    "SlurmctldParameters": "preempt_send_user_signal",
    "ReturnToService": 2,
    "MailProg": "/bin/true",
    "RebootProgram": "/bin/false",
    "KillWait": 4,
    "SlurmdTimeout": 5,
    "MessageTimeout": 10,
    "MinJobAge": 60,
    "MaxArraySize": 10001,
    "MaxJobCount": 20000,
    "JobRequeue": 1,
    "PreemptType": "preempt/partition_prio",
    "PreemptMode": "REQUEUE",
    "AccountingStorageType": "accounting_storage/none",
    "JobCompType": "jobcomp/none",
}
"""What does not depend on where things lie.

`cred_expire` is how long a requeued job waits before it may start again: two minutes by default.
"""


def enforces_memory() -> bool:
    """Say whether jobs can be held to their memory by the kernel."""
    return os.access(_MEMORY_CGROUP, os.W_OK)


def write_configuration(place: Path, nodes: Sequence[str], n_cpus: int) -> None:
    """Write what SLURM is to know of a cluster whose files are at `place`."""
    names = "\n".join(f"10.77.0.{11 + i} {node}" for i, node in enumerate(nodes))
    (place / "etc" / "hosts").write_text(f"127.0.0.1 localhost\n{LOGIN_ADDRESS} login\n{names}\n")
    cgroup = enforces_memory()
    settings = _SETTINGS | {
        # Job ids name control groups, which are the machine's: another cluster's must differ.
        "FirstJobId": os.getpid() * 1000 % 60_000_000 + 1,
        "AuthInfo": f"socket={place / 'munge.socket'},cred_expire=5",
        "StateSaveLocation": place / "state",
        "SlurmdSpoolDir": place / "spool" / "%n",
        "SlurmctldPidFile": place / "state" / "slurmctld.pid",
        "SlurmdPidFile": place / "state" / "slurmd.%n.pid",
        "SlurmctldLogFile": place / "log" / "slurmctld.log",
        "SlurmdLogFile": place / "log" / "slurmd.%n.log",
        "TaskPlugin": "task/cgroup" if cgroup else "task/none",
        "ProctrackType": "proctrack/cgroup" if cgroup else "proctrack/linuxproc",
        "JobAcctGatherType": "jobacct_gather/cgroup" if cgroup else "jobacct_gather/linux",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    lines += [
        f"NodeName={node} NodeAddr=10.77.0.{11 + i} CPUs={n_cpus} Boards=1 SocketsPerBoard=1"
        f" CoresPerSocket={n_cpus} ThreadsPerCore=1 RealMemory=16000 State=UNKNOWN"
        for i, node in enumerate(nodes)
    ]
    lines += [
        f"PartitionName={name} Nodes={','.join(nodes)} DefaultTime=60 {how}"
        for name, how in (
            ("main", "Default=YES PriorityTier=1 PreemptMode=REQUEUE"),
            ("high", "PriorityTier=10 PreemptMode=OFF"),
        )
    ]
    (place / "slurm.conf").write_text("\n".join(lines) + "\n")
    holds = "yes" if cgroup else "no"
    (place / "cgroup.conf").write_text(
        f"CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nConstrainRAMSpace={holds}\nMinRAMSpace=4\n"
    )
