"""What becomes of a mutant: which property notices, or that none has anything to notice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from loadput.base.errors import LoadputError
from loadput.check.museum import entries
from loadput.check.races import find_races
from loadput.ir import ops as o
from loadput.ir.calls import callees, reach
from loadput.ir.text import render_function
from loadput.link.hooks import Property
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import Scenario, load_scenario, make_scenario
from loadput.machine import model
from loadput.machine.calls import Ctx
from loadput.machine.flatten import Flattener
from loadput.machine.fuse import fuse
from loadput.machine.model import Machine
from loadput.machine.values import Analysis
from loadput.machine.weave import weave
from loadput.run.exploration import Limits
from loadput.run.explore import explore
from loadput.run.reduce import NOTHING, USUAL

from . import same
from .damage import Mutant
from .joint import Joint, join
from .search import search

VERSION = 4
"""Counted up where what is kept of a mutant means something else."""
LAST = "default"
WHATEVER_IS_ASKED = ("unreached", "order", "broken")
"""States that no property has a part in; nor in *equivalent*, by memory."""
BOUND, LAST_BOUND = 1_000_000, 1_000_000
"""States of a mutant after which a search ends at the end of its depth; on the last scenario."""
# Scenarios of ours beside the shipped ones: few states, so that behaviours can be compared there.
MIGRATES = {
    "title": "2 CPUs, 1 vCPU thread that migrates, and interrupts; voluntary preemption",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "irq"]}],
    "set": {"preempt_model": 1},
}
QUIET = {
    "title": "1 CPU, 1 vCPU thread that halts and is interrupted, no timer; voluntary preemption",
    "cpus": 1,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]}],
    "set": {"preempt_model": 1, "timer_irqs": 0},
}
ASKS = {
    "title": "1 CPU, 1 vCPU thread with other ioctls, no timer; full preemption",
    "cpus": 1,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "ioctl"]}],
    "set": {"preempt_model": 2, "timer_irqs": 0},
}
WAITS = {
    "title": "2 CPUs, a vCPU with two threads: one in KVM_RUN, whose guest halts, one asks",
    "cpus": 2,
    "vms": [0],
    "task": [
        {"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]},
        {"runs": "vcpu_thread", "vcpu": 0, "does": ["ioctl"]},
    ],
}
TURNS = {
    "title": "1 CPU, 2 vCPU threads: one halts and is interrupted, one spins; voluntary preemption",
    "cpus": 1,
    "vms": [0, 0],
    "task": [
        {"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "halt", "irq"]},
        {"runs": "vcpu_thread", "vcpu": 1, "does": ["run", "spin", "steal"]},
    ],
    "set": {"preempt_model": 1},
}
THREADS = {
    "title": "1 CPU, a vCPU with two threads that ask, no timer; full preemption",
    "cpus": 1,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["ioctl"]}] * 2,
    "set": {"preempt_model": 2, "timer_irqs": 0},
}
SPINS = {
    "title": "1 CPU, 2 vCPU threads, one of which spins, no timer; voluntary preemption",
    "cpus": 1,
    "vms": [0, 0],
    "task": [
        {"runs": "vcpu_thread", "vcpu": 0, "does": ["run", "spin"]},
        {"runs": "vcpu_thread", "vcpu": 1, "does": ["run"]},
    ],
    "set": {"preempt_model": 1, "timer_irqs": 0},
}
SLEEPS = {
    "title": "2 CPUs that sleep in turn, 1 vCPU thread, no timer; voluntary preemption",
    "cpus": 2,
    "vms": [0],
    "task": [{"runs": "vcpu_thread", "vcpu": 0, "does": ["run"]}],
    "set": {"preempt_model": 1, "timer_irqs": 0, "cpu_hotplug": 1},
}


@dataclass(slots=True)
class Result:
    """What is kept of a mutant.

    :param state: one of ``report.STATES``
    :param by: the property with the shortest counterexample; ``also`` the others
    :param scenario: where it was caught, or the scenarios on which it was shown to be equivalent
    :param way: how its behaviour was found to be the same: "memory" or "reading"
    :param race: of a damage to the order of memory: whether the report on races has a new one
    """

    name: str
    kind: str
    what: str
    place: str
    state: str
    by: str = ""
    also: list[str] = field(default_factory=list)
    scenario: str = ""
    way: str = ""
    depth: int = 0
    race: bool = False
    why: str = ""


@dataclass
class Ground:
    """The undamaged program on one scenario.

    :param blocks: the blocks of its functions that some step enters: (function, label)
    :param whole: every state was seen; on the last scenario a bound ends the search
    :param violated: what the program violates there by itself, which catches no mutant
    """

    name: str
    program: Program
    machine: Machine
    blocks: set[tuple[str, str]]
    states: int
    whole: bool
    violated: frozenset[str]


class _Reach(Flattener):
    """Notes which blocks lead to each node."""

    def __init__(self, program: Program) -> None:
        super().__init__(program, weave(program))
        self.blocks_to: dict[int, set[tuple[str, str]]] = {}

    def _goto(self, c: Ctx) -> int:
        passed = set()
        for _ in range(20_000):
            passed.add((c.inst.fn.name, c.label))
            nxt = self._advance(c)
            if isinstance(nxt, int):
                self.blocks_to.setdefault(nxt, set()).update(passed)
                return nxt
            c = nxt
        return super()._goto(c)


def make_ground(name: str, program: Program) -> Ground:
    """Explore the undamaged program."""
    reach = _Reach(program)
    graph = reach.run()
    analysis = Analysis(program, graph)
    values = analysis.run()
    machine = model._layout(program, graph, values, fuse(graph, analysis))
    found = explore(machine, limits=Limits(threads=1, max_states=LAST_BOUND), reduce=USUAL)
    blocks = set().union(*(reach.blocks_to.get(n, set()) for n in found.nodes))
    violated = frozenset(found.first)
    return Ground(name, program, machine, blocks, found.states, found.finished, violated)


def make_small(arch: str, name: str, s: Scenario) -> Ground | None:
    """The same on one CPU, with no tick and voluntary preemption; None where nothing is left."""
    few = {"timer_irqs": 0, "device_irq_cpus": 1, "preempt_model": 1}
    tasks = tuple(replace(t, cpus=(0,)) for t in s.tasks)
    constants = tuple((dict(s.constants) | few).items())
    try:
        small = replace(s, cpus=1, tasks=tasks, constants=constants)
        ground = make_ground(f"{name}-small", link(Choice(arch, reduce=False), small))
    except LoadputError:
        return None
    return ground if 1 < ground.states <= same.MOST else None


def scenarios_of(arch: str) -> list[tuple[str, Scenario]]:
    """Where mutants of ``arch`` run, the smallest first, with the museum's for it."""
    mine = [e for e in entries().values() if e.arch == arch]
    own = {_short(e.scenario): e.scenario for e in sorted(mine, key=lambda e: e.scenario)}
    small = {"one": "one", "shared": "shared"} | {n: s for n, s in own.items() if n != LAST}
    first = {"quiet": QUIET, "asks": ASKS, "threads": THREADS, "spins": SPINS, "sleeps": SLEEPS}
    out = [(n, make_scenario(n, raw)) for n, raw in first.items()]
    out += [(n, load_scenario(s)) for n, s in small.items()]
    more = {"migrates": MIGRATES, "turns": TURNS}
    out += [(n, make_scenario(n, raw)) for n, raw in more.items()]
    return [*out, (LAST, load_scenario(LAST)), ("waits", make_scenario("waits", WAITS))]


