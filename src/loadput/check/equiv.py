"""Whether two bodies of one function do the same: a differential run over their inputs.

Both bodies run from the same inputs. What another context may see (loads and stores of shared
variables, calls of functions that are the same in both programs) is compared in order, as far as
the order can be told: two events that touch nothing in common, one of which nobody else can see,
may come in either order. What only the task itself can see is compared at the end, and where a
call reads it. Inputs are every value that the whole-program analysis found for what is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..base.clock import look
from ..ir import ops as o
from ..ir import types as ty
from ..ir.calls import callees
from ..ir.eval import binary, unary
from ..ir.text import render_function
from ..lang.place import PINNED
from ..machine.fuse import VISIBLE
from ..machine.model import Machine

MAX_RUNS = 60_000
MAX_OPS = 4_000
MAX_INPUTS = 1_000  # inputs per function: a real body with opaque calls has too many to run all
EQUAL, EQUIVALENT, DIFFERENT, UNDECIDED = "equal IR", "equivalent", "differs", "not decided"
EMPTY = "says nothing"  # ours is a place to look, without a body


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The answer: ``verdict`` is one of those above; ``runs`` inputs were compared.

    :param differ: how many of them differ in effect
    :param where: of a difference: what the first body does, and the second, in one line each
    """

    function: str
    verdict: str
    runs: int = 0
    where: tuple[str, str] = ("", "")
    differ: int = 0


@dataclass(frozen=True, slots=True)
class _Event:
    """What happened, to which variables; ``public`` where others can tell."""

    label: str
    reads: frozenset[str]
    writes: frozenset[str]
    public: bool

    def independent(self, other: _Event) -> bool:
        if self.public and other.public:
            return False
        return not (
            self.writes & (other.reads | other.writes) or other.writes & (self.reads | self.writes)
        )


class _NeedValue(Exception):
    def __init__(self, key: str, domain: list[int]) -> None:
        self.key, self.domain = key, domain


class _TooLong(Exception):
    pass


@dataclass(slots=True)
class _Side:
    """One of the two programs."""

    machine: Machine
    functions: dict[str, o.Function]
    public: set[str] = field(default_factory=set)
    closure: dict[str, tuple[frozenset[str], frozenset[str], bool]] = field(default_factory=dict)


def _public_vars(m: Machine) -> set[str]:
    """The variables that some context other than the task can tell apart."""
    out = {"current_task"}
    for n in m.graph.nodes:
        if isinstance(n.op, o.Load | o.Store | o.Fresh) and n.id in m.values.access:
            if m.fused.cls[n.id] == VISIBLE:
                out.add(n.op.place.var)
    per_ctx: dict[tuple[str, int], set[int]] = {}
    for nid, per in m.values.access.items():
        op = m.graph.nodes[nid].op
        assert isinstance(op, o.Load | o.Store | o.Fresh)
        for ci, elems in per.items():
            if m.values.contexts[ci].kind in ("task", "irq"):
                for e in elems:
                    per_ctx.setdefault((op.place.var, e), set()).add(ci)
    own_cpu = {n for n, v in m.values.vars.items() if v.domain == "cpu"}
    irq = {i for i, c in enumerate(m.values.contexts) if c.kind == "irq"}
    fixed = {n for n, c in m.values.cells.items() if all(len(x) == 1 for x in c)}
    for (var, _), who in per_ctx.items():
        if len(who) > 1 and var not in fixed and (var not in own_cpu or who & irq):
            out.add(var)
    return out


def _mask(fn: o.Function) -> str:
    """The function's IR without places, origin and the numbering of temporaries."""
    text = render_function(fn, spans=False)
    head, _, body = text.partition("\n")
    return head.split(" from ")[0] + "\n" + body


