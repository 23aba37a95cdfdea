"""The specification, run as far as a trace can see: every way from one probe to the next.

A position is a stack of IR frames, the few variables that a trace shows, and the context. All other
memory is unknown: a branch on it goes both ways. What drives the four common functions stands
here and nowhere else: a task loads, is switched out and in where it may be, and puts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..base.clock import look
from ..base.errors import TraceError
from ..ir import ops as o
from ..ir.calls import callees, reach
from ..ir.eval import binary, unary
from ..link.program import Program

VARS = (
    "kvm_vcpu.preempted", "kvm_vcpu.ready", "kvm_vcpu.scheduled_out", "kvm_vcpu.wants_to_run",
    "kvm_vcpu.mode", "kvm_vcpu.cpu", "kvm_running_vcpu", "task_struct.preempt_notifiers",
    "task_struct.on_rq", "task_struct.sched_delayed", "kvm_former_vcpu",
    "kvm_vcpu_arch.last_exit_cpu", "kvm_vcpu_arch.csr_dirty",
)  # fmt: skip
AT = {name: i for i, name in enumerate(VARS)}
PREEMPTED, READY, SCHEDULED_OUT, WANTS, MODE, CPU, RUNNING, NOTIFIERS, ON_RQ, DELAYED = range(10)
FORMER, LAST_EXIT, DIRTY = range(10, 13)
PER_CPU = ("kvm_running_vcpu", "kvm_former_vcpu")
COMMON = ("vcpu_load", "vcpu_put", "kvm_sched_in", "kvm_sched_out")
# CPU numbers by how they stand to the probe: where it is, where the probe before was, another.
HERE, BEFORE, OTHER = 0, 1, 2
VCPU = TASK = 1
NEXT_TASK = STRANGER = 2
OUTSIDE, LOADED, AWAY, BACK = "@outside", "@loaded", "@away", "@back"
# What a load of v7.2 on riscv may skip.
RESTORE = "restore_csrs"
MAX_STEPS, MAX_DEPTH = 200_000, 24

Value = int | None
Memory = tuple[Value, ...]
Point = tuple[str, str]
ENTRY, RETURN = "entry", "return"


class Frame(NamedTuple):
    """One function under way; ``loc`` has the locals whose value is known."""

    fn: str
    label: str = ""
    at: int = 0
    loc: tuple[tuple[str, int], ...] = ()
    dst: str = ""


class Position(NamedTuple):
    """Where a vCPU is; ``raced``: only a legal race leads here; ``moved``: its task changed CPU."""

    frames: tuple[Frame, ...]
    mem: Memory
    preempt: int
    irqs_off: bool
    raced: bool
    moved: bool


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the trace says about one stretch.

    :param out: (on_rq, sched_delayed, raced) that __schedule may leave behind
    :param moved: whether the two probes are on different CPUs
    :param returned: whether the CPU is the one that vcpu->cpu named
    """

    out: tuple[tuple[int, int, bool], ...]
    moved: bool = False
    returned: bool = False


