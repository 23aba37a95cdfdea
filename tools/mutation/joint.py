"""Many mutants in one machine, so that it is built and compiled once for all of them.

A variable that nothing writes, ``mutant``, says which of them runs: 0 is the program as it is. Each
damaged place asks it. The analysis of the machine is of all of them together, so that a step may be
shorter than it would be for one alone, which changes no verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from loadput.ir import ops as o
from loadput.ir.decls import VarDecl
from loadput.ir.types import Int
from loadput.link.program import Program
from loadput.machine import model
from loadput.machine.flatten import Flattener
from loadput.machine.fuse import divide
from loadput.machine.model import Machine
from loadput.machine.nodes import Node
from loadput.machine.values import Analysis
from loadput.machine.visible import Visibility
from loadput.machine.weave import weave

from .damage import Mutant

WHO = "mutant"
ASKED = "mutant."


def join(p: Program, mutants: Sequence[Mutant]) -> Program:
    """``p`` with all of ``mutants`` in it, the first as number 1."""
    who = VarDecl(WHO, Int(0, len(mutants)))
    decls = replace(p.decls, globals={**p.decls.globals, WHO: who})
    functions = dict(p.functions)
    for name in dict.fromkeys(m.fn.name for m in mutants):
        mine = [(i, m) for i, m in enumerate(mutants, 1) if m.fn.name == name]
        functions[name] = _joined(p.functions[name], mine, len(mutants))
    return replace(p, functions=functions, decls=decls)


def _joined(fn: o.Function, mine: list[tuple[int, Mutant]], last: int) -> o.Function:
    blocks: list[o.Block] = []
    for b in fn.blocks:
        here = [(k, e) for k, m in mine for e in m.edits if e.label == b.label]
        cuts = sorted({0, *(e.i for _, e in here), *(e.i + e.n for _, e in here)})
        cuts = [c for c in cuts if c < len(b.ops)]
        name = {c: f"{b.label}@{c}" if c else b.label for c in cuts}
        for at, end in zip(cuts, [*cuts[1:], len(b.ops)], strict=True):
            label = name[at]
            for k, e in [(k, e) for k, e in here if e.i == at]:
                other, own = f"{b.label}@{at}.not{k}", f"{b.label}@{at}.{k}"
                ask = o.Load(ASKED, o.Place(WHO))
                test = o.Branch(o.Bin("eq", o.Local(ASKED), o.Const(k)), own, other)
                blocks.append(o.Block(label, (ask, test)))
                ops = e.ops
                if not ops or not isinstance(ops[-1], o.TERMINATORS):
                    ops = (*ops, o.Jump(name[e.i + e.n]))
                blocks.append(o.Block(own, ops))
                label = other
            ops = b.ops[at:end]
            blocks.append(o.Block(label, ops if end == len(b.ops) else (*ops, o.Jump(name[end]))))
    return replace(fn, blocks=tuple(blocks), locals=(*fn.locals, (ASKED, Int(0, last))))


def asks(op: object) -> int | None:
    """The mutant whose damaged place this operation asks about."""
    match op:
        case o.Branch(o.Bin("eq", o.Local(name), o.Const(k))) if ASKED in name:
            return k
    return None


class _Unseen(Visibility):
    """Which mutant runs is no access to memory."""

    def visible(self, n: Node) -> bool:
        if isinstance(n.op, o.Load) and n.op.place.var == WHO:
            return False
        return super().visible(n)


class Joint:
    """The machines of a program with its mutants, fused and not, from one analysis."""

    def __init__(self, p: Program, count: int) -> None:
        self.p = p
        self.graph = Flattener(p, weave(p)).run()
        self.analysis = Analysis(p, self.graph)
        self.analysis.v.cells[WHO] = [set(range(count + 1))]
        self.values = self.analysis.run()

    def machine(self, *, fused: bool = True) -> Machine:
        """One of the two."""
        seen = _Unseen(self.graph, self.analysis, fused)
        points = divide(self.graph, seen)
        return model._layout(self.p, self.graph, self.values, points)


def choose(m: Machine, number: int) -> None:
    """From now on ``m`` starts as that mutant."""
    at = m.var_at.get(WHO)
    if at is not None:
        m.initial = (*m.initial[:at], number, *m.initial[at + 1 :])