def _short(scenario: str) -> str:
    """The name of a scenario; of an entry's own file, the entry's, wherever it lies."""
    return scenario if not scenario.endswith(".toml") else Path(scenario).parent.name


class Field:
    """One architecture's program on its scenarios; decides mutants."""

    def __init__(self, arch: str) -> None:
        self.arch = arch
        # Without forgetting, so that nothing but a property can notice.
        self.grounds = []
        for n, s in scenarios_of(arch):
            ground = make_ground(n, link(Choice(arch, reduce=False), s))
            small = ground.states > same.MOST and make_small(arch, n, s)
            self.grounds += [small, ground] if small else [ground]
        made = [(g.name, g.program) for g in self.grounds]
        self.texts = {
            n: _digest(n, replace(p.scenario, name=n), sorted(p.decls.consts.items()), *_lines(p))
            for n, p in made
        }
        every = [(p, q) for _, p in made for q in p.properties if not q.applies]
        self.asked = {q.name: _digest(*_asked(p, q)) for p, q in every}
        self.read = set().union(*(g.machine.values.needed_vars for g in self.grounds))

    @property
    def program(self) -> Program:
        return self.grounds[0].program

    def key(self, m: Mutant, r: Result) -> str:
        """A digest of all that ``r`` rests on: where it is the same, ``r`` is still the result.

        That is the mutated program on every scenario, with all that is asked; of one that is
        caught, where it is, with the property that notices.
        """
        texts, asked = sorted(self.texts.items()), sorted(self.asked.items())
        if r.state == "caught":
            texts = [(r.scenario, self.texts.get(r.scenario, ""))]
            asked = [(r.by, self.asked.get(r.by, ""))]
        elif r.state in WHATEVER_IS_ASKED or r.way == "memory":
            asked = []
        body = render_function(m.new, spans=False)
        return _digest(VERSION, texts, asked, m.name, body)

    def decide(self, mutants: Sequence[Mutant]) -> list[Result]:
        """Run each where its damage is reached, until a property notices."""
        cases = [Case(m, Result(m.name, m.kind, m.what, m.place, "unreached")) for m in mutants]
        for c in cases:
            if c.mutant.kind == "order":
                c.out.state, c.out.race = "order", self._races(c.mutant)
            elif c.mutant.kind == "store" and not self._is_read(c.mutant):
                c.out.state = "unread"
        for g in self.grounds:
            here = [c for c in cases if c.out.state in ("unreached", "hole") and c.reaches(g)]
            for c in here:
                c.out.state = "hole"
            self._on(g, here)
        undamaged = Undamaged()
        for c in cases:
            if c.out.state == "hole":
                c.compare(undamaged)
            if c.out.state == "hole" and c.lost:
                unasked = [n for x in c.lost if (n := x.replace("_", "-")) in self.asked]
                c.out.state = "unasked" if unasked else "lost"
                c.out.by, *c.out.also = unasked or c.lost[:1]
        return [c.out for c in cases]

    def _is_read(self, m: Mutant) -> bool:
        """Whether a branch or a property depends on what the dropped store writes."""
        e = m.edits[0]
        op = next(b for b in m.fn.blocks if b.label == e.label).ops[e.i]
        return isinstance(op, o.Store | o.Fresh) and op.place.var in self.read

    def _on(self, g: Ground, cases: list[Case]) -> None:
        """Decide ``cases`` on one scenario in one machine; those that cannot be built, alone."""
        if not cases:
            return
        try:
            joint = Joint(join(g.program, [c.mutant for c in cases]), len(cases))
            numbered = dict(enumerate(cases, 1))
            self._search(g, joint, {k: c for k, c in numbered.items() if c.out.state == "hole"})
        except LoadputError as e:
            if len(cases) == 1:
                cases[0].out.state, cases[0].out.why = "broken", f"{e.code}: {e.what}"
                return
            half = len(cases) // 2
            self._on(g, [c for c in cases[:half] if c.out.state == "hole"])
            self._on(g, [c for c in cases[half:] if c.out.state == "hole"])

    def _search(self, g: Ground, joint: Joint, cases: dict[int, Case]) -> None:
        if not cases:
            return
        small = g.states <= same.MOST
        machine = joint.machine()
        numbers = [0, *cases]
        most, first = (BOUND, False) if small else (LAST_BOUND, not g.violated)
        reduce = NOTHING if small else USUAL
        found = dict(search(machine, numbers, reduce=reduce, most=most, first=first))
        for k, c in cases.items():
            c.note(g, {p: n for p, n in found[k].violated.items() if p not in g.violated})
            if c.out.state == "hole" and small:
                c.seen.append((g.name, machine, k, found[k].memory == found[0].memory))
            if c.out.state == "hole" and found[0].whole and found[k].whole and not c.lost:
                c.lost = _lost(found[0].taken, found[k].taken)

    def _races(self, m: Mutant) -> bool:
        """Whether the report on races has one that the undamaged program does not have."""
        g = next(g for g in self.grounds if g.name == LAST)
        e = m.edits[0]
        old = next(b for b in m.fn.blocks if b.label == e.label).ops[e.i]
        if not isinstance(old, o.Load | o.Store):
            return False
        before = {r.key for r in find_races(g.machine)}
        hit = [
            n
            for n in g.machine.graph.nodes
            if isinstance(n.op, o.Load | o.Store)
            and n.op.span == old.span
            and n.op.place.var == old.place.var
        ]
        for n in hit:
            n.op = replace(n.op, mark="plain")  # type: ignore[arg-type]
        after = {r.key for r in find_races(g.machine)}
        for n in hit:
            n.op = replace(n.op, mark=old.mark)  # type: ignore[arg-type]
        return bool(after - before)


