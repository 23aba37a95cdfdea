"""How a state lies in 64-bit words: every array of elements of one width within a word.

What the value analysis knows to be constant from some element on is left out. The pc and the
registers of a frame lie together, so that a step reads and writes them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...base.errors import LayoutError
from ...machine.model import Machine
from ...machine.nodes import FRAMES, End
from .shape import Shape

WORD = 64


@dataclass(frozen=True, slots=True)
class Chunk:
    """``count`` elements from number ``first`` on, from bit ``bit`` of word ``word`` up."""

    word: int
    bit: int
    first: int
    count: int


@dataclass(slots=True)
class Lane:
    """An array of elements of ``width`` bits, in as few chunks as words allow."""

    name: str
    width: int
    count: int
    chunks: list[Chunk]

    @property
    def mask(self) -> int:
        return (1 << self.width) - 1


@dataclass(slots=True)
class VarLane:
    """A variable: elements below ``lane.count`` are stored as value - ``lo``, others constant."""

    lane: Lane
    lo: int
    hi: int
    rest: list[int]


@dataclass(frozen=True, slots=True)
class Part:
    """A number in a frame's record, stored as value - ``lo``."""

    bit: int
    bits: int
    lo: int


@dataclass(slots=True)
class FrameLane:
    """The frames of one kind; those from ``lane.count`` on stand for ever at ``rest`` (node)."""

    lane: Lane
    pc: Part
    regs: list[Part]
    rest: list[int]

    @property
    def zero(self) -> int:
        """The record of a frame whose pc and registers are all 0."""
        return sum(-p.lo << p.bit for p in self.regs)


@dataclass(slots=True)
class Layout:
    """Where everything is. ``words`` is the size of a packed state."""

    machine: Machine
    shape: Shape
    vars: dict[str, VarLane]
    frames: dict[str, FrameLane]
    words: int
    bits: int

    def pack(self, state: Sequence[int]) -> list[int]:
        """Return the words of a state of the interpreter."""
        m = self.machine
        out = [0] * self.words
        for name, v in self.vars.items():
            for i in range(v.lane.count):
                _put(out, v.lane, i, state[m.var_at[name] + i] - v.lo)
        for kind, f in self.frames.items():
            n, base = m.pc_step[kind], m.reg_at[kind]
            for i in range(f.lane.count):
                pc = state[m.pc_at[kind] + i]
                rec = self.shape.pc(m.node_of(kind, pc)) if pc else 0
                for r, p in enumerate(f.regs):
                    rec |= state[base + r * n + i] - p.lo << p.bit
                _put(out, f.lane, i, rec)
        return out

    def unpack(self, words: Sequence[int]) -> tuple[int, ...]:
        """Return the interpreter's state of packed ``words``."""
        m = self.machine
        out = [0] * len(m.slots)
        for name, v in self.vars.items():
            at = m.var_at[name]
            for i in range(v.lane.count):
                out[at + i] = _get(words, v.lane, i) + v.lo
            for i, x in enumerate(v.rest):
                out[at + v.lane.count + i] = x
        for kind, f in self.frames.items():
            n, base = m.pc_step[kind], m.reg_at[kind]
            for i in range(n):
                if i >= f.lane.count:
                    node = f.rest[i - f.lane.count]
                    out[m.pc_at[kind] + i] = m.fused.pc_of[node] if node >= 0 else 0
                    continue
                rec = _get(words, f.lane, i)
                code = rec & ((1 << f.pc.bits) - 1)
                node = self.shape.rest[kind][code - 1] if code else -1
                out[m.pc_at[kind] + i] = m.fused.pc_of[node] if node >= 0 else 0
                for r, p in enumerate(f.regs):
                    out[base + r * n + i] = (rec >> p.bit & ((1 << p.bits) - 1)) + p.lo
        return tuple(out)


def _chunk_of(lane: Lane, i: int) -> Chunk:
    return next(c for c in lane.chunks if c.first <= i < c.first + c.count)


