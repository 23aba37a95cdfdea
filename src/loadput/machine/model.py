"""The machine: what a state consists of, and where each step may begin and end."""

from __future__ import annotations

from dataclasses import dataclass

from ..base.clock import look
from ..base.errors import LayoutError
from ..ir import ops as o
from ..link.program import Program
from .flatten import Flattener
from .forget import DEAD_IS_READ, is_shadow
from .fuse import Fused, fuse
from .nodes import FRAMES, PER, Graph
from .tso import FULL_BUFFER, TSO, WEAK, Buffers, barriers_of, buffer_stores
from .values import Analysis, Values, Var, is_kept
from .weak import weaken
from .weave import weave


@dataclass(frozen=True, slots=True)
class Slot:
    """One number of the state: ``lo..hi`` in ``bits`` bits, stored as value - lo."""

    name: str
    lo: int
    hi: int

    @property
    def bits(self) -> int:
        return max(1, (self.hi - self.lo).bit_length())


@dataclass(slots=True)
class Machine:
    """A program ready to be explored.

    A state is a tuple of numbers, one per slot: first the variables (``var_at`` gives the first
    slot of each), then per kind of frame and instance a pc (``pc_at``) and its registers
    (``reg_at``). Variables that never change are in ``constants``.

    :param regs: per control point, which register holds which live local
    :param live: per node, the needed locals that are live before it
    :param props: names of the properties that apply, and DEAD-IS-READ where a @forget hook is
        watched; their index is the bit in a violation mask
    """

    program: Program
    graph: Graph
    values: Values
    fused: Fused
    slots: list[Slot]
    var_at: dict[str, int]
    constants: dict[str, list[int]]
    pc_at: dict[str, int]
    pc_step: dict[str, int]
    reg_at: dict[str, int]
    reg_slots: dict[str, list[Slot]]
    regs: dict[int, list[tuple[str, int]]]
    props: list[str]
    live: dict[int, frozenset[str]]
    initial: tuple[int, ...]
    buffers: Buffers | None = None

    @property
    def cpus(self) -> int:
        return self.program.scenario.cpus

    @property
    def tasks(self) -> int:
        return self.program.scenario.sizes.task

    @property
    def bits(self) -> int:
        """Bits of a packed state, before words are filled up."""
        return sum(s.bits for s in self.slots)

    def node_of(self, kind: str, pc: int) -> int:
        """The node at which frame ``kind`` with that pc (> 0) goes on."""
        return self.fused.control[kind][pc - 1]


def build_machine(program: Program, *, fusing: bool = True, told: bool = False) -> Machine:
    """Return the machine of ``program``.

    :param fusing: False: every access to memory is a step of its own
    :param told: a path through it passes every barrier, also one that this memory has no need of
    Raises LinkError LP041x and LayoutError LP060x.
    """
    buffers, memory = None, program.choice.memory
    kinds = barriers_of(memory, told)
    graph = Flattener(program, weave(program), kinds).run()
    if memory == TSO:
        program, graph, buffers = buffer_stores(program, graph)
    elif memory == WEAK:
        program, graph, buffers = weaken(program, graph)
    analysis = Analysis(program, graph)
    values = analysis.run()
    look()
    fused = fuse(graph, analysis, enabled=fusing)
    m = _layout(program, graph, values, fused, buffers)
    m.buffers = buffers
    return m


