"""One number for all that a trace says at one probe: which, with what flags, what came between."""

from __future__ import annotations

from dataclasses import dataclass

# Radices of the parts of a symbol, the event's number last.
ABSENT = 2
FLAGS = ("preempted", "ready", "scheduled_out", "wants_to_run", "mode")
FIELDS = {  # what probes call them
    "preempted": "preempted", "ready": "ready", "scheduled_out": "so", "wants_to_run": "wants",
    "mode": "mode", "cpu": "vcpu_cpu",
}  # fmt: skip
# vcpu->cpu at the probe.
CPU_NONE, CPU_HERE, CPU_BEFORE, CPU_SAME, CPU_ELSE, CPU_ABSENT = range(6)
# __schedule(): the task was taken off the runqueue, or stayed; a signal may have kept it.
BLOCKED, RUNNABLE, UNKNOWN, BLOCKED_OR_SIGNAL = range(4)
# kvm_vcpu_wake_up() set ready while the task was out: no, yes or will yet, nobody can tell, surely.
NOT_WOKEN, WOKEN, MAYBE_WOKEN, STORED = range(4)
# At a load: whose was the one before on this CPU.
FORMER_OTHER, FORMER_OWN, FORMER_UNKNOWN = range(3)
# At a load: last_exit_cpu of the vCPU.
EXIT_NONE, EXIT_HERE, EXIT_ELSE, EXIT_ABSENT = range(4)
RADIX = (3, 3, 3, 3, 3, 6, 4, 4, 2, 2, 2, 3, 4, 3)


@dataclass(frozen=True, slots=True)
class Seen:
    """A symbol, taken apart.

    :param flags: observed values in the order of :data:`FLAGS`; ABSENT where not probed
    :param late: a wakeup of the task is near enough for its store to ``ready`` to land here
    """

    event: int
    flags: tuple[int, ...]
    cpu: int
    out: int
    woken: int
    late: bool
    moved: bool
    returned: bool
    former: int
    last_exit: int
    dirty: int


def unpack(symbol: int) -> Seen:
    """Return what :func:`loadput.conform.events.read_events` packed."""
    parts = []
    for radix in RADIX:
        symbol, value = divmod(symbol, radix)
        parts.append(value)
    late, moved, returned = (bool(x) for x in parts[8:11])
    place, out, woken = parts[5:8]
    return Seen(symbol, tuple(parts[:5]), place, out, woken, late, moved, returned, *parts[11:])
