"""The successor function in LLVM IR: one switch over control points, one block per node and phase.

    i64 @step(ptr ctx, ptr state, ptr out, i64 cpu, i64 task, i64 entry, i64 digits)

The result has bit 0 where the step exists, bit 1 where it leads to a state (in ``out``), bit 2
where it has more choices than ``DIGITS``, bit 4 where a property has spoken and it then waits, and
from bit 8 on the number of choices it met. The first
``digits`` choices are read from the context, the next take their least value.
"""

from __future__ import annotations

from ...ir import ops as o
from ...ir import types as ty
from ...machine.model import Machine
from ...machine.nodes import BEGINS, DRAIN, FRAMES, PER, Cut, End, Node, Push, Restrict
from ...machine.values import is_kept, is_switch
from .cover import MASK_BITS, Cover, items_below
from .expr import Code, Exprs, Ranges, signed
from .lanes import Lanes
from .layout import Layout
from .offsets import Offsets
from .shape import OVER, Item, Next, Shape, reads, walk

EXISTS, STATE, TOO_MANY, BROKEN, BLOCKED = 1, 2, 4, 8, 16


class StepWriter:
    """Writes one function over the items of some entries."""

    def __init__(
        self,
        shape: Shape,
        layout: Layout,
        ranges: Ranges,
        entries: list[int],
    ) -> None:
        self.shape, self.layout, self.ranges = shape, layout, ranges
        self.m: Machine = shape.machine
        self.entries = entries
        self.cover = Cover(shape, entries, self._may_end)
        self.at = Offsets(layout.words, len(entries), self.cover.masks)
        self.null = 1 << self.m.props.index("NULL-DEREF")
        self.range = 1 << self.m.props.index("IN-RANGE")
        self.bit = {n: 1 << i for i, n in enumerate(self.m.props)}

    def write(self, name: str, entries: list[int], *, cover: bool = True) -> str:
        """Return the text of function ``name``; ``entry`` is the index in ``entries``."""
        self.c = Code()
        self.lanes = Lanes(self.c)
        self.counts = cover
        self.name = name
        items = items_below(self.shape, entries)
        self.slots = self._slots(items)
        self.exprs = Exprs(self.c, self.ranges, self.slots)
        self.leaves: dict[tuple[int, str], None] = {}
        self._only = self._singles(items, entries)
        self._prologue(entries)
        for e, node in enumerate(entries):
            self.c.label(f"entry{e}")
            self._load_registers(node)
            self._go(Item(node, False), node)
        for it in items:
            if it not in self._only:
                self._chain(it)
        for node, kind in self.leaves:
            self._leave(node, kind)
        self._epilogue()
        head = (
            f"define internal i64 @{name}(ptr %ctx, ptr %state, ptr %out, "
            "i64 %cpu, i64 %task, i64 %entry, i64 %digits) noinline nounwind {"
        )
        return "\n".join([head, *self.c.lines, "}", ""])

    # shape of the function

    def _slots(self, items: list[Item]) -> dict[str, str]:
        names: dict[str, None] = {}
        for it in items:
            op = self.m.graph.nodes[it.node].op
            if not is_kept(op, self.m.values):
                continue
            names.update((x.name, None) for x in reads(op) if isinstance(x, o.Local))
            dst = getattr(op, "dst", "")
            if dst:
                names[dst] = None
        return {n: f"%l{i}" for i, n in enumerate(names)}

    def _singles(self, items: list[Item], entries: list[int]) -> set[Item]:
        """The items written right behind another, which leads there only, and alone does."""
        preds = dict.fromkeys(items, 0)
        for e in entries:
            preds[Item(e, False)] += 2
        for it in items:
            nexts = self.shape.next[it]
            for x in nexts:
                if isinstance(x, Item):
                    preds[x] += 1 if len(nexts) == 1 else 2
        return {it for it, n in preds.items() if n == 1}

    def _prologue(self, entries: list[int]) -> None:
        c = self.c
        c.label("start")
        for w in range(self.layout.words):
            c.do(f"%w{w} = alloca i64")
        for slot in self.slots.values():
            c.do(f"{slot} = alloca i64")
        for name in ("bad", "n", "val", *(f"m{k}" for k in range(self.at.masks))):
            c.do(f"%{name} = alloca i64")
            c.store("0", f"%{name}")
        c.do("%cur = add i64 %task, 1")
        for w in range(self.layout.words):
            p = c.op(f"getelementptr i64, ptr %state, i64 {w}")
            c.store(c.load(p), f"%w{w}")
        for slot in self.slots.values():
            c.store("0", slot)
        arms = " ".join(f"i64 {e}, label %entry{e}" for e in range(len(entries)))
        c.do(f"switch i64 %entry, label %nowhere [{arms}]")
        c.label("nowhere")
        c.do("unreachable")

    def _label(self, it: Item) -> str:
        return f"n{it.node}.{int(it.done)}"

    def _go(self, x: Next, at: int) -> None:
        self.c.do(f"br label %{self._target(x, at)}")

    def _target(self, x: Next, at: int) -> str:
        if isinstance(x, Item):
            return self._label(x)
        kind = self.m.graph.nodes[at].kind
        if kind not in BEGINS:
            return "ends"
        self.leaves[(x.node, kind)] = None
        return f"over.{kind}" if x.node == OVER else f"stand{x.node}"

    def _chain(self, it: Item) -> None:
        self.c.label(self._label(it))
        while True:
            if self.counts and it in self.cover.leaders:
                self._pass(it)
            nexts = self.shape.next[it]
            self._op(self.m.graph.nodes[it.node], it, nexts)
            only = nexts[0] if len(nexts) == 1 else None
            if isinstance(only, Item) and only in self._only:
                it = only
                continue
            if len(nexts) == 1:
                self._go(nexts[0], it.node)
            elif not nexts:
                self.c.do("unreachable")
            return

    # coverage

    def _pass(self, it: Item) -> None:
        """Set the bit of the segment that begins here."""
        k, bit = divmod(self.cover.bit[it], MASK_BITS)
        was = self.c.load(f"%m{k}")
        self.c.store(self.c.op(f"or i64 {was}, {signed(1 << bit)}"), f"%m{k}")

    # operations

    def _op(self, n: Node, it: Item, nexts: list[Next]) -> None:
        """The effect of ``n``; ends the block where there is more than one way on."""
        op, c = n.op, self.c
        if isinstance(op, o.Branch):
            if len(nexts) == 2:
                yes, no = (self._target(x, n.id) for x in nexts)
                c.do(f"br i1 {self.exprs.cond(op.cond)}, label %{yes}, label %{no}")
        elif isinstance(op, o.Assume):
            self._unless(self.exprs.cond(op.cond), "blocked")
        elif isinstance(op, o.Check):
            bad = c.select(self.exprs.cond(op.cond), "0", signed(self.bit[op.prop]))
            c.store(c.bin("or", c.load("%bad"), bad), "%bad")
        elif isinstance(op, o.Choose):
            self._choose(op)
        elif isinstance(op, Push):
            self._push(op)
        elif isinstance(op, End | Cut | Restrict | o.Atomic) or not is_kept(op, self.m.values):
            pass
        elif isinstance(op, o.Assign):
            c.store(self.exprs.value(op.expr), self.slots[op.dst])
        elif isinstance(op, o.Load):
            self._load(op, n.id)
        elif isinstance(op, o.Store):
            self._store(op, n.id)
        else:
            assert isinstance(op, o.Fresh)
            self._fresh(op, n.id)

    def _unless(self, cond: str, target: str) -> None:
        """Go to ``target`` unless ``cond``; go on in a new block."""
        if cond == "true":
            return
        on = self.c.fresh("on")
        self.c.do(f"br i1 {cond}, label %{on}, label %{target}")
        self.c.label(on)

    def _choose(self, op: o.Choose) -> None:
        c, at = self.c, self.at
        lo, hi = self.exprs.value(op.lo), self.exprs.value(op.hi)
        if not (lo.isdigit() and hi.isdigit() and int(lo) <= int(hi)):
            self._unless(c.op(f"icmp sle i64 {lo}, {hi}"), "blocked")
        n = c.load("%n")
        self._unless(c.op(f"icmp ult i64 {n}, {at.DIGITS}"), "toomany")
        spot = c.op(
            f"getelementptr [2 x i64], ptr %ctx, i64 {c.bin('add', n, str(at.digits // 16))}"
        )
        given = c.op(f"icmp ult i64 {n}, %digits")
        value = c.select(given, c.load(spot), lo)
        c.store(value, spot)
        c.store(hi, c.op(f"getelementptr i64, ptr {spot}, i64 1"))
        c.store(c.op(f"add i64 {n}, 1"), "%n")
        if op.dst in self.slots:
            c.store(value, self.slots[op.dst])

    def _push(self, op: Push) -> None:
        f = self.layout.frames[op.kind]
        pc = self.shape.pc(op.entry)
        mask = (1 << f.pc.bits) - 1
        every = range(self.m.pc_step[op.kind])
        self.lanes.change(f.lane, "%task", every, mask, str(pc), f.pc.bit)

    # memory

    def _bounds(self, p: o.Place) -> tuple[bool, bool]:
        """Whether the place can be NULL, and whether it can be out of range."""
        var = self.m.values.vars[p.var]
        off = int(var.by == "ptr")
        lo, hi = self.ranges.of(p.index) if p.index is not None else (off, off)
        slo, shi = self.ranges.of(p.sub) if p.sub is not None else (0, 0)
        null = bool(off) and lo <= 0 <= hi
        out = lo - off < (-1 if off else 0) or hi - off >= var.count
        return null, out or slo < 0 or shi >= var.length

    def _may_end(self, node: int) -> bool:
        """Whether a step that counts can end at ``node``: a fault, or a wait behind a check."""
        op = self.m.graph.nodes[node].op
        if isinstance(op, o.Assume):
            return True
        if not isinstance(op, o.Load | o.Store | o.Fresh) or not is_kept(op, self.m.values):
            return False
        return any(self._bounds(op.place)) or self._may_overflow(op) or is_switch(op)

    def _may_overflow(self, op: object) -> bool:
        if not isinstance(op, o.Store):
            return False
        var = self.m.values.vars[op.place.var]
        lo, hi = self.ranges.of(op.expr)
        return lo < var.lo or hi > var.hi

    def _element(self, p: o.Place) -> str:
        """The element number; leaves for a fault where the place is not there."""
        c = self.c
        var = self.m.values.vars[p.var]
        off = int(var.by == "ptr")
        null, out = self._bounds(p)
        i = self.exprs.value(p.index) if p.index is not None else str(off)
        j = self.exprs.value(p.sub) if p.sub is not None else "0"
        i = c.bin("sub", i, str(off))
        if null:
            self._unless(c.op(f"icmp ne i64 {i}, -1"), "null")
        if out:
            self._unless(c.op(f"icmp ult i64 {i}, {var.count}"), "range")
            self._unless(c.op(f"icmp ult i64 {j}, {var.length}"), "range")
        return c.bin("add", c.bin("mul", i, str(var.length)), j)

    def _spots(self, node: int, op: o.Load | o.Store | o.Fresh) -> set[int]:
        """The elements that the operation can touch."""
        var = self.m.values.vars[op.place.var]
        every = set(range(var.count * var.length))
        names = {x.name for x in reads(op) if isinstance(x, o.Local)}
        if names & self.shape.loose:
            return every
        found = set().union(*self.m.values.access.get(node, {}).values())
        return found or every

    def _load(self, op: o.Load, node: int) -> None:
        c = self.c
        elem = self._element(op.place)
        spots, dst = self._spots(node, op), self.slots[op.dst]
        if op.place.var in self.m.constants:
            table = self.m.constants[op.place.var]
            c.store(self._pick(elem, spots, dict(enumerate(table))), dst)
            return
        v = self.layout.vars[op.place.var]
        if elem.isdigit():
            spots = {int(elem)}
        stored = {i for i in spots if i < v.lane.count}
        fixed = {v.lane.count + i: x for i, x in enumerate(v.rest)}
        if not stored:
            c.store(self._pick(elem, spots, fixed), dst)
            return
        value = c.bin("add", self.lanes.get(v.lane, elem, stored), str(v.lo))
        if stored != spots:
            here = c.op(f"icmp ult i64 {elem}, {v.lane.count}")
            value = c.select(here, value, self._pick(elem, spots - stored, fixed))
        c.store(value, dst)

    def _pick(self, elem: str, spots: set[int], table: dict[int, int]) -> str:
        """The constant of element ``elem``."""
        if elem.isdigit() and int(elem) in table:
            return str(table[int(elem)])
        rows = sorted(i for i in spots if i in table)
        out = str(table[rows[0]]) if rows else "0"
        for i in rows[1:]:
            if str(table[i]) != out:
                out = self.c.select(self.c.op(f"icmp eq i64 {elem}, {i}"), str(table[i]), out)
        return out

    def _store(self, op: o.Store, node: int) -> None:
        c = self.c
        elem = self._element(op.place)
        x = self.exprs.value(op.expr)
        if self._may_overflow(op):
            var = self.m.values.vars[op.place.var]
            top = c.op(f"icmp sle i64 {x}, {var.hi}")
            self._unless(c.op(f"and i1 {top}, {c.op(f'icmp sge i64 {x}, {var.lo}')}"), "range")
        if is_switch(op):
            self._may_take(elem, x)
        v = self.layout.vars.get(op.place.var)
        spots = self._spots(node, op)
        if v is not None and any(i < v.lane.count for i in spots):
            held = x
            if any(i >= v.lane.count for i in spots):  # those have one value, and are not kept
                kept = c.op(f"icmp ult i64 {elem}, {v.lane.count}")
                held = c.select(kept, x, str(v.lo))
            self._fits(op.expr, held, v.lo, v.hi)
            self.lanes.put(v.lane, elem, c.bin("sub", x, str(v.lo)), spots)

    def _may_take(self, cpu: str, task: str) -> None:
        """A fault unless the task may be on that CPU and is on no other."""
        c, s = self.c, self.m.program.scenario
        v = self.layout.vars["current_task"]
        able = "0"
        for t in range(s.sizes.task):
            mask = sum(1 << k for k in s.cpus_of(t))
            able = c.select(c.op(f"icmp eq i64 {task}, {t + 1}"), str(mask), able)
        bit = c.op(f"and i64 {c.op(f'lshr i64 {able}, {cpu}')}, 1")
        self._unless(c.op(f"icmp ne i64 {bit}, 0"), "range")
        for k in range(s.cpus if s.cpus > 1 else 0):
            has = c.bin("add", self.lanes.get(v.lane, str(k), {k}), str(v.lo))
            here, other = c.op(f"icmp eq i64 {cpu}, {k}"), c.op(f"icmp ne i64 {has}, {task}")
            self._unless(c.op(f"or i1 {here}, {other}"), "range")

    def _fits(self, e: o.Expr, x: str, lo: int, hi: int) -> None:
        """Give up where ``x`` is not in ``lo..hi``, unless that is certain."""
        least, most = self.ranges.of(e)
        if least < lo or most > hi:
            off = self.c.bin("sub", x, str(lo))
            self._unless(self.c.op(f"icmp ule i64 {off}, {hi - lo}"), "broken")

    def _fresh(self, op: o.Fresh, node: int) -> None:
        """Every copy of the owner's current value becomes stale; the place gets the new one."""
        c = self.c
        elem = self._element(op.place)
        owner = self.exprs.value(op.owner)
        t = self.m.values.vars[op.place.var].type
        assert isinstance(t, ty.Token)
        is_owned = c.op(f"icmp sgt i64 {owner}, 0")
        twice = c.op(f"shl i64 {owner}, 1")
        now = c.select(is_owned, c.op(f"sub i64 {twice}, 1"), "-1")
        for name, v in self.layout.vars.items():
            other = self.m.values.vars[name].type
            if not isinstance(other, ty.Token) or other.kind != t.kind:
                continue
            for i in range(v.lane.count):
                have = c.bin("add", self.lanes.get(v.lane, str(i), ()), str(v.lo))
                same = c.op(f"icmp eq i64 {have}, {now}")
                k = next(k for k in v.lane.chunks if k.first <= i < k.first + k.count)
                unit = signed(1 << (k.bit + (i - k.first) * v.lane.width))
                word = c.load(f"%w{k.word}")
                c.store(c.op(f"add i64 {word}, {c.select(same, unit, '0')}"), f"%w{k.word}")
        v0 = self.layout.vars.get(op.place.var)
        if v0 is not None:
            new = c.select(is_owned, now, "0")
            self.lanes.put(v0.lane, elem, c.bin("sub", new, str(v0.lo)), self._spots(node, op))

    # frames

    def _load_registers(self, node: int) -> None:
        kind = self.m.graph.nodes[node].kind
        regs = self.m.regs.get(node, [])
        if kind not in FRAMES or not regs or node not in self.shape.rest[kind]:
            return
        c, f = self.c, self.layout.frames[kind]
        rec = self.lanes.get(f.lane, f"%{PER[kind]}", range(f.lane.count))
        for name, r in regs:
            if name in self.slots:
                p = f.regs[r]
                low = c.bin("lshr", rec, str(p.bit))
                x = c.op(f"and i64 {low}, {(1 << p.bits) - 1}")
                c.store(c.bin("add", x, str(p.lo)), self.slots[name])

    def _leave(self, node: int, kind: str) -> None:
        """The frame's record for ``node``, with dead registers 0."""
        c = self.c
        c.label(f"over.{kind}" if node == OVER else f"stand{node}")
        if kind == DRAIN:
            c.do(f"br label %leave.{kind}")
            return
        f = self.layout.frames[kind]
        base = f.zero + self.shape.pc(node)
        val = ""
        for name, r in self.m.regs.get(node, []) if node != OVER else []:
            if name in self.slots:
                x, s = c.load(self.slots[name]), self.m.reg_slots[kind][r]
                self._fits(o.Local(name), x, s.lo, s.hi)
                x = c.bin("shl", x, str(f.regs[r].bit))
                val = c.bin("add", val, x) if val else x
        c.store(c.bin("add", val, str(base)) if val else str(base), "%val")
        c.do(f"br label %leave.{kind}")

    def _epilogue(self) -> None:
        c = self.c
        kinds = dict.fromkeys(k for _, k in self.leaves)
        for kind in kinds:
            c.label(f"leave.{kind}")
            f = self.layout.frames.get(kind)
            if f is not None and f.lane.count:
                every = range(self.m.pc_step[kind])
                self.lanes.put(f.lane, f"%{PER[kind]}", c.load("%val"), every)
            c.do("br label %state.out")
        if kinds:
            c.label("state.out")
            for w in range(self.layout.words):
                c.store(c.load(f"%w{w}"), c.op(f"getelementptr i64, ptr %out, i64 {w}"))
            self._ret(EXISTS | STATE)
        for name, bit in (("null", self.null), ("range", self.range)):
            c.label(name)
            c.store(c.bin("or", c.load("%bad"), signed(bit)), "%bad")
            c.do("br label %ends")
        c.label("ends")
        self._ret(EXISTS)
        c.label("blocked")
        # What a property has said before the wait is not taken back.
        self._unless(c.op(f"icmp eq i64 {c.load('%bad')}, 0"), "spoken")
        n = c.load("%n")
        c.do(f"ret i64 {c.bin('shl', n, '8')}")
        c.label("spoken")
        self._ret(EXISTS | BLOCKED)
        c.label("toomany")
        c.do(f"ret i64 {TOO_MANY}")
        c.label("broken")
        c.do(f"ret i64 {BROKEN}")

    def _ret(self, flags: int) -> None:
        c, at = self.c, self.at
        masks = [(f"m{k}", at.passed + 8 * k) for k in range(at.masks)]
        for name, where in (("bad", at.bad), *masks):
            p = c.op(f"getelementptr i8, ptr %ctx, i64 {where}")
            c.store(c.load(f"%{name}"), p)
        n = c.op(f"shl i64 {c.load('%n')}, 8")
        c.do(f"ret i64 {c.bin('or', n, str(flags))}")


def write_conditions(w: StepWriter) -> tuple[str, list[tuple[str, str]]]:
    """The functions of the conditions on states: their text, and (kind, name) of each."""
    m = w.m
    text: list[str] = []
    names: list[tuple[str, str]] = []
    for kind, e in m.graph.entries:
        if kind in ("always", "stuck"):
            entry = m.graph.entries[(kind, e)]
            walk(w.shape, entry, whole=True)
            name = f"cond{len(names)}"
            text.append(w.write(name, [entry], cover=False))
            names.append((kind, name))
    return "\n".join(text), names
