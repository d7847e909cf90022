"""What SLURM prints, and what it means. The texts are those of a real SLURM 22.05."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.domain.arrays import TASK_OVER, Fate, TaskState
from controller.launch.answers import recorded, task_seen
from controller.launch.parsing import (
    JobDetail,
    QueueRow,
    Record,
    read_details,
    read_moment,
    read_queue,
    read_records,
    read_submitted,
)
from controller.launch.states import Meaning, is_stuck, meaning

QUEUE = """\
6|2|6|PENDING|JobArrayTaskLimit|0:00|1:00:00|2026-11-27T06:42:59||tui-sweeps-abcdefgh
6|0|7|RUNNING|None|0:01|59:59|2026-11-27T06:42:59|sj1|tui-sweeps-abcdefgh
6|N/A|6|CANCELLED|JobArrayTaskLimit|0:00|1:00:00|2026-11-27T06:42:59||tui-sweeps-abcdefgh
2|7|2|FAILED|JobLaunchFailure|1-00:00:02|UNLIMITED|N/A|sj[1-2]|a|b
3|1-5%2|3|PENDING|Priority|0:00|1:00|N/A||ranges
slurm_load_jobs error: something
"""

DETAILS = """\
JobId=1 ArrayJobId=1 ArrayTaskId=3 ArrayTaskThrottle=2 JobName=x y JobState=FAILED Reason=NonZeroExitCode \
Dependency=(null) Requeue=1 Restarts=2 BatchFlag=1 ExitCode=3:0 PreemptTime=None Comment=Restarts=7 Power=
JobId=6 ArrayJobId=6 ArrayTaskId=4294967294 JobName=z JobState=CANCELLED Reason=None Restarts=0 ExitCode=0:0
JobId=9 JobName=z JobState=CANCELLED Reason=None Restarts=0 ExitCode=0:15 PreemptTime=2026-11-27T06:42:59
slurm_load_jobs error: Invalid job id specified
"""

RECORDS = """\
12_1|12|COMPLETED|0:0|61|n1
12_2|14|CANCELLED by 1000|0:15|5|n2
12_[3-6%2]|12|PENDING|0:0|0|None assigned
13|13|NODE_FAIL|0:0|9|n3
"""


def test_queue_is_read_task_by_task() -> None:
    rows = read_queue(QUEUE)
    assert [(row.array_id, row.index, row.raw_id, row.state) for row in rows] == [
        ("6", 2, "6", "PENDING"),
        ("6", 0, "7", "RUNNING"),
        ("6", None, "6", "CANCELLED"),
        ("2", 7, "2", "FAILED"),
    ]
    assert [(row.ran_s, row.left_s, row.reason, row.node, row.name) for row in rows[1::2]] == [
        (1.0, 3599.0, "", "sj1", "tui-sweeps-abcdefgh"),
        (86402.0, None, "JobLaunchFailure", "sj[1-2]", "a|b"),
    ]
    assert rows[0].submitted_at == read_moment("2026-11-27T06:42:59")


def test_details_are_read_and_a_comment_cannot_forge_them() -> None:
    assert read_details(DETAILS) == [
        JobDetail(
            index=3, state="FAILED", reason="NonZeroExitCode", exit="3:0", restarts=2, was_preempted=False
        ),
        JobDetail(index=None, state="CANCELLED", reason="", exit="0:15", restarts=0, was_preempted=True),
    ]


def test_accounting_is_read_without_the_waiting_rest() -> None:
    assert read_records(RECORDS) == [
        Record(index=1, raw_id="12", state="COMPLETED", exit="0:0", ran_s=61.0, node="n1"),
        Record(index=2, raw_id="14", state="CANCELLED", exit="0:15", ran_s=5.0, node="n2"),
        Record(index=None, raw_id="13", state="NODE_FAIL", exit="0:0", ran_s=9.0, node="n3"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12\n", ("12", "")),
        ("12;cluster-1\n", ("12", "cluster-1")),
        ("sbatch: a site's plugin says hello\n12;c\n", ("12", "c")),
        ("", None),
        ("Submitted batch job 12", None),
    ],
)
def test_id_is_read_also_where_a_site_says_more(text: str, found: tuple[str, str] | None) -> None:
    assert read_submitted(text) == found


@given(st.text("0123456789|_-:;.%[]=(), \nJobIdStaeRunNA\0é", max_size=200))
def test_nothing_that_is_printed_can_break_the_readers(text: str) -> None:
    for reader in (read_queue, read_details, read_records, read_submitted):
        reader(text)


MEANINGS = [
    ("PENDING", "Resources", "", TaskState.QUEUED, Fate.KEEP),
    ("PENDING", "BeginTime", "", TaskState.QUEUED, Fate.KEEP),
    ("PENDING", "JobArrayTaskLimit", "", TaskState.QUEUED, Fate.KEEP),
    ("PENDING", "ReqNodeNotAvail, UnavailableNodes:n1", "", TaskState.QUEUED, Fate.KEEP),
    ("PENDING", "PartitionTimeLimit", "", TaskState.BLOCKED, Fate.KEEP),
    ("PENDING", "DependencyNeverSatisfied", "", TaskState.BLOCKED, Fate.KEEP),
    ("PENDING", "JobHeldUser", "", TaskState.BLOCKED, Fate.KEEP),
    ("PENDING", "launch failed requeued held", "", TaskState.BLOCKED, Fate.KEEP),
    ("PENDING", "QOSMaxJobsPerUserLimit", "", TaskState.BLOCKED, Fate.KEEP),
    ("PENDING", "AssocGrpCpuLimit", "", TaskState.BLOCKED, Fate.KEEP),
    ("CONFIGURING", "", "", TaskState.STARTING, Fate.KEEP),
    ("RUNNING", "", "", TaskState.RUNNING, Fate.KEEP),
    ("COMPLETING", "", "", TaskState.STOPPING, Fate.KEEP),
    ("SUSPENDED", "", "", TaskState.SUSPENDED, Fate.KEEP),
    ("STOPPED", "", "", TaskState.SUSPENDED, Fate.KEEP),
    ("COMPLETED", "", "0:0", TaskState.FINISHED, Fate.LOST),
    ("FAILED", "NonZeroExitCode", "2:0", TaskState.FAILED, Fate.LOST),
    ("FAILED", "JobLaunchFailure", "0:9", TaskState.FAILED, Fate.LOST),
    ("FAILED", "JobLaunchFailure", "0:53", TaskState.NEVER_STARTED, Fate.LOST),
    ("CANCELLED", "", "0:15", TaskState.CANCELLED, Fate.LOST),
    ("TIMEOUT", "TimeLimit", "0:0", TaskState.TIMED_OUT, Fate.PREEMPTED),
    ("PREEMPTED", "", "0:0", TaskState.PREEMPTED, Fate.PREEMPTED),
    ("REQUEUED", "", "", TaskState.QUEUED, Fate.KEEP),
    ("NODE_FAIL", "NodeDown", "0:0", TaskState.LOST, Fate.LOST),
    ("OUT_OF_MEMORY", "OutOfMemory", "0:125", TaskState.FAILED, Fate.LOST),
    ("DEADLINE", "", "", TaskState.CANCELLED, Fate.LOST),
    ("BOOT_FAIL", "", "", TaskState.NEVER_STARTED, Fate.LOST),
    ("A_NEW_WORD", "", "", TaskState.UNKNOWN, Fate.KEEP),
]


@pytest.mark.parametrize(("raw", "reason", "exit_code", "state", "fate"), MEANINGS)
def test_each_state_means_what_was_measured(
    raw: str, reason: str, exit_code: str, state: TaskState, fate: Fate
) -> None:
    found = meaning(raw, reason=reason, exit_code=exit_code)
    assert (found.state, found.fate) == (state, fate)
    assert (fate is Fate.KEEP) or found.cause


def test_only_what_is_over_ends_an_agent() -> None:
    for raw, reason, exit_code, state, fate in MEANINGS:
        assert (fate is not Fate.KEEP) <= (state in TASK_OVER), (raw, reason, exit_code)


def test_cancelled_by_a_preemption_is_no_cancel() -> None:
    assert meaning("CANCELLED", was_preempted=True).fate is Fate.PREEMPTED


def test_unknown_word_concludes_nothing() -> None:
    assert meaning("") == Meaning(TaskState.UNKNOWN, cause="SLURM says nothing")
    assert not is_stuck("")


ROW = QueueRow(
    array_id="6",
    index=1,
    raw_id="9",
    state="FAILED",
    reason="NonZeroExitCode",
    ran_s=3.0,
    left_s=60.0,
    submitted_at=None,
    node="n1",
    name="n",
)


def test_state_reason_and_exit_code_are_kept_as_they_are() -> None:
    detail = JobDetail(
        index=1, state="FAILED", reason="NonZeroExitCode", exit="75:0", restarts=1, was_preempted=False
    )
    seen = task_seen(ROW, detail)
    assert (seen.raw, seen.reason, seen.exit, seen.restart) == ("FAILED", "NonZeroExitCode", "75:0", 1)
    assert "could not reach the controller" in seen.cause


def test_detail_that_contradicts_the_queue_is_of_another_moment_and_left_out() -> None:
    detail = JobDetail(
        index=1, state="PENDING", reason="BeginTime", exit="0:0", restarts=2, was_preempted=False
    )
    seen = task_seen(ROW, detail)
    assert (seen.state, seen.exit, seen.restart) == (TaskState.FAILED, "", None)


def test_accounting_counts_only_where_it_tells_of_an_end() -> None:
    told = [recorded(record) for record in read_records(RECORDS)]
    assert [seen and seen.state for seen in told] == [
        TaskState.FINISHED,
        TaskState.CANCELLED,
        TaskState.LOST,
    ]
    running = Record(index=1, raw_id="9", state="RUNNING", exit="0:0", ran_s=1.0, node="n1")
    assert recorded(running) is None