class Walker:
    """Walks one linked program between the probe points ``visible``."""

    def __init__(self, program: Program, visible: frozenset[Point]) -> None:
        self.program, self.visible = program, visible
        self.functions = program.functions
        for name in COMMON:
            if name not in self.functions:
                raise TraceError(
                    "LP0620", f"{program.choice.title} has no {name}",
                    expected="a program with " + ", ".join(COMMON),
                )  # fmt: skip
        self.blocks = {n: {b.label: b.ops for b in f.blocks} for n, f in self.functions.items()}
        self.calls = {n: set(callees(f)) for n, f in self.functions.items()}
        self.common = reach(self.functions, COMMON)
        self.direct = self._find_direct()
        self.inner = reach(self.functions, (*COMMON, *self.direct))
        self.others = sorted(p for p in visible if p[0] not in self.inner)
        self.again = self._find_again()
        self.matters = self._find_matters()
        self.delayed_dequeue = bool(program.decls.consts.get("delayed_dequeue", 0))
        self.wants = self._find_wants()
        self.former = self._find_former()
        below = reach(self.functions, [RESTORE]) if RESTORE in self.functions else set()
        self.shows_restore = any(fn in below for fn, _ in visible)
        self.wakes = self._find_wakes()

    def start(self, *, known: bool) -> Position:
        """Outside any ioctl: a vCPU as kvm_vcpu_init() leaves it, or one with a past."""
        flag: Value = 0 if known else None
        mem: list[Value] = [flag] * len(VARS)
        mem[WANTS] = mem[MODE] = mem[RUNNING] = mem[NOTIFIERS] = mem[DELAYED] = 0
        mem[ON_RQ] = 1
        mem[CPU] = -1 if known else None
        # What a probe on the load says, and ioctls that it does not.
        mem[FORMER] = mem[LAST_EXIT] = mem[DIRTY] = None
        return Position((Frame(OUTSIDE),), tuple(mem), 0, False, False, False)

    def advance(self, starts: frozenset[Position], inputs: Inputs) -> dict[Point, set[Position]]:
        """Every position at the next probe point, by probe point."""
        out: dict[Point, set[Position]] = {}
        seen: set[Position] = set(starts)
        todo = list(starts)
        while todo:
            look()
            if len(seen) > MAX_STEPS:
                raise TraceError("LP0621", "the program has too many ways between two probes")
            for point, new in self._steps(todo.pop(), inputs):
                if point is not None:
                    if new.moved == inputs.moved:
                        out.setdefault(point, set()).add(new)
                elif new not in seen:
                    seen.add(new)
                    todo.append(new)
        return out

    def _steps(self, p: Position, inputs: Inputs) -> Iterator[tuple[Point | None, Position]]:
        top = p.frames[-1]
        if inputs.moved and not p.moved and self._may_move(p):
            yield None, _move(p, inputs.returned)
        if self._may_switch(p):
            for on_rq, delayed, raced in inputs.out:
                mem = _put(_put(p.mem, ON_RQ, on_rq), DELAYED, delayed)
                away = (*p.frames, Frame(AWAY, at=p.preempt))
                q = Position(away, mem, 1, True, p.raced or raced, p.moved)
                yield self._enter(q, "kvm_sched_out", (p.mem[NOTIFIERS], NEXT_TASK), "")
        if top.fn == OUTSIDE:
            for wants in self.wants:
                # Ioctls between two loads may have written CSRs.
                mem = _put(_put(p.mem, WANTS, wants), DIRTY, None)
                q = p._replace(frames=(Frame(LOADED),), mem=mem)
                yield self._enter(q, "vcpu_load", (VCPU,), "")
            if not p.raced:
                yield None, self.start(known=True)._replace(raced=True, moved=p.moved)
        elif top.fn == LOADED:
            yield self._enter(p._replace(frames=(Frame(OUTSIDE),)), "vcpu_put", (VCPU,), "")
            for name in (*self.direct, *self.again):
                yield self._enter(p, name, self._arguments(name), "")
            for point in self.others:
                yield point, p
        elif top.fn == AWAY:
            q = p._replace(frames=(*p.frames[:-1], top._replace(fn=BACK)), preempt=1)
            q = q._replace(irqs_off=False, mem=_put(_put(p.mem, ON_RQ, 1), DELAYED, 0))
            yield self._enter(q, "kvm_sched_in", (p.mem[NOTIFIERS], HERE), "")
        elif top.fn == BACK:
            yield None, p._replace(frames=p.frames[:-1], preempt=top.at, irqs_off=False)
        else:
            yield from self._run(p)

    def _may_move(self, p: Position) -> bool:
        if p.frames[-1].fn == AWAY:
            return True
        free = p.preempt == 0 and not p.irqs_off and p.mem[NOTIFIERS] == 0
        return free and all(f.fn not in (AWAY, BACK) for f in p.frames)

    def _may_switch(self, p: Position) -> bool:
        if p.preempt or p.irqs_off or not p.mem[NOTIFIERS]:
            return False
        return all(f.fn not in (AWAY, BACK) for f in p.frames)

    def _arguments(self, name: str) -> tuple[Value, ...]:
        return tuple(
            VCPU if getattr(t, "struct", "") in ("kvm_vcpu", "preempt_notifier") else None
            for _, t in self.functions[name].params
        )

    def _enter(
        self, p: Position, name: str, args: tuple[Value, ...], dst: str
    ) -> tuple[Point | None, Position]:
        fn = self.functions[name]
        pairs = zip(fn.params, args, strict=False)
        loc = tuple(sorted((n, a) for (n, _), a in pairs if a is not None))
        q = p._replace(frames=(*p.frames, Frame(name, fn.blocks[0].label, 0, loc, dst)))
        return ((name, ENTRY) if (name, ENTRY) in self.visible else None), q

    def _run(self, p: Position) -> Iterator[tuple[Point | None, Position]]:
        # One step; a stretch with preemption off is one step up to its next call or branch.
        frame = p.frames[-1]
        loc = dict(frame.loc)
        ops = self.blocks[frame.fn][frame.label]
        at, mem, preempt, irqs_off = frame.at, p.mem, p.preempt, p.irqs_off

        def here(label: str, i: int) -> Position:
            new = Frame(frame.fn, label, i, tuple(sorted(loc.items())), frame.dst)
            return Position((*p.frames[:-1], new), mem, preempt, irqs_off, p.raced, p.moved)

        while True:
            op = ops[at]
            at += 1
            if isinstance(op, o.Jump):
                yield None, here(op.to, 0)
                return
            if isinstance(op, o.Branch):
                cond = self._value(op.cond, loc, p)
                for label, wanted in ((op.then, 1), (op.other, 0)):
                    if cond is None or bool(cond) == bool(wanted):
                        yield None, here(label, 0)
                return
            if isinstance(op, o.Return):
                value = self._value(op.expr, loc, p) if op.expr is not None else None
                yield from self._return(here(frame.label, at), value)
                return
            if isinstance(op, o.Call):
                args = tuple(self._value(a, loc, p) for a in op.args)
                if op.fn in self.functions and self._is_needed(op, len(p.frames)):
                    yield self._enter(here(frame.label, at), op.fn, args, op.dst)
                    return
                loc.pop(op.dst, None)
            elif isinstance(op, o.Assume):
                if self._value(op.cond, loc, p) == 0:
                    return
            elif isinstance(op, o.Ctl):
                if op.what == "irq_save":
                    loc[op.var] = int(irqs_off)
                elif op.what == "irq_restore":
                    irqs_off = bool(loc.get(op.var, irqs_off))
                preempt, irqs_off = _control(op.what, preempt, irqs_off)
            elif isinstance(op, o.Store | o.Fresh):
                expr = op.expr if isinstance(op, o.Store) else None
                mem = self._store(op.place, expr, loc, p, mem)
            elif isinstance(op, o.Load):
                _set(loc, op.dst, self._load(op.place, loc, p, mem))
            elif isinstance(op, o.Assign):
                _set(loc, op.dst, self._value(op.expr, loc, p))
            elif isinstance(op, o.Choose):
                loc.pop(op.dst, None)
            if preempt == 0:
                yield None, here(frame.label, at)
                return

    def _return(self, p: Position, value: Value) -> Iterator[tuple[Point | None, Position]]:
        done, below = p.frames[-1], p.frames[-2]
        if done.dst:
            loc = dict(below.loc)
            _set(loc, done.dst, value)
            below = below._replace(loc=tuple(sorted(loc.items())))
        q = p._replace(frames=(*p.frames[:-2], below))
        if (done.fn, RETURN) in self.visible:
            yield (done.fn, RETURN), q
            # A return probe misses where too many are under way (its maxactive).
            yield None, q._replace(raced=True)
        else:
            yield None, q

    def _is_needed(self, op: o.Call, depth: int) -> bool:
        return depth < MAX_DEPTH and (bool(op.dst) or op.fn in self.matters)

    def _load(self, place: o.Place, loc: dict[str, int], p: Position, mem: Memory) -> Value:
        i = AT.get(place.var)
        if i is None or self._index(place, loc, p) is not True:
            return None
        return mem[i]

    def _store(
        self, place: o.Place, expr: o.Expr | None, loc: dict[str, int], p: Position, mem: Memory
    ) -> Memory:
        i = AT.get(place.var)
        if i is None:
            return mem
        ours = self._index(place, loc, p)
        if ours is False:
            return mem
        value = self._value(expr, loc, p) if expr is not None and ours else None
        return _put(mem, i, value)

    def _index(self, place: o.Place, loc: dict[str, int], p: Position) -> bool | None:
        # Whether the place is the vCPU's, its task's, this CPU's; None where nobody can tell.
        if place.index is None:
            return True
        value = self._value(place.index, loc, p)
        own = HERE if place.var in PER_CPU else VCPU
        return None if value is None else value == own

    def _value(self, e: o.Expr, loc: dict[str, int], p: Position) -> Value:
        if isinstance(e, o.Const):
            return e.value
        if isinstance(e, o.Local):
            return loc.get(e.name)
        if isinstance(e, o.Sym):
            return self.program.decls.consts.get(e.name)
        if isinstance(e, o.Leaf):
            known = {"this_cpu": HERE, "current": TASK, "irqs_disabled": int(p.irqs_off)}
            return known.get(e.name, 0 if e.name == "in_irq" else None)
        a = self._value(e.a, loc, p)
        if isinstance(e, o.Un):
            return None if a is None else unary(e.op, a)
        b = self._value(e.b, loc, p)
        if a is None or b is None:
            return 0 if e.op == "and" and 0 in (a, b) else None
        return binary(e.op, a, b)

    def _find_direct(self) -> tuple[str, ...]:
        # Who puts and loads the vCPU without the common functions: resets, nested entries.
        arch = {"kvm_arch_vcpu_load", "kvm_arch_vcpu_put"}
        return tuple(
            n for n in sorted(self.functions)
            if arch & self.calls[n] and n not in self.common
            and self.functions[n].params and self._arguments(n)[0] == VCPU
        )  # fmt: skip

    def _find_again(self) -> tuple[str, ...]:
        # What a load or put calls and the run loop too, such as the vgic's around a wait.
        seen = {fn for fn, way in self.visible if way == ENTRY} & self.inner
        seen -= {*COMMON, *self.direct}
        outside = [c for n, c in self.calls.items() if n not in self.inner]
        return tuple(sorted(n for n in seen if any(n in c for c in outside)))

    def _find_matters(self) -> set[str]:
        """Functions that write what a trace shows, or hold a probe point, themselves or below."""
        out = {fn for fn, _ in self.visible} & set(self.functions)
        for n, blocks in self.blocks.items():
            stores = [op for ops in blocks.values() for op in ops if isinstance(op, o.Store)]
            if any(op.place.var in AT for op in stores):
                out.add(n)
        grew = True
        while grew:
            more = {n for n, calls in self.calls.items() if n not in out and calls & out}
            out |= more
            grew = bool(more)
        return out

    def _find_wants(self) -> tuple[int, ...]:
        """The values of wants_to_run that the ioctls of this release leave at vcpu_load."""
        if "kvm_vcpu_ioctl_run" not in self.functions:
            return (0, 1)
        left = {m[WANTS] for m in self._outcomes("kvm_vcpu_ioctl_run", "kvm_arch_vcpu_ioctl_run")}
        return (0, 1) if left & {None, 1} else (0,)

    def _find_former(self) -> Value:
        """What a load leaves in its CPU's kvm_former_vcpu, whatever was there; None: not that."""
        name = "kvm_arch_vcpu_load"
        if "kvm_former_vcpu" not in self.program.decls.globals or name not in self.functions:
            return None
        left = {m[FORMER] for was in (VCPU, STRANGER) for m in self._outcomes(name, "", was)}
        return left.pop() if len(left) == 1 else None

    def _find_wakes(self) -> tuple[Memory, ...]:
        """What kvm_vcpu_wake_up() may do to the flags: memories from all-unknown."""
        if "kvm_vcpu_wake_up" not in self.functions:
            return ()
        return tuple(self._outcomes("kvm_vcpu_wake_up", ""))

    def _outcomes(self, name: str, stop: str, former: Value = None) -> set[Memory]:
        # Memories where `name` calls `stop`, or returns.
        blank = _put(_put((None,) * len(VARS), WANTS, 0), FORMER, former)
        base = Position((Frame(LOADED),), blank, 1, False, False, False)
        walker = object.__new__(Walker)
        walker.__dict__.update(self.__dict__)
        end = {(stop, ENTRY)} if stop else {(name, RETURN)}
        walker.visible = frozenset(end)
        walker.matters = self._find_matters() | ({stop} & set(self.functions))
        _, start = walker._enter(base, name, self._arguments(name), "")
        found = set()
        todo, seen = [start], {start}
        while todo and len(seen) < MAX_STEPS:
            for point, q in walker._run(todo.pop()):
                if point in end:
                    found.add(q.mem)
                elif point is None and len(q.frames) > 1 and q not in seen:
                    seen.add(q)
                    todo.append(q)
        return found


def _set(loc: dict[str, int], name: str, value: Value) -> None:
    if value is None:
        loc.pop(name, None)
    else:
        loc[name] = value


def _put(mem: Memory, i: int, value: Value) -> Memory:
    return mem if mem[i] == value else (*mem[:i], value, *mem[i + 1 :])


def _move(p: Position, returned: bool) -> Position:
    cpu = p.mem[CPU]
    if cpu == HERE:
        cpu = BEFORE
    elif cpu == OTHER and returned:
        cpu = HERE
    return p._replace(mem=_put(_put(p.mem, CPU, cpu), RUNNING, 0), moved=True)


def _control(what: str, preempt: int, irqs_off: bool) -> tuple[int, bool]:
    if what == "preempt_disable":
        return preempt + 1, irqs_off
    if what.startswith("preempt_enable"):
        return max(preempt - 1, 0), irqs_off
    if what == "preempt_reset":
        return 0, irqs_off
    if what in ("irq_disable", "irq_save"):
        return preempt, True
    if what == "irq_enable":
        return preempt, False
    return preempt, irqs_off
