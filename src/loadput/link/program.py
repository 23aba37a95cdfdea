"""Linking: mainline, release, architecture, design and the user's C give one Program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..base.clock import look
from ..ir import ops as o
from ..ir.decls import Decls, Signature
from ..lang import syntax as s
from ..lang.lower import Note
from ..lang.pydecl import nearest
from .hooks import Property, is_hook, lower_hooks, own_names
from .layers import Choice, Layers, Replaced, modules_of
from .lowerer import Lowerer
from .overlay import SPEC
from .refuse import (
    bad_scenario,
    check_atomic,
    check_called,
    check_declared,
    check_ghosts,
    check_pure,
    check_read,
    check_setting,
    check_threads,
)
from .scenario import Scenario
from .stack import stack
from .user import check_callers, lay_user
from .written import written_places

__all__ = ["Choice", "Layers", "Program", "Replaced", "link", "specification"]


@dataclass(slots=True)
class Program:
    """Every function that the scenario can reach, one body each. Treat it as immutable."""

    choice: Choice
    scenario: Scenario
    decls: Decls
    functions: dict[str, o.Function]
    hooks: dict[tuple[str, str], list[o.Function]]
    properties: list[Property]
    opaque: dict[str, list[str]]
    replaced: list[Replaced]
    layers: list[str]
    meta: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def count_of(self) -> dict[str, int]:
        """Instances per struct."""
        sizes = self.scenario.sizes
        return {n: sizes.count(d.per) for n, d in self.decls.structs.items()}


def link(choice: Choice, scenario: Scenario, *, asked: bool = True) -> Program:
    """Return the program: every function that ``scenario`` can reach, lowered and verified.

    :param asked: with the properties and their monitors, which who only runs it does not need

    Raises LinkError (LP04xx), SourceError (LP02xx), ScenarioError (LP05xx).
    """
    look()
    lay = stack(choice)
    decls = lay.decls
    mods = modules_of(SPEC / "properties", "properties", True)[0] if asked else []
    hooks_at: dict[str, s.Def] = {}
    property_meta: dict[str, dict[str, str]] = {}
    for m in mods:
        lay.declare(m)
        for d in m.defs:
            hooks_at[f"{m.file}:{d.name}"] = d
            property_meta[f"{m.file}:{d.name}"] = m.meta.get(d.name, {})
    for d in hooks_at.values():
        if not is_hook(d):
            lay.defs[d.name] = d
            decls.funcs[d.name] = Signature(d.name, d.params, d.ret)
    for d in [d for d in lay.defs.values() if is_hook(d)]:
        # An overlay's own monitors and properties are asked like ours.
        hooks_at[f"{d.span.file}:{d.name}"] = lay.defs.pop(d.name)
        property_meta[f"{d.span.file}:{d.name}"] = lay.meta.get(d.name, {})
    if not asked:
        hooks_at.clear()
    if choice.user or choice.removed:
        lay_user(lay)
    check_declared(lay)
    _set_constants(lay, scenario)
    lo = Lowerer(lay, decls, scenario)
    entries = _entries(lay, scenario)
    check_threads(lay, scenario)
    check_callers(lay, entries)
    for name in entries:
        lo.need(name)
    lo.run()
    decls.written = written_places(lo.done, entries, decls.consts)
    if asked and (choice.user or choice.removed):
        # A register that only the shipped bodies load is one that the guest lacks now.
        decls.written |= _written_before(replace(choice, **_NOBODYS), scenario)
    hooks, properties = lower_hooks(lo, hooks_at, property_meta)
    lo.run()
    p = Program(
        choice,
        scenario,
        decls,
        lo.done,
        hooks,
        properties,
        lo.opaque,
        lay.replaced,
        lay.labels,
        lay.meta,
        lo.notes,
    )
    _check(lay, p, entries, hooks_at, property_meta, asked=asked)
    return replace(p, hooks=own_names(p.functions, p.hooks))


_NOBODYS: dict[str, Any] = dict.fromkeys(("user", "removed", "hints", "fields"), ())


@lru_cache(64)
def _written_before(choice: Choice, scenario: Scenario) -> frozenset[str]:
    """What the program writes without the user's C."""
    return link(choice, scenario, asked=False).decls.written


def _check(
    lay: Layers, p: Program, entries: Sequence[str], hooks_at: dict[str, s.Def],
    meta: dict[str, dict[str, str]], *, asked: bool,
) -> None:  # fmt: skip
    """Raise LinkError (LP042x) or ScenarioError LP0503 for what means nothing in this program."""
    live = {f.name: f for fns in p.hooks.values() for f in fns}
    live |= {q.fn.name: q.fn for q in p.properties if q.fn is not None}
    check_atomic(p.functions)
    check_pure(p.decls, p.functions, live.values())
    check_ghosts(p.decls, p.functions, entries, live)
    check_called(lay, hooks_at.values())
    if asked:
        where: dict[str, bool] = {}
        for key, d in hooks_at.items():
            for n in meta[key].get("where", "").replace(",", " ").split():
                where[n] = where.get(n, False) or d.name in live
        check_read(lay, p.scenario, (*p.functions.values(), *live.values()), where)


def specification(choice: Choice) -> tuple[dict[str, s.Def], Decls]:
    """The bodies of ``choice`` as written, by name, and its declarations; no C of the user's."""
    lay = stack(replace(choice, user=(), removed=()))
    lay.decls.consts.update(NR_CPUS=2, NR_TASKS=2, NR_VCPUS=2, NR_VMS=1)
    for struct, f in choice.fields:
        (lay.decls.structs[struct].fields if struct else lay.decls.globals)[f.name] = f
    mine = {d.name: d for d in choice.user if d.lang != "c"}
    return {n: mine.get(n, d) for n, d in lay.defs.items() if not is_hook(d)}, lay.decls


def _set_constants(lay: Layers, scenario: Scenario) -> None:
    for name, value in scenario.constants:
        check_setting(lay, scenario, name, value)
        lay.decls.consts[name] = int(value)
    z = scenario.sizes
    lay.decls.consts.update(NR_CPUS=z.cpu, NR_TASKS=z.task, NR_VCPUS=z.vcpu, NR_VMS=z.vm)


def _entries(lay: Layers, scenario: Scenario) -> list[str]:
    actors = sorted(n for n, d in lay.defs.items() if "task" in d.attrs and "idle" not in d.attrs)
    out = ["idle"]
    for i, t in enumerate(scenario.tasks):
        if t.runs not in actors:
            e = bad_scenario(
                scenario, "LP0504", f"no actor '{t.runs}'", "a function marked @task"
                + nearest(t.runs, actors), "runs", table="task", nth=i,
            )  # fmt: skip
            e.available = ", ".join(actors)
            raise e
        out.append(t.runs)
    roles = {"irq", "preempt"}
    out += [n for n, d in lay.defs.items() if roles & set(d.attrs)]
    return out