class Comparison:
    """Compares functions of two machines; `compare` one of them.

    :param most: inputs to run through both before it stays undecided
    """

    def __init__(self, base: Machine, new: Machine, most: int = MAX_RUNS) -> None:
        self.most = most
        self.a = _Side(base, base.program.functions, _public_vars(base))
        self.b = _Side(new, new.program.functions, _public_vars(new))
        self.same: dict[str, bool] = {}
        self.shared = self.a.public | self.b.public
        self.watched = self._watched()

    def _watched(self) -> set[str]:
        """Functions at whose entry or exit a property of either program looks."""
        return {n for side in (self.a, self.b) for _, n in side.machine.program.hooks}

    def looks(self, name: str) -> list[o.Function]:
        """What looks at the state at the entry or exit of ``name``, in either program."""
        hooks = [s.machine.program.hooks for s in (self.a, self.b)]
        return [f for h in hooks for w in ("at_entry", "at_exit") for f in h.get((w, name), [])]

    def compare(self, name: str) -> Equivalence:
        """Compare function ``name``; both programs must have it."""
        fa, fb = self.a.functions[name], self.b.functions[name]
        if _mask(fa) == _mask(fb) and self._callees_same(name):
            return Equivalence(name, EQUAL)
        if _is_empty(fa) and not _is_empty(fb):
            return Equivalence(name, EMPTY)
        last = Equivalence(name, UNDECIDED)
        for inline in (False, True):
            last = self._run_all(name, inline)
            if last.verdict == EQUIVALENT:
                return last
        return last

    def _callees_same(self, name: str) -> bool:
        return all(self._is_same(c) for c in callees(self.a.functions[name]))

    def _is_same(self, name: str) -> bool:
        """Whether ``name`` and all it calls are the same in both programs."""
        if name not in self.same:
            self.same[name] = True
            fa, fb = self.a.functions.get(name), self.b.functions.get(name)
            if fa is None or fb is None:
                self.same[name] = fa is fb
            else:
                self.same[name] = _mask(fa) == _mask(fb) and self._callees_same(name)
        return self.same[name]

    def _run_all(self, name: str, inline: bool) -> Equivalence:
        runs = differ = 0
        where = ("", "")
        for oracle in self._oracles(name, inline):
            look()
            if oracle is None or runs >= self.most:
                return Equivalence(name, DIFFERENT if differ else UNDECIDED, runs, where, differ)
            runs += 1
            diff = _outcome_difference(*oracle)
            if diff is not None:
                where = where if differ else diff
                differ += 1
        return Equivalence(name, DIFFERENT if differ else EQUIVALENT, runs, where, differ)

    def _oracles(self, name: str, inline: bool) -> Iterator[tuple[_Out, _Out] | None]:
        """Both sides' outcomes for every answer that the environment can give."""
        stack: list[tuple[str, list[int], int]] = []
        while True:
            answers = {k: d[i] for k, d, i in stack}
            try:
                yield (
                    _Run(self, self.a, answers, inline).function(name),
                    _Run(self, self.b, answers, inline).function(name),
                )
            except _NeedValue as need:
                stack.append((need.key, need.domain, 0))
                continue
            except _TooLong:
                yield None
                return
            while stack and stack[-1][2] + 1 >= len(stack[-1][1]):
                stack.pop()
            if not stack:
                return
            key, domain, i = stack.pop()
            stack.append((key, domain, i + 1))


_Out = tuple[list[_Event], dict[str, int], int]


def _is_empty(f: o.Function) -> bool:
    """Whether a function does nothing at all."""
    return all(isinstance(op, o.Return | o.Jump) for b in f.blocks for op in b.ops)


def _outcome_difference(a: _Out, b: _Out) -> tuple[str, str] | None:
    """Where two runs with one set of answers part; None where they do the same."""
    (ea, ma, ra), (eb, mb, rb) = a, b
    diff = _difference(ea, eb)
    if diff is None and ra != rb:
        return f"returns {ra}", f"returns {rb}"
    if diff is None and ma != mb:
        keys = sorted(k for k in ma.keys() | mb.keys() if ma.get(k) != mb.get(k))
        return f"leaves {keys[0]} = {ma.get(keys[0])}", f"{keys[0]} = {mb.get(keys[0])}"
    return diff


def _difference(a: list[_Event], b: list[_Event]) -> tuple[str, str] | None:
    """None where ``b`` is ``a`` up to swaps of independent neighbours, else where they part."""
    rest = list(b)
    for e in a:
        at = next((i for i, x in enumerate(rest) if x == e), None)
        if at is None or not all(e.independent(x) for x in rest[:at]):
            other = rest[0].label if rest else "ends"
            if at is not None:
                return f"{e.label} first", f"{other} before it"
            return e.label, other
        del rest[at]
    return ("ends", rest[0].label) if rest else None


