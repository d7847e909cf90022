"""The small process around an agent: whichever of the two is killed, no training stays behind.

::

    guard (what the user or the launcher started; its pid is the agent's to the outside)
      └── agent (own session; the kernel signals it when the guard dies)
            └── programs (the kernel kills them when the agent dies)

Both are subreapers. Kill the agent, and the guard inherits everything that descended from it and ends it;
kill the guard, and the agent ends its run, tells the controller and leaves. Signals to the guard are
passed on, so one Ctrl-C is one signal.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable

from controller.agent.tree import ProcessTree, die_with_parent

ORPHANED = signal.SIGUSR2
"""What the agent gets when its guard dies."""
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
_LOOK_S = 0.01


def guarded(body: Callable[[], int], *, ignore_hangup: bool) -> int:
    """Run `body` in a guarded child process and return its exit code.

    To be called before any thread is started.
    """
    waited = {*_FORWARDED, signal.SIGCHLD}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, waited)
    guard = os.getpid()
    tree = ProcessTree()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _be_the_agent(body, guard, mask)
    try:
        return _watch(pid, tree, waited, ignore_hangup=ignore_hangup)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _be_the_agent(body: Callable[[], int], guard: int, mask: set[signal.Signals | int]) -> None:
    code = 1
    try:
        os.setsid()
        die_with_parent(ORPHANED)
        if os.getppid() == guard:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            code = body()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _watch(pid: int, tree: ProcessTree, waited: set[signal.Signals], *, ignore_hangup: bool) -> int:
    while True:
        signum = signal.sigwait(waited)
        if signum == signal.SIGCHLD:
            tree.reap(keep=pid)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
        elif not (signum == signal.SIGHUP and ignore_hangup):
            os.kill(pid, signum)
    while tree.members():
        tree.signal(signal.SIGKILL)
        time.sleep(_LOOK_S)
        tree.reap()
    tree.reap()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
