"""Reads W&B's sweep files: text or plain data in, a `SweepConfig` and every problem with its place out.

::

    text -> document -> items -> toplevel -> parameters -> distributions, conditions
                                          -> objective, start, extras
"""

from controller.domain.problems import Problem, Severity
from controller.domain.sweepfile.reading import Reading, read, read_mapping, read_parameters

__all__ = ["Problem", "Reading", "Severity", "read", "read_mapping", "read_parameters"]
