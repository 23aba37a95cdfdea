"""What a recording says about a load that may skip the restore of CSRs (riscv from v7.1 on).

Whose load was the last on this CPU follows from the loads themselves; last_exit_cpu and csr_dirty
are fields of a probe on kvm_arch_vcpu_load(), which may be a second one at the same place.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..trace.decode import as_whole
from ..trace.needs import Roles
from ..trace.table import Trace
from .symbols import (
    ABSENT,
    EXIT_ABSENT,
    EXIT_ELSE,
    EXIT_HERE,
    EXIT_NONE,
    FORMER_OTHER,
    FORMER_OWN,
    FORMER_UNKNOWN,
)

I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
LOAD = "kvm_arch_vcpu_load"
LAST_EXIT, DIRTY = "lastexit", "dirty"


def read_former(rows: I64, cpu: I64, time: I64, pointer: I64, gaps: list[int]) -> I8:
    """For each load whether the one before on its CPU was of the same vCPU."""
    out = np.full(rows.size, FORMER_UNKNOWN, dtype=np.int8)
    order = np.lexsort((time[rows], cpu[rows]))
    at = rows[order]
    if at.size < 2:
        return out
    same = cpu[at[1:]] == cpu[at[:-1]]
    for gap in gaps:
        same &= (time[at[:-1]] > gap) | (time[at[1:]] <= gap)
    own = np.where(pointer[at[1:]] == pointer[at[:-1]], FORMER_OWN, FORMER_OTHER)
    out[order[1:]] = np.where(same, own, FORMER_UNKNOWN)
    return out


def read_fields(
    trace: Trace, roles: Roles, rows: I64, cpu: I64, time: I64, pointer: I64
) -> tuple[I8, I8]:
    """For each load what the probe on it read of last_exit_cpu and csr_dirty."""
    exits = np.full(rows.size, EXIT_ABSENT, dtype=np.int8)
    dirty = np.full(rows.size, ABSENT, dtype=np.int8)
    back = set(roles.returns.values())
    names = [
        n for n, f in sorted(roles.functions.items())
        if f == LOAD and n not in back and {LAST_EXIT, DIRTY} & set(trace.fields(n))
    ]  # fmt: skip
    if not names or not rows.size:
        return exits, dirty
    fields = set(trace.fields(names[0]))
    cols = trace.columns(names[0], sorted({"vcpu", LAST_EXIT, DIRTY} & fields))
    if not cols["time_ns"].size or "vcpu" not in fields:
        return exits, dirty
    there = as_whole(cols["vcpu"], 0)
    order = np.lexsort((cols["time_ns"], cols["cpu"]))
    keys = _key(cols["cpu"][order].astype(np.int64), cols["time_ns"][order])
    wanted = _key(cpu[rows].astype(np.int64), time[rows])
    spot = np.searchsorted(keys, wanted, "right") - 1
    low, high = np.maximum(spot, 0), np.minimum(spot + 1, keys.size - 1)
    # The probe at the same place fired just before or just behind.
    mine_low = (spot >= 0) & (there[order[low]] == pointer[rows])
    mine_high = there[order[high]] == pointer[rows]
    far = np.iinfo(np.int64).max
    to_low = np.where(mine_low, wanted - keys[low], far)
    to_high = np.where(mine_high, np.abs(keys[high] - wanted), far)
    best = order[np.where(to_low <= to_high, low, high)]
    good = (mine_low | mine_high) & (cols["cpu"][best] == cpu[rows])
    if LAST_EXIT in fields:
        value = as_whole(cols[LAST_EXIT])[best]
        code = np.where(value < 0, EXIT_NONE, np.where(value == cpu[rows], EXIT_HERE, EXIT_ELSE))
        exits[good] = code[good]
    if DIRTY in fields:
        dirty[good] = (as_whole(cols[DIRTY])[best] != 0)[good]
    return exits, dirty


def _key(cpu: I64, time: I64) -> I64:
    return (cpu << 47) + (time & ((1 << 47) - 1))
