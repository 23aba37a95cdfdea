"""A path of actions as a story: who did what on which CPU, where in the source, what changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..base.errors import InternalError
from ..ir import ops as o
from ..ir import types as ty
from ..machine.forget import base_of
from ..machine.model import Machine
from ..machine.nodes import DRAIN
from ..machine.tso import KIND, OLD, is_buffer, slot_of
from ..run.interp import Action, Fault, Interpreter, State

PAGES = ("vmcb",)
"""Structs told by their own name: a page may be handed on, so its number is no vCPU's."""


@dataclass(frozen=True, slots=True)
class Change:
    """One variable that a step changed: ``name`` from ``before`` to ``after``, as text."""

    name: str
    before: str
    after: str
    ghost: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A property that does not hold here, and what it read: (variable, value) as text."""

    property: str
    read: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step as told: ``context`` is ``T0`` or ``irq``; ``functions`` outermost first.

    :param findings: what it violates; of the last step, also what the state after it violates
    :param runs: every function that it runs a part of
    """

    cpu: int
    context: str
    function: str
    functions: tuple[str, ...]
    source: str
    choices: tuple[str, ...]
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...] = ()
    runs: frozenset[str] = frozenset()

    @property
    def violates(self) -> tuple[str, ...]:
        """The names of the properties in ``findings``."""
        return tuple(f.property for f in self.findings)


PLAIN = ("kvm_vcpu", "task_struct", "kvm")
"""Structs whose fields go by their own names."""


def show_value(t: ty.Type, value: int, users: int) -> str:
    """``value`` of type ``t`` as a maintainer would write it."""
    if isinstance(t, ty.Ptr):
        if value == 0:
            return "NULL"
        if t.struct in PAGES:
            return f"{t.struct}{value - 1}"
        return task_name(value - 1, users) if t.struct == "task_struct" else f"v{value - 1}"
    if isinstance(t, ty.CpuId):
        return f"c{value}" if value >= 0 else "-1"
    if isinstance(t, ty.Token):
        if value == 0:
            return "none"
        owner = (value - 1) // 2
        name = task_name(owner, users) if t.domain == "task" else f"v{owner}"
        return name + ("" if value % 2 else "(old)")
    return str(value)


def task_name(i: int, users: int) -> str:
    """``T0`` for a thread, ``idle0`` for the idle task of CPU 0."""
    return f"T{i}" if i < users else f"idle{i - users}"


def variable_name(m: Machine, var: str, i: int) -> str:
    """How element ``i`` of ``var`` is written: ``v0.preempted``, ``kvm_running_vcpu[c0]``."""
    v = m.values.vars[var]
    inst, sub = divmod(i, v.length)
    users = len(m.program.scenario.tasks)
    tail = f"[{sub}]" if v.length > 1 else ""
    struct, dot, field = var.partition(".")
    if dot and struct in PAGES:
        return f"{struct}{inst}.{field}{tail}"
    field = _told_field(m, struct, field) if dot else field
    if v.domain == "cpu":
        return f"{var.removeprefix('kvm_') if dot else var}[c{inst}]{tail}"
    if v.domain == "vcpu":
        return f"v{inst}.{field}{tail}"
    if v.domain == "task":
        return f"{task_name(inst, users)}.{field.strip('_')}{tail}"
    return (field if dot else var) + tail


def _told_field(m: Machine, struct: str, field: str) -> str:
    """``field``; after its struct, by the name that it is embedded by, where another has a field of
    that name.
    """
    parent = m.program.decls.find_parent(struct)
    alike = [v for v in m.values.vars if v.endswith(f".{field}") and m.var_at.get(v) is not None]
    if parent is not None:
        return f"{parent[1]}.{field}" if len(alike) > 1 else field
    domain = m.values.vars[f"{struct}.{field}"].domain
    among = sum(m.values.vars[v].domain == domain for v in alike)
    return field if among < 2 or struct in PLAIN else f"{struct}.{field}"


def value_text(m: Machine, var: str, value: int) -> str:
    """``value`` of variable ``var`` as text: an enumerator by its name."""
    struct, dot, name = var.partition(".")
    decls = m.program.decls
    decl = decls.find_field(struct, name) if dot else decls.globals.get(struct)
    names = decls.enums.get(decl.enum, {}) if decl else {}
    users = len(m.program.scenario.tasks)
    return names.get(value) or show_value(m.values.vars[var].type, value, users)