def _put(words: list[int], lane: Lane, i: int, code: int) -> None:
    c = _chunk_of(lane, i)
    if code & ~lane.mask:
        raise LayoutError("LP0704", f"{lane.name}[{i}] does not fit", got=str(code))
    words[c.word] |= code << (c.bit + (i - c.first) * lane.width)


def _get(words: Sequence[int], lane: Lane, i: int) -> int:
    c = _chunk_of(lane, i)
    return words[c.word] >> (c.bit + (i - c.first) * lane.width) & lane.mask


def make_layout(m: Machine, shape: Shape) -> Layout:
    """Return a layout with few words: arrays by falling size, each where it first fits."""
    vars_ = {name: _var_lane(m, name) for name in m.var_at}
    frames = {kind: _frame_lane(m, shape, kind) for kind in FRAMES}
    lanes = [v.lane for v in vars_.values()] + [f.lane for f in frames.values()]
    pieces: list[tuple[int, Lane, int, int]] = []
    for lane in lanes:
        per = max(1, WORD // lane.width)
        for first in range(0, lane.count, per):
            n = min(per, lane.count - first)
            pieces.append((n * lane.width, lane, first, n))
    free: list[int] = []
    for size, lane, first, n in sorted(pieces, key=lambda p: (-p[0], p[1].name, p[2])):
        word = next((w for w, used in enumerate(free) if used + size <= WORD), len(free))
        if word == len(free):
            free.append(0)
        lane.chunks.append(Chunk(word, free[word], first, n))
        free[word] += size
    for lane in lanes:
        lane.chunks.sort(key=lambda c: c.first)
    return Layout(m, shape, vars_, frames, max(1, len(free)), sum(free))


def _var_lane(m: Machine, name: str) -> VarLane:
    cells = m.values.cells[name]
    keep = len(cells)
    while name != "current_task" and keep > 0 and len(cells[keep - 1]) == 1:
        keep -= 1
    lo = min(min(c) for c in cells[:keep])
    hi = max(max(c) for c in cells[:keep])
    width = max(1, (hi - lo).bit_length())
    return VarLane(Lane(name, width, keep, []), lo, hi, [min(c) for c in cells[keep:]])


def _frame_lane(m: Machine, shape: Shape, kind: str) -> FrameLane:
    at = 0

    def part(lo: int, hi: int, least: int = 1) -> Part:
        nonlocal at
        p = Part(at, max(least, (hi - lo).bit_length()), lo)
        at += p.bits
        return p

    pc = part(0, len(shape.rest[kind]))
    regs = [part(s.lo, s.hi) for s in m.reg_slots[kind]]
    if at > WORD:
        raise LayoutError(
            "LP0705", f"a {kind} frame takes {at} bits", expected=f"at most {WORD}: fewer locals"
        )
    fixed = [_stands_at(m, shape, kind, i) for i in range(m.pc_step[kind])]
    keep = len(fixed)
    while keep > 0 and fixed[keep - 1] is not None:
        keep -= 1
    rest = [x for x in fixed[keep:] if x is not None]
    return FrameLane(Lane(f"{kind} frame", at, keep, []), pc, regs, rest)


def _stands_at(m: Machine, shape: Shape, kind: str, i: int) -> int | None:
    """The one node at which this frame always stands (-1: it never runs); None if it moves."""
    context = i if kind != "irq" else m.tasks + i
    reached = m.values.reached.get(context, set())
    spots = [n for n in shape.rest[kind] if n in reached]
    first = m.initial[m.pc_at[kind] + i]
    here = m.node_of(kind, first) if first else -1
    ends = any(
        m.graph.nodes[n].kind == kind and isinstance(m.graph.nodes[n].op, End) for n in reached
    )
    if kind == "main":
        still = spots == [here] and not ends
    else:
        still = not spots and here < 0
    return here if still and not m.regs.get(here) else None
