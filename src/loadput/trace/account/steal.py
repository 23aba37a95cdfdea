"""How long the tasks of vCPUs waited for a CPU: what a guest is told as stolen time."""

from __future__ import annotations

import numpy as np

from ..decode import as_whole
from ..table import Trace
from .log import I64, Log
from .state import runnable_states

AWAY, BACK, OUT_RUNNABLE, WAKEUP = range(4)


def count_steal(trace: Trace, log: Log, span: tuple[int, int]) -> I64 | None:
    """Nanoseconds per vCPU, within ``span``, that its task was runnable and not running.

    From being switched out runnable, or woken, until it is switched in: the run_delay of its
    sched_info, which record_steal_time() adds to the guest's clock (arch/x86/kvm/x86.c, v6.12).
    None where the recording has no sched_switch with its states.
    """
    name = log.roles.parts.get("switch")
    fields = ("prev_pid", "next_pid", "prev_state")
    if name is None or not set(fields) <= set(trace.fields(name)):
        return None
    cols = trace.columns(name, fields)
    runnable, _ = runnable_states(trace, name, cols["prev_state"])
    if not runnable.size:
        return None
    # Of several vCPUs that one task runs, the one that it met most.
    size = {v.index: int((log.vcpu == v.index).sum()) for v in log.vcpus}
    owner = {v.pid: v.index for v in sorted(log.vcpus, key=lambda v: size[v.index])}
    prev, back, time = as_whole(cols["prev_pid"]), as_whole(cols["next_pid"]), cols["time_ns"]
    pids = [prev[runnable], prev[~runnable], back]
    times = [time[runnable], time[~runnable], time]
    kinds = [OUT_RUNNABLE, AWAY, BACK]
    wakeup = log.roles.parts.get("wakeup") or log.roles.parts.get("waking")
    if wakeup is not None:
        key = "pid_field" if "pid_field" in trace.fields(wakeup) else "pid"
        woken = trace.columns(wakeup, [key])
        pids.append(as_whole(woken[key]))
        times.append(woken["time_ns"])
        kinds.append(WAKEUP)
    kind = np.repeat(kinds, [t.size for t in times])
    pid, time = np.concatenate(pids), np.concatenate(times)
    ours = np.isin(pid, list(owner))
    pid, time, kind = pid[ours], time[ours], kind[ours]
    order = np.lexsort((kind, time, pid))
    out = np.zeros(len(log.vcpus), dtype=np.int64)
    _sum_waits(pid[order], time[order], kind[order], owner, span, out)
    return out


def _sum_waits(
    pid: I64, time: I64, kind: I64, owner: dict[int, int], span: tuple[int, int], out: I64
) -> None:
    # A task may be woken while it runs: only the first wakeup since it went to wait begins one.
    at = np.maximum.accumulate(np.where(kind != WAKEUP, np.arange(kind.size), 0))
    was = np.where(pid[at] == pid, kind[at], BACK)
    again = np.zeros(kind.size, dtype=np.bool_)
    again[1:] = (kind[1:] == WAKEUP) & (kind[:-1] == WAKEUP) & (pid[1:] == pid[:-1])
    keep = np.flatnonzero((kind != WAKEUP) | ((was == AWAY) & ~again))
    pid, time, kind = pid[keep], time[keep], kind[keep]
    begins = (kind == OUT_RUNNABLE) | (kind == WAKEUP)
    waits = np.flatnonzero(begins[:-1] & (kind[1:] == BACK) & (pid[:-1] == pid[1:]))
    start, end = np.maximum(time[waits], span[0]), np.minimum(time[waits + 1], span[1])
    index = np.array([owner[p] for p in pid[waits].tolist()], dtype=np.int64)
    np.add.at(out, index, np.maximum(end - start, 0))