def changes_between(m: Machine, a: State, b: State) -> tuple[Change, ...]:
    """The variables that differ, in slot order."""
    out = []
    for name, at in m.var_at.items():
        if base_of(name) != name or is_buffer(name):
            continue
        v = m.values.vars[name]
        for i in range(v.count * v.length):
            if a[at + i] != b[at + i]:
                before, after = (value_text(m, name, s[at + i]) for s in (a, b))
                out.append(Change(variable_name(m, name, i), before, after, v.ghost))
    return (*out, *_late_between(m, a, b, {c.name for c in out}))


def _late_between(m: Machine, a: State, b: State, told: set[str]) -> list[Change]:
    """The stores that have gone to a buffer, and those that became visible to no effect."""
    out = []
    for cpu in range(m.cpus if m.buffers is not None and m.buffers.slots else 0):
        was, now = (_waiting(m, s, cpu) for s in (a, b))
        for name, before, after in now[len(was) :]:
            out.append(Change(f"{name} (waits in c{cpu}'s buffer)", before, after))
        if len(now) < len(was):
            gone = next((i for i, x in enumerate(now) if x[0::2] != was[i][0::2]), len(now))
            name, before, after = was[gone]
            if name not in told:
                out.append(Change(name, before, after))
    return out


def _waiting(m: Machine, s: State, cpu: int) -> list[tuple[str, str, str]]:
    """The stores in a CPU's buffer: the place, what memory has, what is stored."""
    out = []
    assert m.buffers is not None
    lines = {line.code: (name, line) for name, line in m.buffers.lines.items()}

    def at(array: str, slot: int) -> int:
        i = cpu * m.buffers.slots + slot  # type: ignore[union-attr]
        return s[m.var_at[array] + i] if array in m.var_at else m.constants[array][i]

    for j in range(m.buffers.slots):
        if not (code := at(KIND, j)):
            break
        name, line = lines[code]
        index = at(line.index, j) - int(line.var.by == "ptr") if line.index else 0
        i = index * line.var.length + (at(line.sub, j) if line.sub else 0)
        value = value_text(m, name, at(line.value, j))
        before = value_text(m, name, s[m.var_at[name] + i]) if name in m.var_at else value
        out.append((variable_name(m, name, i), before, value))
    return out


def is_early(m: Machine, i: int) -> bool:
    """Whether node ``i`` loads what another CPU has overwritten."""
    op = m.graph.nodes[i].op
    return isinstance(op, o.Load) and op.place.var.startswith(OLD) and i in m.buffers.was  # type: ignore[union-attr]


