"""Names of tasks where a recording carries no list of them: what its scheduler events say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .decode import Column, as_whole

UNNAMED = b"<...>"
# Event -> fields of (pid, name) that it carries, as the table calls them.
CARRIERS: dict[str, tuple[tuple[str, str], ...]] = {
    "sched_switch": (("prev_pid", "prev_comm"), ("next_pid", "next_comm")),
    "sched_wakeup": (("pid_field", "comm_field"),),
    "sched_wakeup_new": (("pid_field", "comm_field"),),
    "sched_waking": (("pid_field", "comm_field"),),
    "sched_migrate_task": (("pid_field", "comm_field"),),
}


def names_in(columns: Mapping[str, Mapping[str, Column]]) -> dict[int, str]:
    """The last name of each pid in the columns of :data:`CARRIERS`."""
    out: dict[int, tuple[int, str]] = {}
    for event, cols in columns.items():
        for pid_key, name_key in CARRIERS[event]:
            if not {pid_key, name_key} <= set(cols):
                continue
            pid, time = as_whole(cols[pid_key]), cols["time_ns"]
            order = np.lexsort((time, pid))
            last = order[np.flatnonzero(np.diff(pid[order], append=-1))]
            for row in last.tolist():
                name = cols[name_key][row]
                text = name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)
                at = int(time[row])
                if text and pid[row] > 0 and at >= out.get(int(pid[row]), (at, ""))[0]:
                    out[int(pid[row])] = (at, text)
    return {pid: name for pid, (_, name) in out.items()}


def fill_unnamed(pid: NDArray[np.generic], comm: NDArray[Any], names: Mapping[int, str]) -> None:
    """Name the rows of ``comm`` that have none, in place."""
    lacking = np.flatnonzero(comm == UNNAMED)
    for row in lacking.tolist():
        if name := names.get(int(pid[row])):
            comm[row] = name.encode()[:16]