@dataclass
class Case:
    """A mutant on its way.

    :param seen: where it was compared, and whether its memory is the same
    :param lost: functions, or sides of branches, that the undamaged program takes there and this
        one does not
    """

    mutant: Mutant
    out: Result
    seen: list[tuple[str, Machine, int, bool]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def reaches(self, g: Ground) -> bool:
        """Whether some run of the undamaged program comes to the damaged place."""
        return any((self.mutant.fn.name, e.label) in g.blocks for e in self.mutant.edits)

    def note(self, g: Ground, violated: dict[str, int]) -> None:
        """Caught, where a property is violated."""
        if violated:
            out = self.out
            out.by = min(violated, key=lambda p: (violated[p], p))
            out.state, out.scenario, out.depth = "caught", g.name, violated[out.by]
            out.also = sorted(set(violated) - {out.by})

    def compare(self, undamaged: Undamaged) -> None:
        """Equivalent, where its behaviour is the same on every scenario that is small enough."""
        for name, machine, k, same_memory in self.seen:
            if same_memory and (
                _has_the_same_steps(machine, k, undamaged)
                or _does_the_same(machine, k, False, undamaged)
            ):
                self.out.way = self.out.way or "memory"
            elif _does_the_same(machine, k, True, undamaged):
                self.out.way = "reading"
            else:
                self.out.scenario, self.out.way = name, ""
                return
        if self.seen:
            self.out.state = "equivalent"
            self.out.scenario = " ".join(name for name, *_ in self.seen)


@dataclass
class Undamaged:
    """The program in each machine that it was explored in, by the machine's ``id``.

    :param does: its behaviour in each way to tell it
    :param steps: its steps that come to each mutant's damage
    """

    does: dict[tuple[int, bool], same.Behaviour | None] = field(default_factory=dict)
    steps: dict[int, same.Own] = field(default_factory=dict)


def _has_the_same_steps(m: Machine, number: int, undamaged: Undamaged) -> bool:
    if id(m) not in undamaged.steps:
        undamaged.steps[id(m)] = same.Own(m, 2 * same.MOST)
    return undamaged.steps[id(m)].are_all_of(number)


def _does_the_same(m: Machine, number: int, by_reading: bool, undamaged: Undamaged) -> bool:
    key = id(m), by_reading
    if key not in undamaged.does:
        undamaged.does[key] = same.explore_all(m, 0, 2 * same.MOST, by_reading=by_reading)
    a = undamaged.does[key]
    b = same.explore_all(m, number, 2 * same.MOST, by_reading=by_reading)
    return a is not None and b is not None and same.is_equivalent(a, b)


def _lost(whole: Taken, left: Taken) -> list[str]:
    """What of the program is not run any more: functions, or properties a side of whose tests is
    not taken; else where a side of a branch is not.
    """
    gone = whole - left
    places = sorted({side.split()[0] for _, side in gone if side})
    return sorted({fn for fn, side in gone if not side or fn.isupper()}) or places


Taken = frozenset[tuple[str, str]]


def _digest(*what: object) -> str:
    h = hashlib.sha256()
    for x in what:
        h.update(f"{x}\n".encode())
    return h.hexdigest()[:24]


def _asked(p: Program, q: Property) -> Iterator[object]:
    """All that property ``q`` asks, with the functions that it calls."""
    yield from (q.name, q.kind)
    yield [at for at in q.points if at.partition(":")[2] in p.functions]
    if q.fn is not None:
        yield render_function(replace(q.fn, attrs=()), spans=False)
        called = reach(p.functions, callees(q.fn))
        yield from (render_function(p.functions[n], spans=False) for n in sorted(called))


def _lines(p: Program) -> Iterator[str]:
    """Everything of a program that a verdict rests on, but for what its properties ask."""
    asked = {q.fn.name for q in p.properties if q.fn is not None}
    notes = {n for fns in p.hooks.values() for f in fns if f.name not in asked for n in callees(f)}
    runs = {n for n, f in p.functions.items() if {"task", "idle", "irq", "preempt"} & set(f.attrs)}
    lines = [
        render_function(p.functions[n], spans=False)
        for n in sorted(reach(p.functions, runs | notes))
    ]
    for at, fns in sorted(p.hooks.items()):
        kept = [render_function(f, spans=False) for f in fns if f.name not in asked]
        lines += [f"{at} {kept}"] * bool(kept)
    yield from lines
    told = [render_function(q.fn) for q in p.properties if q.fn is not None and not q.applies]
    said = {w for line in (*lines, *told) for w in re.findall(r"\w+", line)}
    for s in sorted(p.decls.structs.values(), key=lambda s: s.name):
        fields = [(f.name, f.type, f.init) for f in s.fields.values() if f.name in said]
        yield f"{s.name} {s.per} {fields}"
    for v in sorted(p.decls.globals.values(), key=lambda v: v.name):
        if v.name in said:
            yield f"{v.name} {v.type} {v.percpu} {v.init}"
