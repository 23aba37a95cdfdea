"""What the page shows of a state, as plain dicts: made here for the server and for a file alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from ..check.story import PAGES, task_name, value_text, variable_name
from ..ir import ops as o
from ..ir import types as ty
from ..link.hooks import Property
from ..link.overlay import source_line
from ..machine.forget import is_shadow
from ..machine.nodes import FRAMES
from ..report.text import INTERNAL
from ..run.interp import State
from .reads import Asked
from .schedule import program_key
from .space import Frame, Move, Space
from .truth import Oracle
from .why import Blocked, blocked

JSON = dict[str, Any]


class Viewer:
    """Turns states of one program into views, and tells once what all of them share."""

    def __init__(self, space: Space) -> None:
        self.space, self.m = space, space.m
        self.oracle = Oracle(space)
        self.props = [p for p in self.m.program.properties if not p.applies]
        self.prop_at = {p.name: i for i, p in enumerate(self.props)}
        self._views: dict[State, JSON] = {}

    # what every view shares

    def meta(self) -> JSON:
        """Names, groups and sources: what the views refer to by number or name."""
        p = self.m.program
        s = p.scenario
        return {
            "key": program_key(self.m),
            "program": p.choice.title,
            "scenario": f"{s.name}: {s.title}" if s.title else s.name,
            "cpus": self.m.cpus,
            "tasks": [task_name(i, self.space.users) for i in range(self.m.tasks)],
            "vars": [self._variable(var, i) for var, i, _ in self.cells],
            "props": [self._property(q) for q in self.props],
            "functions": self.sources(),
            "calls": sorted({f for n in self._nodes for f in n.stack if f in p.functions}),
            "initial": [self.text(self.space.initial, k) for k in range(len(self.cells))],
        }

    @cached_property
    def _nodes(self) -> list[Any]:
        return [n for n in self.m.graph.nodes if n.kind in FRAMES]

    @cached_property
    def cells(self) -> list[tuple[str, int, int]]:
        """The variables that are shown, element by element: name, element, slot."""
        m = self.m
        return [
            (var, i, at + i)
            for var, at in m.var_at.items()
            if not is_shadow(var)
            for i in range(m.values.vars[var].count * m.values.vars[var].length)
        ]

    @cached_property
    def cell_named(self) -> dict[str, int]:
        return {variable_name(self.m, var, i): k for k, (var, i, _) in enumerate(self.cells)}

    def _variable(self, var: str, i: int) -> JSON:
        m, v = self.m, self.m.values.vars[var]
        name = variable_name(m, var, i)
        struct, dot, field = var.partition(".")
        decl = (
            m.program.decls.find_field(struct, field)
            if dot
            else m.program.decls.globals.get(struct)
        )
        kind = "own"
        if isinstance(v.type, ty.Token):
            kind = "register" if decl is not None and decl.is_register else "copy"
        elif v.ghost:
            kind = "ghost"
        elif any(word in name for word in INTERNAL):
            kind = "inner"
        inst = i // v.length
        group = {
            "cpu": f"CPU {inst}",
            "vcpu": f"vCPU {inst}",
            "task": task_name(inst, self.space.users),
            "vm": f"VM {inst}",
        }.get(v.domain, "everywhere")
        if struct in PAGES:
            group = f"{struct}{inst}"
        told = str(decl.span.file) if decl is not None else ""
        return {"name": name, "group": group, "kind": kind, "file": told}

    def _property(self, p: Property) -> JSON:
        kinds = {
            "stuck": "in states in which nothing can move but the environment",
            "always": "in every state",
            "builtin": "at every operation",
        }
        asks = {f.partition(":")[2] for f in p.points}
        here = sorted(asks & set(self.m.program.functions))
        where = [q.replace("at_", "at ").replace(":", " of ") for q in p.points]
        where = [w for w in where if w.rpartition(" ")[2] in here] or where
        return {
            "name": p.name,
            "sentence": p.sentence,
            "where": ", ".join(where) or kinds.get(p.kind, ""),
            "kind": p.kind,
            "source": p.source,
            "fn": p.fn.name if p.fn is not None else "",
        }

    def sources(self) -> dict[str, JSON]:
        """The text of every function that a step can be in, and of every property."""
        fns = dict(self.m.program.functions)
        fns |= {h.name: h for hs in self.m.program.hooks.values() for h in hs}
        fns |= {p.fn.name: p.fn for p in self.props if p.fn is not None}
        used = {f for n in self._nodes for f in n.stack} | {p.fn.name for p in self.props if p.fn}
        return {n: s for n, f in sorted(fns.items()) if n in used and (s := function_text(f))}

    # one state

    def text(self, s: State, k: int) -> str:
        var, _, slot = self.cells[k]
        return value_text(self.m, var, s[slot])

    def view(self, s: State) -> JSON:
        """One state: who is where, every move, what is not possible, what each property says."""
        if s not in self._views:
            if len(self._views) > 4_000:
                self._views.clear()
            self._views[s] = self._make(s)
        return self._views[s]

    def _make(self, s: State) -> JSON:
        space = self.space
        moves = space.moves(s)
        stuck = space.interp.is_stuck(m.step for m in moves)
        mask = space.interp.violated_by(s, stuck)
        bad = [n for k, n in enumerate(self.m.props) if mask >> k & 1]
        return {
            "cpus": [self._cpu(s, c) for c in range(self.m.cpus)],
            "values": [self.text(s, k) for k in range(len(self.cells))],
            "moves": [self._move(s, m) for m in moves],
            "blocked": [self._blocked(b) for b in blocked(space, s)],
            "truth": self._truth(s),
            "bad": bad,
            "stuck": stuck,
        }

    def _cpu(self, s: State, cpu: int) -> JSON:
        task = self.space.task_on(s, cpu)
        vcpu = self.space.vcpu_of(s, task)
        return {
            "task": self.space.name(task),
            "vcpu": f"v{vcpu}" if vcpu >= 0 else "",
            "frames": [self._frame(f) for f in self.space.frames(s, cpu)],
        }

    def _frame(self, f: Frame) -> JSON:
        hooks = self._hooks
        stack = [n for n in f.stack if n not in hooks] or list(f.stack)
        line = f.span.line if f.stack[-1] == stack[-1] else 0
        return {
            "kind": f.kind,
            "stack": stack,
            "line": line,
            "irqs": not (f.irqs_off or f.kind == "irq"),
            "depth": f.depth,
        }

    @cached_property
    def _hooks(self) -> set[str]:
        return {h.name for hs in self.m.program.hooks.values() for h in hs}

    def _move(self, s: State, m: Move) -> JSON:
        a, told = m.action, m.told
        out: JSON = {
            "cpu": a.cpu,
            "who": told.context,
            "fn": told.function,
            "stack": list(told.functions),
            "line": self._line(told.source),
            "changes": self._changes(s, m.state) if m.state is not None else [],
        }
        begins = a.start if a.start not in ("", told.function) else ""
        lines = self._passed(m)
        more: JSON = {"begins": begins, "free": list(m.choices), "lines": lines}
        more["asked"] = [self._asked(q) for q in m.asked if q.property in self.prop_at]
        more["bad"] = [n for k, n in enumerate(self.m.props) if m.step.violated >> k & 1]
        if m.state is None:
            more["ends"] = "waits" if m.step.waits else "fault"
        elif m.state == s:
            more["same"] = True
        return out | {k: v for k, v in more.items() if v}

    def _line(self, source: str) -> int:
        part = source.rsplit(":", 2)
        return int(part[1]) if len(part) == 3 and part[1].isdigit() else 0

    def _passed(self, m: Move) -> dict[str, list[int]]:
        """The lines of each function that the step passes, for the source column."""
        out: dict[str, list[int]] = {}
        hooks = self._hooks
        for i in m.step.nodes:
            n = self.m.graph.nodes[i]
            if n.stack[-1] in hooks or not isinstance(
                n.op, o.Load | o.Store | o.Fresh | o.Assign | o.Branch | o.Choose
            ):
                continue
            lines = out.setdefault(n.stack[-1], [])
            if n.op.span.line not in lines:
                lines.append(n.op.span.line)
        return out

    def _changes(self, a: State, b: State) -> list[list[Any]]:
        return [
            [k, value_text(self.m, var, b[slot])]
            for k, (var, _, slot) in enumerate(self.cells)
            if a[slot] != b[slot]
        ]

    def _asked(self, q: Asked) -> list[Any]:
        return [
            self.prop_at[q.property],
            q.holds,
            q.text,
            [[r.name, r.value, r.text] for r in q.reads],
        ]

    def _blocked(self, b: Blocked) -> JSON:
        out: JSON = {"cpu": b.cpu, "who": b.who, "what": b.what, "why": b.why}
        more: JSON = {"until": b.until, "reads": list(b.reads), "never": b.never}
        return out | {k: v for k, v in more.items() if v}

    def _truth(self, s: State) -> list[list[Any]]:
        """Per property, what it says where it is asked now: [property, CPU, about, …as asked]."""
        out = []
        for i, p in enumerate(self.props):
            for t in self.oracle.ask(p.name, s):
                out.append([i, t.cpu, t.about, *self._asked(t.asked)[1:]])
        return out

    def changed(self, a: State, b: State) -> list[str]:
        """The names of what differs between two states."""
        return [self._variable(*self.cells[k][:2])["name"] for k, _ in self._changes(a, b)]


def function_text(fn: o.Function) -> JSON:
    """The lines of a function of the specification; {} where its file cannot be read."""
    lines: list[str] = []
    first = fn.span.line
    for k in range(first, first + 200):
        row = source_line(type(fn.span)(fn.span.file, k))
        is_next = row is not None and lines and row.strip() and not row.startswith((" ", ")", "\t"))
        if row is None or (is_next and not row.startswith(("{", "}"))):
            break
        lines.append(row)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        return {}
    return {"file": fn.span.file, "first": first, "text": "\n".join(lines), "origin": fn.origin}


def views_along(viewer: Viewer, indices: Sequence[int], start: int = 0) -> list[JSON]:
    """The views of the states along a schedule, from number ``start`` on."""
    return [viewer.view(s) for s in viewer.space.follow(indices)[start:]]
