"""The variables of an exported model: one array, or one plain variable, per group of slots."""

from __future__ import annotations

from dataclasses import dataclass

from ..ir import types as ty
from ..machine.model import Machine
from ..machine.nodes import FRAMES
from .expr import E, Exprs, Range

# What Promela, Murphi or the models themselves use.
RESERVED = frozenset(
    word
    for line in (
        "active alias array assert atomic begin bit bool boolean break byte chan clear const",
        "cpu cpu_t d_step div do else elsif end endfor endfunction endif endrule endruleset",
        "endstartstate endwhile enum exists false fi for forall function goto hidden if in",
        "init inline int invariant irqs_on me mod mtype od of preemption_on procedure process",
        "proctype pid put record return rule ruleset run scalarset short skip startstate step",
        "task_t then timeout to true type undefine union unless unsigned var vcpu_t vm_t",
        "while",
    )
    for word in line.split()
)


@dataclass(frozen=True, slots=True)
class Group:
    """Slots that are one variable of the model.

    :param name: as the machine has it: ``kvm_vcpu.preempted``, ``main.pc``, ``irq.r0``
    :param ident: as the model has it
    :param at: its first slot
    :param cells: the values that each element can have
    :param per: what an element belongs to: cpu, task, vcpu, vm, or "" for a single one
    """

    name: str
    ident: str
    at: int
    lo: int
    hi: int
    init: tuple[int, ...]
    cells: tuple[Range, ...]
    per: str
    note: str

    @property
    def is_single(self) -> bool:
        return not self.per


class Cells:
    """The groups of a machine, by name, and reading them."""

    def __init__(self, m: Machine, x: Exprs) -> None:
        self.m, self.x = m, x
        self.groups: dict[str, Group] = {}
        self._idents: set[str] = set()
        for name, at in m.var_at.items():
            v = m.values.vars[name]
            n = v.count * v.length
            per = v.domain if v.domain != "one" else "slot" if v.length > 1 else ""
            cells = [(min(c), max(c)) for c in m.values.cells[name]]
            self._add(name, at, n, per, _type_note(v.type), cells)
        for kind in FRAMES:
            n = m.pc_step[kind]
            per = "cpu" if kind == "irq" else "task"
            self._add(f"{kind}.pc", m.pc_at[kind], n, per, "control point; 0: none")
            for r in range(len(m.reg_slots[kind])):
                self._add(f"{kind}.r{r}", m.reg_at[kind] + r * n, n, per, "a live local")

    def _add(
        self, name: str, at: int, n: int, per: str, note: str, cells: list[Range] | None = None
    ) -> None:
        slots = self.m.slots[at : at + n]
        ident = name.replace(".", "_").lstrip("_")
        while ident in RESERVED or ident in self._idents:
            ident += "_"
        self._idents.add(ident)
        init = self.m.initial[at : at + n]
        cells = cells or [(s.lo, s.hi) for s in slots]
        self.groups[name] = Group(
            name, ident, at, slots[0].lo, slots[0].hi, init, tuple(cells), per, note
        )

    def read(self, name: str, index: E) -> E:
        """What element ``index`` holds at the beginning of the step."""
        g = self.groups[name]
        at = g.cells[index.value] if index.op == "const" else (g.lo, g.hi)
        return self.x.read(name, index, at)


def _type_note(t: ty.Type) -> str:
    if isinstance(t, ty.Ptr):
        return f"0: NULL, k: {t.struct} k - 1"
    if isinstance(t, ty.Token):
        return "0: nobody's, 2k - 1: current value of owner k, 2k: an old one"
    return ""
