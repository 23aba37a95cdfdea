"""Which events of a recording play which part, by what they probe and not by what they are called.

A kprobe event may have any name. What it is on stands in the recording: the address of the probe,
and the recording's own symbol table. Text has the symbol in the line. Only where neither is there
does the event's name decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from .table import Columns, Trace

# What the accounting can use: part -> functions or tracepoints that show it.
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "load": ("vcpu_load",),
    "put": ("vcpu_put",),
    "arch_load": ("kvm_arch_vcpu_load", "svm_vcpu_load", "vmx_vcpu_load"),
    "arch_put": ("kvm_arch_vcpu_put", "svm_vcpu_put", "vmx_vcpu_put"),
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
# Fields that name the vCPU: the pointer to it, or the one to its preempt_notifier.
POINTERS = ("vcpu", "pn")
# What a probe calls the first argument of its function where nobody gave it a name.
UNNAMED = "arg1"
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
        """Whether loads and puts are seen themselves, or both ways to each, and need not be
        inferred."""
        have = set(self.parts)
        loads = "arch_load" in have or {"load", "sched_in"} <= have
        return loads and ("arch_put" in have or {"put", "sched_out"} <= have)

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
    others = [n for n in sorted(names) if not n.startswith("unknown:")]
    others = [n for n in others if n not in roles.parts.values()]
    for name, (function, is_return) in _probed_functions(trace, others).items():
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


def name_pointer(columns: Columns, function: str) -> None:
    """Call the first argument of a probed function what it is, where the probe left it unnamed.

    ``kvm_sched_in`` and ``kvm_sched_out`` get the notifier, all others here the vCPU.
    """
    if UNNAMED in columns and not set(POINTERS) & set(columns):
        is_notifier = function in ("kvm_sched_in", "kvm_sched_out")
        columns["pn" if is_notifier else "vcpu"] = columns.pop(UNNAMED)


def _probed_functions(trace: Trace, names: list[str]) -> dict[str, tuple[str, bool]]:
    # Event name -> (function, whether the event is on its return), for the events that are probes.
    keys: dict[str, str] = {}
    for name in names:
        fields = trace.fields(name)
        for key in ("__probe_func", "__probe_ip", "text"):
            if key in fields:
                keys[name] = key
                break
    out = {}
    for name, value in trace.first_values(keys).items():
        if keys[name] == "text":
            found = _function_in_text(name, str(value))
        else:
            is_return = keys[name] == "__probe_func"
            found = _by_name(name, is_return)
            if isinstance(value, int | np.integer):
                symbol = trace.symbol(int(value)).split(".", 1)[0]
                if not symbol.startswith("0x"):
                    found = (symbol, is_return)
        if found[0]:
            out[name] = found
    return out


def _function_in_text(name: str, first: str) -> tuple[str, bool]:
    if not first.startswith("("):
        return "", False
    match = _TEXT_SYMBOL.match(first)
    if match is not None and not re.fullmatch(r"[0-9a-f]{8,16}", match[1]):
        return match[1].split(".", 1)[0], False
    back = re.match(r"^\([^)]* <- ([A-Za-z_][\w.]*)", first)
    if back is not None and not re.fullmatch(r"[0-9a-f]{8,16}", back[1]):
        return back[1], True
    return _by_name(name, " <- " in first)


def _by_name(name: str, is_return: bool) -> tuple[str, bool]:
    bare = re.sub(r"(_ret|_return|__return|_exit)$", "", name)
    part = USUAL_NAMES.get(bare)
    return (FUNCTIONS[part][0] if part else "", is_return or bare != name)