class Teller:
    """Replays actions on the interpreter and tells them."""

    def __init__(self, m: Machine) -> None:
        self.m, self.interp = m, Interpreter(m)

    def follow(self, path: Sequence[Action]) -> list[StoryStep]:
        """Tell ``path`` from the initial state; raises InternalError LP0901 where there is none."""
        out = []
        s: State = self.m.initial
        for k, action in enumerate(path):
            step = next((x for x in self.interp.steps(s) if x.action == action), None)
            if step is None:
                raise InternalError("LP0901", f"step {k + 1} of a path does not exist: {action}")
            out.append(self.tell(s, action, step.state, step.nodes, step.violated))
            if step.state is None:
                break
            s = step.state
        return out

    def follow_to(self, path: Sequence[Action], prop: str) -> list[StoryStep]:
        """Tell ``path``, whose last step, or the state after it, violates ``prop``."""
        out = self.follow(path)
        if out and prop not in out[-1].violates:
            found = self._in_state(self.state_after(path), prop)
            out[-1] = replace(out[-1], findings=(*out[-1].findings, found))
        return out

    def state_after(self, path: Sequence[Action]) -> State:
        """The state that ``path`` leads to."""
        s: State = self.m.initial
        for action in path:
            step = next(x for x in self.interp.steps(s) if x.action == action)
            s = step.state or s
        return s

    def tell(
        self, s: State, action: Action, after: State | None, nodes: Sequence[int], bad: int
    ) -> StoryStep:
        """One step as a StoryStep."""
        m = self.m
        main = self._main_node(nodes)
        stack = self._told_stack(main)
        choices = []
        for i in nodes:
            op = m.graph.nodes[i].op
            if isinstance(op, o.Choose) and op.why:
                choices.append(op.why)
        users = len(m.program.scenario.tasks)
        who = task_name(action.task, users) if action.kind != "irq" else "irq"
        if action.kind == DRAIN:
            passes = slot_of(action.start) > 0
            told = "store passes earlier ones" if passes else "store becomes visible"
            who, stack = "buffer:", (told,)
        changed = changes_between(m, s, after) if after is not None else ()
        violates = [n for k, n in enumerate(m.props) if bad >> k & 1]
        findings: list[Finding] = []
        if violates:
            stack = self._looked_from(nodes, set(violates)) or stack
            loc = self.interp.locals(s, action, nodes[0])
            for name in violates:
                read = self._read_by(name, list(s), dict(loc), nodes, action)
                findings.append(Finding(name, read))
        return StoryStep(
            action.cpu,
            who,
            stack[-1],
            stack,
            str(m.graph.nodes[main].op.span),
            tuple(choices),
            (*self._overwritten(s, action, nodes), *changed),
            tuple(findings),
            frozenset(f for i in nodes for f in m.graph.nodes[i].stack),
        )

    def _overwritten(self, s: State, action: Action, nodes: Sequence[int]) -> list[Change]:
        """The loads of a step that find what another CPU has overwritten: what is there, and what
        they find.
        """
        m, out = self.m, []
        if m.buffers is None or not any(is_early(m, i) for i in nodes):
            return []
        for i, st, loc in self.interp.along(s, action, nodes):
            if not is_early(m, i):
                continue
            found, there = (
                (p.var, self.interp.element(p, st, loc, action.cpu, action.task + 1))
                for p in (m.graph.nodes[i].op.place, m.buffers.was[i].place)  # type: ignore[union-attr]
            )
            now, old = (value_text(m, there[0], st[m.var_at[v] + k]) for v, k in (there, found))
            name = f"{variable_name(m, *there)} (c{action.cpu} finds what was there)"
            out.append(Change(name, now, old))
        return out

    def _in_state(self, s: State, prop: str) -> Finding:
        """What a property of states finds in ``s``."""
        for nodes, choices in self.interp.condition(s, prop):
            asked = Action(0, -1, "", "", choices)
            if read := self._read_by(prop, list(s), {}, nodes, asked):
                return Finding(prop, read)
        return Finding(prop, ())

    def _read_by(
        self, prop: str, st: list[int], loc: dict[str, int], nodes: Sequence[int], action: Action
    ) -> tuple[tuple[str, str], ...]:
        """What ``prop`` read on the way through ``nodes`` until it failed, constants aside."""
        m, choices = self.m, iter(action.choices)
        hook = prop.replace("-", "_")
        cpu, cur = action.cpu, action.task + 1
        read: dict[str, str] = {}
        for i in nodes:
            node = m.graph.nodes[i]
            op, run = node.op, self.interp.ops[i]
            if isinstance(op, o.Choose):
                loc[op.dst] = next(choices)
            elif isinstance(op, o.Check) and op.prop == prop:
                if not self.interp.value(op.cond, st, loc, cpu, cur):
                    break
                read.clear()
            elif isinstance(op, o.Load | o.Store | o.Fresh | o.Assign) and run is not None:
                try:
                    run(st, loc, cpu, cur)
                    if isinstance(op, o.Load) and hook in node.stack:
                        var, k = op.place.var, self.interp.element(op.place, st, loc, cpu, cur)
                        told = base_of(var) == var and not is_buffer(var)
                        if var in m.var_at and told:
                            read[variable_name(m, var, k)] = value_text(m, var, loc[op.dst])
                except Fault:
                    break
        return tuple(read.items())

    def _looked_from(self, nodes: Sequence[int], names: set[str]) -> tuple[str, ...]:
        """The functions in which the first of the violated properties looks."""
        for i in nodes:
            op = self.m.graph.nodes[i].op
            if isinstance(op, o.Check) and op.prop in names:
                return self._told_stack(i)
        return ()

    def _told_stack(self, node: int) -> tuple[str, ...]:
        hooks = {h.name for hs in self.m.program.hooks.values() for h in hs}
        stack = self.m.graph.nodes[node].stack
        return tuple(f for f in stack if f not in hooks) or stack

    def _main_node(self, nodes: Sequence[int]) -> int:
        m = self.m
        for i in nodes:
            if m.fused.cls[i] == 2 and isinstance(m.graph.nodes[i].op, o.Store | o.Load | o.Fresh):
                return i
            if isinstance(m.graph.nodes[i].op, o.Atomic) and m.fused.cls[i] == 2:
                return i
        return nodes[0]
