"""Which events of a recording play which part, by what they probe and not by what they are called.

A kprobe event may have any name. What it is on stands in the recording: the address of the probe,
and the recording's own symbol table. Text has the symbol in the line. Only where neither is there
does the event's name decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .table import Trace

# What the accounting can use: part -> functions or tracepoints that show it.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "load": ("vcpu_load",),
    "put": ("vcpu_put",),
    "arch_load": ("kvm_arch_vcpu_load",),
    "arch_put": ("kvm_arch_vcpu_put",),
    "sched_in": ("kvm_sched_in",),
    "sched_out": ("kvm_sched_out",),
    "prep": ("svm_prepare_switch_to_guest", "vmx_prepare_switch_to_guest"),
    "block": ("kvm_vcpu_block", "kvm_vcpu_halt"),
    "on_spin": ("kvm_vcpu_on_spin",),
    "yield_to": ("kvm_vcpu_yield_to",),
}
TRACEPOINTS: dict[str, tuple[str, ...]] = {
    "switch": ("sched_switch",),
    "wakeup": ("sched_wakeup",),
    "waking": ("sched_waking",),
    "migrate": ("sched_migrate_task",),
    "entry": ("kvm_entry",),
    "exit": ("kvm_exit",),
    "userspace_exit": ("kvm_userspace_exit",),
}
# Names that people give to the probes above, for files without symbols.
USUAL_NAMES = {name: part for part in FUNCTIONS for name in (part, *FUNCTIONS[part])}
USUAL_NAMES |= {"svm_prep": "prep", "vmx_prep": "prep"}
_TEXT_SYMBOL = re.compile(r"^\(([A-Za-z_][\w.]*)(?:\+0x[0-9a-f]+)?(?:/0x[0-9a-f]+)?(?: \[\w+\])?\)")


@dataclass(slots=True)
class Roles:
    """Part -> event name; ``functions``: event name -> probed function; ``returns``: function ->
    name of the event on its return."""

    parts: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    returns: dict[str, str] = field(default_factory=dict)

    @property
    def has_probes(self) -> bool:
        """Whether loads and puts are seen themselves and need not be inferred."""
        return {"arch_load", "arch_put"} <= set(self.parts)

    @property
    def can_infer(self) -> bool:
        """Whether loads and puts can be inferred from stock tracepoints."""
        return {"switch", "entry"} <= set(self.parts)

    def absent(self) -> list[str]:
        """The parts that this recording does not show, as functions or tracepoints."""
        known = {**FUNCTIONS, **TRACEPOINTS}
        return [names[0] for part, names in known.items() if part not in self.parts]


def find_roles(trace: Trace) -> Roles:
    """Return which event plays which part in ``trace``.

    Of several events on one function the one with the most fields wins (ties: by name).
    """
    roles = Roles()
    names = set(trace.events())
    for part, points in TRACEPOINTS.items():
        for point in points:
            if point in names:
                roles.parts[part] = point
                break
    found: dict[str, list[tuple[int, str]]] = {}
    for name in sorted(names):
        if name.startswith("unknown:") or name in roles.parts.values():
            continue
        function, is_return = _probed_function(trace, name)
        if not function:
            continue
        roles.functions[name] = function
        if is_return:
            roles.returns[function] = name
        else:
            found.setdefault(function, []).append((-len(trace.fields(name)), name))
    for part, functions in FUNCTIONS.items():
        rows = [row for function in functions for row in sorted(found.get(function, []))]
        if rows:
            roles.parts[part] = rows[0][1]
    return roles


def _probed_function(trace: Trace, name: str) -> tuple[str, bool]:
    # (function, whether the event is on its return); "" where the event is no probe.
    fields = trace.fields(name)
    for key in ("__probe_func", "__probe_ip"):
        if key in fields:
            column = trace.columns(name, [key])[key]
            if column.size and column.dtype.kind in "iu":
                symbol = trace.symbol(int(column[0])).split(".", 1)[0]
                if not symbol.startswith("0x"):
                    return symbol, key == "__probe_func"
            return _by_name(name, key == "__probe_func")
    if "text" in fields:
        column = trace.columns(name, ["text"])["text"]
        first = str(column[0]) if column.size else ""
        if not first.startswith("("):
            return "", False
        match = _TEXT_SYMBOL.match(first)
        if match is not None and not re.fullmatch(r"[0-9a-f]{8,16}", match[1]):
            return match[1].split(".", 1)[0], False
        back = re.match(r"^\([^)]* <- ([A-Za-z_][\w.]*)", first)
        if back is not None and not re.fullmatch(r"[0-9a-f]{8,16}", back[1]):
            return back[1], True
        return _by_name(name, " <- " in first)
    return "", False


def _by_name(name: str, is_return: bool) -> tuple[str, bool]:
    bare = re.sub(r"(_ret|_return|__return|_exit)$", "", name)
    part = USUAL_NAMES.get(bare)
    return (FUNCTIONS[part][0] if part else "", is_return or bare != name)
