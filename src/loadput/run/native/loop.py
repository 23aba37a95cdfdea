"""The search loop in LLVM IR: a state's steps, and what is asked of it. The table is table.py.

``@work(ctx)`` expands the states from ``cur`` to ``end``, or until ``next`` reaches ``quota``.
"""

from __future__ import annotations

from ...machine.nodes import BEGINS, DRAIN
from ..reduce import Plan
from .alone import alone_table, make_table, write_alone
from .expr import Code
from .lanes import Lanes
from .layout import FrameLane, Layout
from .offsets import Offsets
from .pieces import Pieces, define
from .renaming import RenamingWriter
from .shape import Shape
from .step import BLOCKED, BROKEN, TOO_MANY
from .table import DECLARE, TableWriter

IRQS_OFF, PREEMPTIBLE = 1, 2


class LoopWriter(Pieces):
    """Writes the search module of a machine.

    :param shared: several threads insert into one table
    :param conditions: (kind, function) of each condition on states
    :param plan: what the search leaves out
    """

    def __init__(
        self,
        shape: Shape,
        layout: Layout,
        at: Offsets,
        conditions: list[tuple[str, str]],
        *,
        shared: bool,
        plan: Plan,
    ) -> None:
        super().__init__(layout, at)
        self.shape = shape
        self.m = shape.machine
        self.conditions, self.shared = conditions, shared
        self.alone = plan.alone if any(plan.alone.values()) else {}
        self.renamings = plan.renamings

    def write(self) -> str:
        """The text of the module's functions; the entry points are work, seed and rehash."""
        table = TableWriter(self.layout, self.at, shared=self.shared, renamed=bool(self.renamings))
        push, insert, rehash = table.write()
        parts = [self._flags(), DECLARE, push, insert, self._attempt()]
        if self.renamings:
            parts.append(RenamingWriter(self.layout, self.renamings).write())
        parts += [self._notes(), self._conditions(), self._work(), self._seed(), rehash]
        return "\n".join(parts)

    def _flags(self) -> str:
        nodes = self.m.graph.nodes
        out = []
        for kind in BEGINS:
            for i in self.shape.entries[kind]:
                n = nodes[i]
                free = PREEMPTIBLE if kind == "main" and n.depth == 0 else 0
                out.append((IRQS_OFF if n.irqs_off else 0) | free)
        return make_table("flags", out) + alone_table(self)

    def _attempt(self) -> str:
        """Every way through the step of one entry: its choices count up like an odometer."""
        c, at = Code(), self.at
        c.label("start")
        c.do("br label %once")
        c.label("once")
        c.do("%given = phi i64 [0, %start], [%k, %raise]")
        slot = self.ring(c, self.get(c, "head"))
        args = f"ptr %ctx, ptr %state, ptr {slot}, i64 %cpu, i64 %task, i64 %entry, i64 %given"
        c.do(f"%r = call i64 @step({args})")
        c.do(f"br i1 {c.op('trunc i64 %r to i1')}, label %exists, label %after")
        c.label("exists")
        self.bump(c, "transitions")
        ordinal = self.bump(c, "ordinal")
        waits = c.op(f"icmp ne i64 {c.op(f'and i64 %r, {BLOCKED}')}, 0")
        moved = c.select(waits, "0", "%inner")
        self.set(c, "internal", c.op(f"or i64 {self.get(c, 'internal')}, {moved}"))
        off = c.bin("add", c.op("shl i64 %entry, 3"), str(at.fired))
        p = c.op(f"getelementptr i8, ptr %ctx, i64 {off}")
        c.store(c.op(f"add i64 {c.load(p)}, 1"), p)
        odd = self.get(c, "bad")
        row = c.op(f"mul i64 %entry, {8 * at.masks}")
        for k in range(at.masks):
            now, have = self._mask(c, row, k)
            new = c.op(f"and i64 {c.load(now)}, {c.op(f'xor i64 {c.load(have)}, -1')}")
            odd = c.op(f"or i64 {odd}, {new}")
        c.do(f"br i1 {c.op(f'icmp eq i64 {odd}, 0')}, label %well, label %odd")
        c.label("odd")
        c.do(f"call void @note_step(ptr %ctx, i64 {ordinal}, i64 {row})")
        c.do("br label %well")
        c.label("well")
        has = c.op(f"icmp ne i64 {c.op('and i64 %r, 2')}, 0")
        c.do(f"br i1 {has}, label %push, label %fault")
        c.label("fault")
        if self.alone:
            self.bump(c, "faults")
        c.do("br label %after")
        c.label("push")
        c.do("call void @push(ptr %ctx)")
        c.do("br label %after")
        c.label("after")
        plain = c.op(f"and i64 %r, {~BLOCKED}")
        c.do(f"br i1 {c.op(f'icmp ult i64 {plain}, 4')}, label %out, label %choices")
        self._odometer(c, "%r", "out")
        c.label("out")
        c.do("ret void")
        head = "void @attempt(ptr %ctx, ptr %state, i64 %cpu, i64 %task, i64 %entry, i64 %inner)"
        return define(head, c, "noinline")

    def _odometer(self, c: Code, result: str, out: str) -> None:
        """From ``choices``: to ``once`` by ``raise`` with %k digits given, or to ``out``."""
        at = self.at
        c.label("choices")
        odd = c.op(f"and i64 {result}, {TOO_MANY | BROKEN}")
        self.set(c, "status", c.op(f"or i64 {self.get(c, 'status')}, {odd}"))
        n = c.op(f"lshr i64 {result}, 8")
        c.do("br label %digit")
        c.label("digit")
        c.do(f"%k = phi i64 [{n}, %choices], [%less, %lower]")
        c.do(f"br i1 {c.op('icmp eq i64 %k, 0')}, label %{out}, label %last")
        c.label("last")
        c.do("%less = sub i64 %k, 1")
        off = c.op(f"add i64 %less, {at.digits // 16}")
        p = c.op(f"getelementptr [2 x i64], ptr %ctx, i64 {off}")
        value = c.load(p)
        top = c.load(c.op(f"getelementptr i64, ptr {p}, i64 1"))
        c.do(f"br i1 {c.op(f'icmp slt i64 {value}, {top}')}, label %raise, label %lower")
        c.label("lower")
        c.do("br label %digit")
        c.label("raise")
        c.store(c.op(f"add i64 {value}, 1"), p)
        c.do("br label %once")

    def _mask(self, c: Code, row: str, k: int) -> tuple[str, str]:
        """Where the segments of this step are, and those seen from its entry."""
        now = c.op(f"getelementptr i8, ptr %ctx, i64 {self.at.passed + 8 * k}")
        off = c.bin("add", row, str(self.at.seen + 8 * k))
        return now, c.op(f"getelementptr i8, ptr %ctx, i64 {off}")

    def _notes(self) -> str:
        """Rare things: a segment passed for the first time, a violation."""
        c, at = Code(), self.at
        c.label("start")
        for k in range(at.masks):
            now, have = self._mask(c, "%row", k)
            c.store(c.op(f"or i64 {c.load(now)}, {c.load(have)}"), have)
        c.do("br label %bits")
        c.label("bits")
        self._note(c, self.get(c, "bad"), "step_seen", at.step_at, 16, "%ordinal")
        head = "void @note_step(ptr %ctx, i64 %ordinal, i64 %row)"
        text = define(head, c, "noinline cold")
        c = Code()
        c.label("bits")
        self._note(c, "%bad", "state_seen", at.state_at, 8, "")
        return text + define("void @note_state(ptr %ctx, i64 %bad)", c, "noinline cold")

    def _note(self, c: Code, bad: str, seen: str, where: int, size: int, ordinal: str) -> None:
        have = self.get(c, seen)
        new = c.op(f"and i64 {bad}, {c.op(f'xor i64 {have}, -1')}")
        self.set(c, seen, c.op(f"or i64 {have}, {bad}"))
        c.do("br label %bit")
        c.label("bit")
        c.do(f"%left = phi i64 [{new}, %bits], [%rest, %note]")
        c.do(f"br i1 {c.op('icmp eq i64 %left, 0')}, label %out, label %note")
        c.label("note")
        b = c.op("call i64 @llvm.cttz.i64(i64 %left, i1 true)")
        off = c.bin("add", c.op(f"mul i64 {b}, {size}"), str(where))
        p = c.op(f"getelementptr i8, ptr %ctx, i64 {off}")
        c.store(self.get(c, "cur"), p)
        if ordinal:
            c.store(ordinal, c.op(f"getelementptr i64, ptr {p}, i64 1"))
        c.do(f"%rest = and i64 %left, {c.op('sub i64 %left, 1')}")
        c.do("br label %bit")
        c.label("out")
        c.do("ret void")

    def _conditions(self) -> str:
        """The mask of the state properties that a state violates."""
        out = []
        for _, fn in self.conditions:
            c = Code()
            c.label("start")
            c.do("br label %once")
            c.label("once")
            c.do("%given = phi i64 [0, %start], [%k, %raise]")
            c.do("%acc = phi i64 [0, %start], [%sum, %raise]")
            slot = self.ring(c, self.get(c, "head"))
            c.do(
                f"%r = call i64 @{fn}(ptr %ctx, ptr %state, ptr {slot}, i64 0, i64 -1, i64 0, "
                "i64 %given)"
            )
            real = c.op("trunc i64 %r to i1")
            c.do(f"%sum = or i64 %acc, {c.select(real, self.get(c, 'bad'), '0')}")
            c.do("br label %choices")
            self._odometer(c, "%r", "out")
            c.label("out")
            c.do("ret i64 %sum")
            out.append(define(f"i64 @all_{fn}(ptr %ctx, ptr %state)", c, "noinline"))
        return "\n".join(out)

    def _work(self) -> str:
        c, w = Code(), self.layout.words
        c.label("start")
        for i in range(w):
            c.do(f"%w{i} = alloca i64")
        if self.renamings:
            c.do(f"%renamed = alloca [{w} x i64]")
        c.do("br label %next")
        c.label("next")
        cur = self.get(c, "cur")
        room = c.op(f"icmp ult i64 {self.get(c, 'next')}, {self.get(c, 'quota')}")
        more = c.op(f"icmp ult i64 {cur}, {self.get(c, 'end')}")
        fine = c.op(f"icmp eq i64 {self.get(c, 'status')}, 0")
        go = c.op(f"and i1 {fine}, {c.op(f'and i1 {room}, {more}')}")
        c.do(f"br i1 {go}, label %state, label %flush")
        c.label("state")
        c.do(f"%s = getelementptr i8, ptr {self.state(c, cur)}, i64 0")
        for i in range(w):
            c.store(self.word(c, "%s", i), f"%w{i}")
        self.set(c, "ordinal", "0")
        self.set(c, "internal", "0")
        if self.alone:
            write_alone(self, c)
        for cpu in range(self.m.cpus):
            self._cpu(c, cpu)
        if self.alone:
            c.do("br label %expanded")
            c.label("expanded")
        if self.conditions:
            self._check(c)
        self.set(c, "cur", c.op(f"add i64 {cur}, 1"))
        c.do("br label %next")
        c.label("flush")
        self._drain(c)
        return define("void @work(ptr %ctx)", c, "", internal=False)

    def _drain(self, c: Code) -> None:
        c.do("br label %drain")
        c.label("drain")
        waits = c.op(f"icmp ult i64 {self.get(c, 'tail')}, {self.get(c, 'head')}")
        c.do(f"br i1 {waits}, label %one, label %out")
        c.label("one")
        c.do("call void @insert(ptr %ctx)")
        c.do("br label %drain")
        c.label("out")
        c.do("ret void")

    def call(self, c: Code, cpu: int, task: str, entry: str, inner: bool) -> None:
        c.do(
            f"call void @attempt(ptr %ctx, ptr %s, i64 {cpu}, i64 {task}, i64 {entry}, "
            f"i64 {int(inner)})"
        )

    def pc(self, c: Code, lanes: Lanes, f: FrameLane, elem: str, kind: str) -> str:
        """The packed pc of a frame; for one that is not stored, what it always is."""
        n = f.lane.count
        nodes = [self.shape.pc(x) if x >= 0 else 0 for x in f.rest]
        fixed = str(nodes[0]) if nodes else "0"
        for i, x in enumerate(nodes[1:], n + 1):
            if str(x) != fixed:
                fixed = c.select(c.op(f"icmp eq i64 {elem}, {i}"), str(x), fixed)
        if elem.isdigit() and nodes:
            fixed = str(nodes[max(0, int(elem) - n)])
        if n == 0 or (elem.isdigit() and int(elem) >= n):
            return fixed
        rec = lanes.get(f.lane, elem, range(n))
        pc = c.op(f"and i64 {rec}, {(1 << f.pc.bits) - 1}")
        if nodes and not elem.isdigit():
            pc = c.select(c.op(f"icmp ult i64 {elem}, {n}"), pc, fixed)
        return pc

    def task(self, c: Code, lanes: Lanes, cpu: int) -> str:
        """The task that is current on a CPU."""
        v = self.layout.vars["current_task"]
        return c.bin("add", lanes.get(v.lane, str(cpu), (cpu,)), str(v.lo - 1))

    def _cpu(self, c: Code, cpu: int) -> None:
        """The steps of one CPU, in the order of the interpreter."""
        lanes, frames, first = Lanes(c), self.layout.frames, self.shape.first
        task = self.task(c, lanes, cpu)
        done = f"cpu{cpu}.done"
        for name in self.m.graph.starts[DRAIN]:
            eid = self.shape.eid(DRAIN, self.m.graph.entries[(DRAIN, name)])
            self.call(c, cpu, task, str(eid), True)
        irq = self.pc(c, lanes, frames["irq"], str(cpu), "irq")
        c.do(f"br i1 {c.op(f'icmp ne i64 {irq}, 0')}, label %irq{cpu}, label %task{cpu}")
        c.label(f"irq{cpu}")
        self.call(c, cpu, task, c.op(f"add i64 {irq}, {first('irq') - 1}"), True)
        c.do(f"br label %{done}")
        c.label(f"task{cpu}")
        sched = self.pc(c, lanes, frames["sched"], task, "sched")
        main = self.pc(c, lanes, frames["main"], task, "main")
        in_sched = c.op(f"icmp ne i64 {sched}, 0")
        runs = c.op(f"icmp ne i64 {c.bin('or', sched, main)}, 0")
        entry = c.select(
            in_sched,
            c.op(f"add i64 {sched}, {first('sched') - 1}"),
            c.op(f"add i64 {main}, {first('main') - 1}"),
        )
        c.do(f"br i1 {runs}, label %run{cpu}, label %{done}")
        c.label(f"run{cpu}")
        self.call(c, cpu, task, entry, True)
        p = c.op(f"getelementptr i8, ptr @flags, i64 {entry}")
        flags = c.op(f"load i8, ptr {p}")
        off = c.op(f"icmp ne i8 {c.op(f'and i8 {flags}, {IRQS_OFF}')}, 0")
        c.do(f"br i1 {off}, label %{done}, label %starts{cpu}")
        c.label(f"starts{cpu}")
        g = self.m.graph
        for kind in ("irq", "sched"):
            if kind == "sched":
                free = c.op(f"icmp ne i8 {c.op(f'and i8 {flags}, {PREEMPTIBLE}')}, 0")
                c.do(f"br i1 {free}, label %preempt{cpu}, label %{done}")
                c.label(f"preempt{cpu}")
            for name in g.starts[kind]:
                eid = self.shape.eid(kind, g.entries[(kind, name)])
                self.call(c, cpu, task, str(eid), name not in g.env)
        c.do(f"br label %{done}")
        c.label(done)

    def _holds(self, c: Code, fn: str) -> str:
        """The mask of what ``fn`` finds violated in a state or one that counts as one with it."""
        bad = c.op(f"call i64 @all_{fn}(ptr %ctx, ptr %s)")
        for k in range(len(self.renamings)):
            c.do(f"call void @rename{k}(ptr %s, ptr %renamed)")
            bad = c.bin("or", bad, c.op(f"call i64 @all_{fn}(ptr %ctx, ptr %renamed)"))
        return bad

    def _check(self, c: Code) -> None:
        bad = "0"
        for kind, fn in self.conditions:
            if kind == "always":
                bad = c.bin("or", bad, self._holds(c, fn))
        stuck = [fn for kind, fn in self.conditions if kind == "stuck"]
        is_stuck = c.op(f"icmp eq i64 {self.get(c, 'internal')}, 0")
        c.do("br label %calm")
        c.label("calm")
        c.do(f"br i1 {is_stuck}, label %stuck, label %checked")
        c.label("stuck")
        more = bad
        for fn in stuck:
            more = c.bin("or", more, self._holds(c, fn))
        c.do("br label %checked")
        c.label("checked")
        total = c.op(f"phi i64 [{bad}, %calm], [{more}, %stuck]")
        c.do(f"br i1 {c.op(f'icmp eq i64 {total}, 0')}, label %fine, label %ill")
        c.label("ill")
        c.do(f"call void @note_state(ptr %ctx, i64 {total})")
        c.do("br label %fine")
        c.label("fine")

    def _seed(self) -> str:
        """Insert the state at ``words``."""
        c = Code()
        c.label("start")
        slot = self.ring(c, self.get(c, "head"))
        for i in range(self.layout.words):
            to = c.op(f"getelementptr i64, ptr {slot}, i64 {i}")
            c.store(self.word(c, "%words", i), to)
        c.do("call void @push(ptr %ctx)")
        self._drain(c)
        return define("void @seed(ptr %ctx, ptr %words)", c, "", internal=False)
