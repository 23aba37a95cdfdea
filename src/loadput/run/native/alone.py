"""Partial order reduction in the search loop: the CPU that may be taken alone, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ...machine.model import Machine
from ...machine.nodes import BEGINS
from .expr import Code
from .lanes import Lanes
from .layout import FrameLane, Layout
from .offsets import Offsets
from .shape import Shape


class Writer(Protocol):
    """What it needs of who writes the loop; `loop.LoopWriter` says what each is."""

    m: Machine
    shape: Shape
    layout: Layout
    at: Offsets
    alone: Mapping[tuple[int, int], frozenset[int]]

    def get(self, c: Code, name: str) -> str: ...

    def set(self, c: Code, name: str, value: str) -> None: ...

    def bump(self, c: Code, name: str) -> str: ...

    def call(self, c: Code, cpu: int, task: str, entry: str, inner: bool) -> None: ...

    def pc(self, c: Code, lanes: Lanes, f: FrameLane, elem: str, kind: str) -> str: ...

    def task(self, c: Code, lanes: Lanes, cpu: int) -> str: ...


def alone_table(w: Writer) -> str:
    """Per CPU, task and entry, whether the CPU may be taken alone there."""
    if not w.alone:
        return ""
    every = [n for kind in BEGINS for n in w.shape.entries[kind]]
    pairs = [(c, t) for c in range(w.m.cpus) for t in range(w.m.tasks)]
    return make_table("alone", [int(n in w.alone.get(p, ())) for p in pairs for n in every])


def write_alone(w: Writer, c: Code) -> None:
    """The steps of the first CPU that stands for every order of the others, if there is one.

    Where a step of it ends in a fault, what it did is taken back, and every CPU has its turn.
    """
    lanes, frames, first = Lanes(c), w.layout.frames, w.shape.first
    entries = sum(len(w.shape.entries[k]) for k in BEGINS)
    tasks = [w.task(c, lanes, cpu) for cpu in range(w.m.cpus)]
    for cpu, task in enumerate(tasks):
        entry = "-1"
        for kind, elem in (("main", task), ("sched", task), ("irq", str(cpu))):
            pc = w.pc(c, lanes, frames[kind], elem, kind)
            here = c.op(f"add i64 {pc}, {first(kind) - 1}")
            entry = c.select(c.op(f"icmp ne i64 {pc}, 0"), here, entry)
        row = c.op(f"add i64 {task}, {cpu * w.m.tasks}")
        spot = c.op(f"add i64 {c.op(f'mul i64 {row}, {entries}')}, {entry}")
        runs = c.op(f"icmp ne i64 {entry}, -1")
        p = c.op(f"getelementptr i8, ptr @alone, i64 {c.select(runs, spot, '0')}")
        flag = c.op(f"trunc i8 {c.op(f'load i8, ptr {p}')} to i1")
        may = c.op(f"and i1 {runs}, {flag}")
        c.do(f"br i1 {may}, label %alone{cpu}, label %other{cpu}")
        c.label(f"alone{cpu}")
        w.set(c, "faults", "0")
        w.call(c, cpu, task, entry, True)
        n = w.get(c, "ordinal")
        some = c.op(f"icmp ne i64 {n}, 0")
        well = c.op(f"icmp eq i64 {w.get(c, 'faults')}, 0")
        c.do(f"br i1 {c.op(f'and i1 {some}, {well}')}, label %only{cpu}, label %back{cpu}")
        c.label(f"only{cpu}")
        w.bump(c, "ample")
        c.do("br label %expanded")
        c.label(f"back{cpu}")
        w.set(c, "ordinal", "0")
        w.set(c, "transitions", c.op(f"sub i64 {w.get(c, 'transitions')}, {n}"))
        off = c.bin("add", c.op(f"shl i64 {entry}, 3"), str(w.at.fired))
        p = c.op(f"getelementptr i8, ptr %ctx, i64 {off}")
        c.store(c.op(f"sub i64 {c.load(p)}, {n}"), p)
        c.do(f"br label %other{cpu}")
        c.label(f"other{cpu}")


def make_table(name: str, values: list[int]) -> str:
    """A constant table of bytes."""
    row = ", ".join(f"i8 {x}" for x in values) or "i8 0"
    return f"@{name} = internal constant [{max(1, len(values))} x i8] [{row}]\n"
