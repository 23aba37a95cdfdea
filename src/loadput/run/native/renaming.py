"""Symmetry reduction in the search loop: packed states renamed, and the least of them taken."""

from __future__ import annotations

from collections.abc import Sequence

from ...machine.nodes import FRAMES
from ...machine.symmetry import Renaming
from .expr import Code, signed
from .layout import FrameLane, Lane, Layout

Table = list[int]


class RenamingWriter:
    """Writes ``@rename<k>(from, to)`` for each renaming, and ``@least(slot)``."""

    def __init__(self, layout: Layout, renamings: Sequence[Renaming]) -> None:
        self.layout, self.m, self.renamings = layout, layout.machine, renamings
        self.tables: dict[tuple[int, ...], str] = {}

    def write(self) -> str:
        """The text of the functions and the tables that they read."""
        parts = [self._rename(k, r) for k, r in enumerate(self.renamings)]
        parts.append(self._least())
        for values, name in self.tables.items():
            row = ", ".join(f"i64 {x}" for x in values)
            parts.append(f"{name} = internal constant [{len(values)} x i64] [{row}]\n")
        return "\n".join(parts)

    def _rename(self, number: int, r: Renaming) -> str:
        c = Code()
        c.label("start")
        n = self.layout.words
        self.c = c
        self.words = [c.load(_at(c, "%from", i)) for i in range(n)]
        self.kept = [0] * n
        self.out: list[list[str]] = [[] for _ in range(n)]
        self._vars(r)
        self._frames(r)
        for i in range(n):
            word = c.op(f"and i64 {self.words[i]}, {signed(self.kept[i])}")
            for x in self.out[i]:
                word = c.bin("or", word, x)
            c.store(word, _at(c, "%to", i))
        c.do("ret void")
        lines = "\n".join(c.lines)
        return (
            f"define internal void @rename{number}(ptr %from, ptr %to) nounwind {{\n{lines}\n}}\n"
        )

    def _vars(self, r: Renaming) -> None:
        for name, v in self.layout.vars.items():
            at = self.m.var_at[name]
            for i in range(v.lane.count + len(v.rest)):
                to, values = r.moves[at + i]
                to -= at
                if to >= v.lane.count:
                    continue
                if i >= v.lane.count:
                    x = v.rest[i - v.lane.count]
                    self._put(v.lane, to, str((values or {}).get(x, x) - v.lo))
                    continue
                table = (
                    [
                        (values or {}).get(code + v.lo, code + v.lo) - v.lo
                        for code in range(1 << v.lane.width)
                    ]
                    if values
                    else []
                )
                self._move(v.lane, i, to, table)

    def _move(self, lane: Lane, i: int, to: int, table: Table) -> None:
        """Element ``to`` becomes what ``table`` (none: nothing) makes of element ``i``."""
        if i == to and (not table or table == list(range(len(table)))):
            word, bit = _place(lane, i)
            self.kept[word] |= lane.mask << bit
            return
        code = self._get(lane, i)
        self._put(lane, to, self._look_up(table, code) if table else code)

    def _get(self, lane: Lane, i: int) -> str:
        word, bit = _place(lane, i)
        low = self.c.bin("lshr", self.words[word], str(bit))
        return self.c.op(f"and i64 {low}, {signed(lane.mask)}")

    def _put(self, lane: Lane, i: int, code: str) -> None:
        word, bit = _place(lane, i)
        if code.isdigit():
            self.out[word].append(signed(int(code) << bit))
        else:
            self.out[word].append(self.c.bin("shl", code, str(bit)))

    def _look_up(self, table: Table, code: str) -> str:
        name = self.tables.setdefault(tuple(table), f"@renamed{len(self.tables)}")
        return self.c.load(self.c.op(f"getelementptr i64, ptr {name}, i64 {code}"))

    def _frames(self, r: Renaming) -> None:
        for kind, frames in zip(FRAMES, r.frames, strict=True):
            f = self.layout.frames[kind]
            for i, to in enumerate(frames.order):
                if to >= f.lane.count:
                    continue
                if i >= f.lane.count:
                    self._put(f.lane, to, str(f.zero + self._rest_pc(f, i)))
                    continue
                tables = [self._register(kind, f, k, frames.live) for k in range(len(f.regs))]
                if i == to and not any(tables):
                    word, bit = _place(f.lane, i)
                    self.kept[word] |= f.lane.mask << bit
                    continue
                self._put(f.lane, to, self._record(f, i, tables))

    def _rest_pc(self, f: FrameLane, i: int) -> int:
        node = f.rest[i - f.lane.count]
        return self.layout.shape.pc(node) if node >= 0 else 0

    def _record(self, f: FrameLane, i: int, tables: list[Table]) -> str:
        """The renamed record of frame ``i``."""
        c = self.c
        rec = self._get(f.lane, i)
        pc = c.op(f"and i64 {rec}, {(1 << f.pc.bits) - 1}")
        for part, table in zip(f.regs, tables, strict=True):
            if not table:
                continue
            mask = (1 << part.bits) - 1
            code = c.op(f"and i64 {c.bin('lshr', rec, str(part.bit))}, {mask}")
            spot = c.bin("or", c.bin("shl", pc, str(part.bits)), code)
            new = c.bin("shl", self._look_up(table, spot), str(part.bit))
            rec = c.bin("or", c.op(f"and i64 {rec}, {signed(~(mask << part.bit))}"), new)
        return rec

    def _register(
        self,
        kind: str,
        f: FrameLane,
        r: int,
        live: tuple[tuple[tuple[int, dict[int, int] | None], ...], ...],
    ) -> Table:
        """Per packed pc and code of register ``r`` the new code; [] where that never changes."""
        part, pc_of, out = f.regs[r], self.m.fused.pc_of, []
        for node in (-1, *self.layout.shape.rest[kind]):
            row = live[pc_of[node]] if node >= 0 else ()
            values = next((v for k, v in row if k == r), None) or {}
            out += [values.get(x + part.lo, x + part.lo) - part.lo for x in range(1 << part.bits)]
        same = out == list(range(1 << part.bits)) * (len(self.layout.shape.rest[kind]) + 1)
        fill = (1 << f.pc.bits << part.bits) - len(out)
        return [] if same else out + [0] * max(0, fill)

    def _least(self) -> str:
        """Put the least of the states that count as one with the one at ``slot`` there."""
        c, n = Code(), self.layout.words
        c.label("start")
        c.do(f"%other = alloca [{n} x i64]")
        best = [c.load(_at(c, "%slot", i)) for i in range(n)]
        for k in range(len(self.renamings)):
            c.do(f"call void @rename{k}(ptr %slot, ptr %other)")
            new = [c.load(_at(c, "%other", i)) for i in range(n)]
            less = "false"
            for a, b in reversed(list(zip(new, best, strict=True))):
                under, same = c.op(f"icmp ult i64 {a}, {b}"), c.op(f"icmp eq i64 {a}, {b}")
                less = c.op(f"select i1 {same}, i1 {less}, i1 {under}")
            best = [c.select(less, a, b) for a, b in zip(new, best, strict=True)]
        for i, x in enumerate(best):
            c.store(x, _at(c, "%slot", i))
        c.do("ret void")
        lines = "\n".join(c.lines)
        return f"define internal void @least(ptr %slot) nounwind {{\n{lines}\n}}\n"


def _at(c: Code, ptr: str, i: int) -> str:
    return c.op(f"getelementptr i64, ptr {ptr}, i64 {i}")


def _place(lane: Lane, i: int) -> tuple[int, int]:
    """The word of an element and its first bit there."""
    k = next(k for k in lane.chunks if k.first <= i < k.first + k.count)
    return k.word, k.bit + (i - k.first) * lane.width