class _Run:
    """One body with one set of answers from the environment."""

    def __init__(self, c: Comparison, side: _Side, answers: dict[str, int], inline: bool) -> None:
        self.c, self.side, self.answers, self.inline = c, side, answers, inline
        self.events: list[_Event] = []
        self.memory: dict[str, int] = {}
        self.written: dict[str, int] = {}
        self.count: dict[str, int] = {}
        self.left = MAX_OPS
        self.z = side.machine.program.scenario.sizes

    def ask(self, key: str, domain: list[int]) -> int:
        if key not in self.answers:
            raise _NeedValue(key, sorted(set(domain)) or [0])
        return self.answers[key]

    def again(self, label: str) -> str:
        self.count[label] = self.count.get(label, 0) + 1
        return f"{label}#{self.count[label]}"

    def event(
        self, label: str, reads: frozenset[str], writes: frozenset[str], public: bool
    ) -> None:
        self.events.append(_Event(label, reads, writes, public))

    def function(self, name: str) -> _Out:
        fn = self.side.functions[name]
        args = [self.ask(f"arg{i}", self._domain(t)) for i, (_, t) in enumerate(fn.params)]
        ret = self.call(fn, args)
        return self.events, dict(self.written), ret

    def _domain(self, t: ty.Type) -> list[int]:
        m = self.side.machine
        lo, hi = ty.bounds(t, self.z, m.program.count_of)
        if isinstance(t, ty.Ptr):
            return list(range(1, hi + 1))
        if isinstance(t, ty.CpuId):
            return list(range(0, hi + 1))
        return list(range(lo, min(hi, lo + 3) + 1))

    def call(self, fn: o.Function, args: list[int]) -> int:
        loc = dict(zip((n for n, _ in fn.params), args, strict=False))
        blocks = {b.label: b.ops for b in fn.blocks}
        label, i = fn.blocks[0].label, 0
        while True:
            self.left -= 1
            if self.left < 0:
                raise _TooLong
            op = blocks[label][i]
            i += 1
            if isinstance(op, o.Jump):
                label, i = op.to, 0
            elif isinstance(op, o.Branch):
                label, i = (op.then if self.value(op.cond, loc) else op.other), 0
            elif isinstance(op, o.Return):
                return self.value(op.expr, loc) if op.expr is not None else 0
            else:
                self.op(op, loc)

    def op(self, op: o.Op, loc: dict[str, int]) -> None:
        none: frozenset[str] = frozenset()
        if isinstance(op, o.Assign):
            loc[op.dst] = self.value(op.expr, loc)
        elif isinstance(op, o.Load):
            loc[op.dst] = self._load(op, loc)
        elif isinstance(op, o.Store | o.Fresh):
            self._store(op, loc)
        elif isinstance(op, o.Call):
            loc[op.dst] = self._call(op, loc)
        elif isinstance(op, o.Choose):
            lo, hi = self.value(op.lo, loc), self.value(op.hi, loc)
            loc[op.dst] = self.ask(self.again(f"choice {op.why}"), list(range(lo, hi + 1)))
        elif isinstance(op, o.Check) and op.prop == PINNED:
            pass  # of the place, not of the body: who calls it decides
        elif isinstance(op, o.Assume | o.Check):
            word = "assume" if isinstance(op, o.Assume) else op.prop
            self.event(f"{word} {self.value(op.cond, loc)}", none, none, True)
        elif isinstance(op, o.Ctl):
            self.event(op.what, none, none, True)
        elif isinstance(op, o.Atomic):
            self.event("atomic" if op.on else "end atomic", none, none, True)

    def _load(self, op: o.Load, loc: dict[str, int]) -> int:
        var = op.place.var
        place = self._place(op.place, loc)
        cells = self.side.machine.values.cells.get(var)
        domain = sorted(set().union(*cells)) if cells else [0, 1]
        if var in self.c.shared:
            value = self.ask(self.again(f"read {place}"), domain)
            self.event(f"read {place} = {value}", frozenset({var}), frozenset(), True)
            return value
        if place not in self.memory:
            self.memory[place] = self.ask(f"start {place}", domain)
        return self.memory[place]

    def _store(self, op: o.Store | o.Fresh, loc: dict[str, int]) -> None:
        var = op.place.var
        place = self._place(op.place, loc)
        value = self.value(op.expr if isinstance(op, o.Store) else op.owner, loc)
        if var in self.c.shared or isinstance(op, o.Fresh):
            self.event(f"{place} = {value}", frozenset(), frozenset({var}), True)
        else:
            self.event(f"{place} = {value}", frozenset(), frozenset({var}), False)
            self.memory[place] = self.written[place] = value

    def _place(self, p: o.Place, loc: dict[str, int]) -> str:
        index = f"[{self.value(p.index, loc)}]" if p.index is not None else ""
        sub = f"[{self.value(p.sub, loc)}]" if p.sub is not None else ""
        return p.var + index + sub

    def _call(self, op: o.Call, loc: dict[str, int]) -> int:
        args = [self.value(a, loc) for a in op.args]
        fn = self.side.functions.get(op.fn)
        plain = f"{op.fn}({', '.join(map(str, args))})"
        if fn is None:
            return self.ask(self.again(f"opaque {op.fn}"), [0, 1])
        if not self.c._is_same(op.fn) or (self.inline and op.fn not in self.c.watched):
            return self._inlined(fn, args, plain)
        reads, writes, public = self._closure(op.fn)
        if not reads and not writes and not public:
            return self.call(fn, args)
        ret = self.ask(self.again(plain), self._returns(fn)) if op.dst else 0
        self.event(plain, reads, writes, public)
        for place in [p for p in self.memory if p.split("[")[0] in writes]:
            self.memory[place] = self.written[place] = hash((plain, place)) & 0xFFFF
        return ret

    def _inlined(self, fn: o.Function, args: list[int], plain: str) -> int:
        """The body run in place; where a property looks at it, its begin and end are told."""
        if fn.name not in self.c.watched:
            return self.call(fn, args)
        none: frozenset[str] = frozenset()
        self.event(plain, none, none, True)
        ret = self.call(fn, args)
        self.event(f"end of {fn.name}", none, none, True)
        return ret

    def _returns(self, fn: o.Function) -> list[int]:
        if fn.ret == ty.VOID:
            return [0]
        lo, hi = ty.bounds(fn.ret, self.z, self.side.machine.program.count_of)
        return list(range(lo, hi + 1)) if hi - lo <= 4 else [-1, 0, 1]

    def _closure(self, name: str) -> tuple[frozenset[str], frozenset[str], bool]:
        """What ``name`` and its callees read and write, and whether others can tell."""
        done = self.side.closure
        if name not in done:
            done[name] = (frozenset(), frozenset(), False)
            reads: set[str] = set()
            writes: set[str] = set()
            public = name in self.c.watched
            looks = self.c.looks(name)
            for f in (self.side.functions[name], *looks):
                for op in (op for b in f.blocks for op in b.ops):
                    if isinstance(op, o.Load):
                        reads.add(op.place.var)
                    elif isinstance(op, o.Store | o.Fresh):
                        writes.add(op.place.var)
                    elif isinstance(op, o.Ctl | o.Assume | o.Choose | o.Check):
                        public |= getattr(op, "prop", "") != PINNED
                    elif isinstance(op, o.Call) and op.fn in self.side.functions:
                        r, w, p = self._closure(op.fn)
                        reads |= r
                        writes |= w
                        public |= p
            public |= bool((reads | writes) & self.c.shared)
            done[name] = (frozenset(reads), frozenset(writes), public)
        return done[name]

    def value(self, e: o.Expr, loc: dict[str, int]) -> int:
        if isinstance(e, o.Const):
            return e.value
        if isinstance(e, o.Sym):
            return self.side.machine.program.decls.consts[e.name]
        if isinstance(e, o.Local):
            return loc.get(e.name, 0)
        if isinstance(e, o.Leaf):
            if e.name == "this_cpu":
                return self.ask("this_cpu", list(range(self.z.cpu)))
            return 1 if e.name == "current" else 0
        if isinstance(e, o.Un):
            return unary(e.op, self.value(e.a, loc))
        return binary(e.op, self.value(e.a, loc), self.value(e.b, loc))