def _layout(p: Program, g: Graph, v: Values, f: Fused, buffers: Buffers | None = None) -> Machine:
    slots: list[Slot] = []
    var_at: dict[str, int] = {}
    constants: dict[str, list[int]] = {}
    initial: list[int] = []
    for name in sorted(v.needed_vars & set(v.vars)):
        var = v.vars[name]
        cells = v.cells[name]
        if all(len(c) == 1 for c in cells) and name != "current_task":
            constants[name] = [next(iter(c)) for c in cells]
            continue
        var_at[name] = len(slots)
        slots += [Slot(f"{name}[{i}]", *_range(var, cells)) for i in range(var.count * var.length)]
        initial += var.init
    live = live_locals(g, v)
    regs, reg_slots = _registers(g, v, f, live)
    pc_at, pc_step, reg_at = {}, {}, {}
    sizes = p.scenario.sizes
    for kind in FRAMES:
        n = sizes.count(PER[kind])
        pc_at[kind] = len(slots)
        slots += [Slot(f"{kind}.pc[{i}]", 0, max(1, len(f.control[kind]))) for i in range(n)]
        reg_at[kind] = len(slots)
        for r, s in enumerate(reg_slots[kind]):
            slots += [Slot(f"{kind}.r{r}[{i}]", s.lo, s.hi) for i in range(n)]
        pc_step[kind] = n
    props = [q.name for q in p.properties if not q.applies]
    props += [DEAD_IS_READ] if any(is_shadow(name) for name in v.vars) else []
    props += [FULL_BUFFER] if buffers is not None and buffers.watched else []
    if len(props) > 63:
        raise LayoutError("LP0703", f"{len(props)} properties", expected="at most 63")
    m = Machine(
        p,
        g,
        v,
        f,
        slots,
        var_at,
        constants,
        pc_at,
        pc_step,
        reg_at,
        reg_slots,
        regs,
        props,
        live,
        (),
    )
    initial += [0] * (len(slots) - len(initial))
    for i in range(sizes.task):
        users = len(p.scenario.tasks)
        name = p.scenario.tasks[i].runs if i < users else "idle"
        initial[pc_at["main"] + i] = f.pc_of[g.entries[("main", name)]]
    for kind in FRAMES:
        for r, s in enumerate(reg_slots[kind]):
            for i in range(pc_step[kind]):
                initial[reg_at[kind] + r * pc_step[kind] + i] = max(s.lo, min(0, s.hi))
    m.initial = tuple(initial)
    return m


def _range(var: Var, cells: list[set[int]]) -> tuple[int, int]:
    lo, hi = min(min(c) for c in cells), max(max(c) for c in cells)
    return lo, hi


def live_locals(g: Graph, v: Values) -> dict[int, frozenset[str]]:
    """Per node, the needed locals that are live before it."""
    preds: dict[int, list[int]] = {}
    for n in g.nodes:
        for m in n.next:
            preds.setdefault(m, []).append(n.id)
    own = [(uses(n.op, v), {getattr(n.op, "dst", "")}) for n in g.nodes]
    live: dict[int, frozenset[str]] = dict.fromkeys(range(len(g.nodes)), frozenset())
    todo = [n.id for n in g.nodes]
    queued = set(todo)
    while todo:
        i = todo.pop()
        queued.discard(i)
        read, written = own[i]
        new = frozenset().union(*(live[m] for m in g.nodes[i].next)) - written | read
        if new != live[i]:
            live[i] = new
            for q in preds.get(i, ()):
                if q not in queued:
                    queued.add(q)
                    todo.append(q)
    return live


def uses(op: object, v: Values) -> set[str]:
    """The locals that ``op`` reads, where it is kept at all."""
    if not is_kept(op, v):
        return set()
    if isinstance(
        op, o.Assign | o.Load | o.Store | o.Fresh | o.Choose | o.Assume | o.Check | o.Branch
    ):
        return {x.name for e in o.exprs_of(op) for x in o.walk(e) if isinstance(x, o.Local)}
    return set()


def _registers(
    g: Graph, v: Values, f: Fused, live: dict[int, frozenset[str]]
) -> tuple[dict[int, list[tuple[str, int]]], dict[str, list[Slot]]]:
    """Give each local that is live at some control point a register of its kind of frame."""
    span: dict[str, tuple[int, int]] = {}
    for (_, name), vals in v.locals.items():
        if vals:
            lo, hi = span.get(name, (min(vals), max(vals)))
            span[name] = (min(lo, min(vals)), max(hi, max(vals)))
    regs: dict[int, list[tuple[str, int]]] = {}
    slots: dict[str, list[Slot]] = {}
    for kind in FRAMES:
        points = f.control[kind]
        clash: dict[str, set[str]] = {}
        for i in points:
            for a in live[i]:
                clash.setdefault(a, set()).update(live[i] - {a})
        for a in clash:
            span.setdefault(a, (0, 0))
        order = sorted(clash, key=lambda a: (span[a][0] - span[a][1], a)) if clash else []
        bank: list[tuple[list[str], int, int]] = []
        where: dict[str, int] = {}
        for a in order:
            for r, (held, lo, hi) in enumerate(bank):
                if not clash[a] & set(held):
                    held.append(a)
                    bank[r] = (held, min(lo, span[a][0]), max(hi, span[a][1]))
                    where[a] = r
                    break
            else:
                where[a] = len(bank)
                bank.append(([a], *span[a]))
        slots[kind] = [Slot(f"r{r}", min(0, lo), max(0, hi)) for r, (_, lo, hi) in enumerate(bank)]
        for i in points:
            regs[i] = sorted((a, where[a]) for a in live[i])
    return regs, slots
