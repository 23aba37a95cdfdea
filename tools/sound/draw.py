"""Drawing programs: a base, a few edits, a scenario, all from one seed."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from random import Random
from typing import Any

from mutation.damage import is_kernel

from loadput.base.errors import LoadputError
from loadput.ir import ops as o
from loadput.link.layers import DEFAULT_RELEASE
from loadput.link.overlay import find_overlays, known_archs
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import FOLDER, list_scenarios, load_scenario

from . import edits as e
from .program import Case, source_of

RELEASES = ("v6.12", "v6.12", "v6.11-pre", "v6.1.192", "v6.1", "v7.2")
BOTH = (DEFAULT_RELEASE, "v6.12")
"""Releases that every design is written for."""
HOW_MANY = (1, 1, 1, 1, 2, 2, 2, 3, 3, 4)
WEIGHTS = {
    "drop": 3, "double": 2, "swap": 3, "move": 3, "atomic": 2, "unprotect": 3, "narrow": 3,
    "widen": 1, "protect": 1, "negate": 2, "early": 2, "wait": 2, "keep": 4, "plant": 4, "probe": 4,
}  # fmt: skip
TRIES = 40


def draw(seed: int, i: int) -> Case:
    """The program number ``i`` of ``seed``; whether its edits fit together is not known yet."""
    rng = Random(f"{seed}:{i}")
    for _ in range(TRIES):
        case = _base(rng)
        try:
            p = link(case.base, case.made)
        except LoadputError:
            continue
        made: list[e.Edit] = []
        for _ in range(rng.choice(HOW_MANY)):
            made += _edit(rng, p) or []
        if made:
            return Case(
                case.arch, case.scenario, tuple(made), case.design, case.release, case.below
            )
    raise AssertionError(f"no program {i} of seed {seed}")


# what is under the edits


def _base(rng: Random) -> Case:
    arch = rng.choice(known_archs())
    release = rng.choice(RELEASES) if rng.random() < 0.2 else DEFAULT_RELEASE
    design = rng.choice(designs()) if release in BOTH and rng.random() < 0.3 else ""
    below = rng.choice(broken(arch)) if not design and rng.random() < 0.35 else ""
    if below:
        v = {**find_overlays("twin"), **find_overlays("museum")}[below]
        release, design = v.release or release, v.parent if v.parent in designs() else ""
    return Case(arch, scenario(rng, arch), (), design, release, below)


@cache
def designs() -> list[str]:
    """Every design."""
    return sorted(n for n, v in find_overlays("design").items() if not v.abstract)


@cache
def broken(arch: str) -> list[str]:
    """Twins and entries of the museum that are written for ``arch``."""
    both = {**find_overlays("twin"), **find_overlays("museum")}
    return sorted(n for n, v in both.items() if v.arch in ("", arch) or arch in v.arch.split(","))


@cache
def shipped(arch: str) -> list[dict[str, Any]]:
    """The shipped scenarios that link for ``arch`` and are not made to be large."""
    out = []
    for n in list_scenarios():
        raw = tomllib.loads((FOLDER / f"{n}.toml").read_text("utf-8"))
        if len(raw["task"]) > 2 or n in ("default", "bench10m"):
            continue
        try:
            link(Choice(arch), load_scenario(n), asked=False)
        except LoadputError:
            continue
        out.append({k: v for k, v in raw.items() if k not in ("title", "expect")})
    return out


def scenario(rng: Random, arch: str) -> dict[str, Any]:
    """A small scenario: a shipped one with less in it, or one of ours."""
    if rng.random() < 0.35:
        raw = _copy(rng.choice(shipped(arch)))
    else:
        raw = _small(rng)
    fixed = raw.setdefault("set", {})
    if rng.random() < 0.5 or "preempt_model" not in fixed:
        fixed["preempt_model"] = rng.choice((2, 2, 2, 2, 1, 1, 0))
    if rng.random() < 0.2:
        fixed["delayed_dequeue"] = 1
    if rng.random() < 0.3:
        fixed["timer_irqs"] = 0
    if rng.random() < 0.3:
        fixed["device_irq_cpus"] = rng.randrange(1 << raw["cpus"])
    if rng.random() < 0.25:
        name, value = rng.choice(settings(arch))
        fixed.setdefault(name, value)
    if raw["cpus"] > 1 and len(raw["task"]) == 1 and rng.random() < 0.08:
        fixed["cpu_hotplug"] = 1
    return raw


@cache
def settings(arch: str) -> list[tuple[str, int]]:
    """What shipped scenarios set for ``arch``, beside how it preempts."""
    out = {("guest_resets", 0)}
    for raw in shipped(arch):
        out |= {(k, int(v)) for k, v in raw.get("set", {}).items()}
    out = {(k, v) for k, v in out if k not in ("preempt_model", "device_irq_cpus", "cpu_hotplug")}
    consts = link(Choice(arch), load_scenario("one")).decls.consts
    return sorted((k, v) for k, v in out if k in consts) or [("timer_irqs", 0)]


def _copy(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "task": [dict(t) for t in raw["task"]], "set": dict(raw.get("set", {}))}


DOES = ("run", "ioctl", "fs", "halt", "spin", "irq", "steal")


def _does(rng: Random, most: int) -> list[str]:
    some = rng.sample(DOES[1:], rng.randrange(most + 1))
    return [d for d in DOES if d == "run" or d in some]


def _small(rng: Random) -> dict[str, Any]:
    """One CPU and a thread that does much, or more of either and less done."""
    shape = rng.choice(("1x1", "1x1", "1x1", "1x2", "1x2", "2x1", "2x1", "2x2", "mutex"))
    cpus, threads = (
        (2 if shape == "2x2" else 1, 2) if shape == "mutex" else map(int, shape.split("x"))
    )
    most = 6 if shape == "1x1" else 2 if threads == 1 else 1
    vms = [0, 0] if threads == 2 and shape != "mutex" else [0]
    if len(vms) == 2 and rng.random() < 0.2:
        vms = [0, 1]
    tasks: list[dict[str, Any]] = []
    for t in range(threads):
        row = {"runs": "vcpu_thread", "vcpu": min(t, len(vms) - 1), "does": _does(rng, most)}
        if t and rng.random() < 0.2:
            row["does"] = ["ioctl"]
        if t and rng.random() < 0.1:
            row = {"runs": "plain_thread", "does": rng.choice((["fs"], []))}
        if cpus == 2 and (shape == "2x2" or rng.random() < 0.2):
            row["cpus"] = [t % 2] if rng.random() < 0.8 else [0, 1]
        tasks.append(row)
    return {"cpus": cpus, "vms": vms, "task": tasks}


# the edits


def _edit(rng: Random, p: Program) -> list[e.Edit] | None:
    """One edit of a random kind that seems to fit."""
    names = candidates(p)
    for _ in range(TRIES):
        kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        name = rng.choice(names)
        fn = p.functions[name]
        tree = source_of(fn)
        if tree is None or not e.statements(tree):
            continue
        got = _DRAWS[kind](rng, _Site(p, fn, tree, kind))
        if got is not None:
            return [got]
    return None


def candidates(p: Program) -> list[str]:
    """The kernel's functions that have something in them, the longer ones more often."""
    out = []
    for name, fn in sorted(p.functions.items()):
        if is_kernel(fn) and not {"monitor", "property", "forget"} & set(fn.attrs):
            size = sum(len(b.ops) for b in fn.blocks)
            weight = 0 if size < 2 else 1 if size < 8 else 2 if size < 25 else 3
            if fn.span.file.startswith("spec/mainline/kernel/"):
                weight = min(weight, 1)
            out += [name] * weight
    return out


class _Site:
    """The function that an edit is drawn for."""

    def __init__(self, p: Program, fn: o.Function, tree: ast.FunctionDef, kind: str) -> None:
        self.p, self.fn, self.tree, self.kind = p, fn, tree, kind
        self.all = e.statements(tree)

    def edit(self, at: ast.stmt, to: int = 0, text: str = "") -> e.Edit:
        return e.Edit(self.kind, self.fn.name, e.number_of(at), to, text)

    def row_of(self, s: ast.stmt) -> tuple[list[ast.stmt], int]:
        return e.find(self.tree, e.number_of(s))


def _any(rng: Random, rows: Iterable[ast.stmt]) -> ast.stmt | None:
    every = list(rows)
    return rng.choice(every) if every else None


def _one(rng: Random, x: _Site) -> e.Edit | None:
    return x.edit(rng.choice(x.all))


def _swap(rng: Random, x: _Site) -> e.Edit | None:
    s = _any(rng, (s for rows in e.bodies(x.tree) for s in rows[:-1]))
    return x.edit(s) if s else None


def _move(rng: Random, x: _Site) -> e.Edit | None:
    s, to = rng.choice(x.all), rng.choice(x.all)
    return x.edit(s, e.number_of(to)) if s is not to else None


def _atomic(rng: Random, x: _Site) -> e.Edit | None:
    s = _any(rng, (s for s in x.all if isinstance(s, ast.With)))
    how = rng.choice(("gone", "later", "sooner", "before", "after"))
    return x.edit(s, text=how) if s else None


def _unprotect(rng: Random, x: _Site) -> e.Edit | None:
    s = _any(rng, (s for s in x.all if e.called(s) in e.OFF))
    return x.edit(s) if s else None


def _shift(rng: Random, x: _Site) -> e.Edit | None:
    by = rng.choice((1, 1, 2, 3))
    s = _any(rng, (s for s in x.all if e.called(s) in (*e.OFF, *e.ON)))
    if s is None:
        return None
    inward = x.kind == "narrow"
    return x.edit(s, by if (e.called(s) in e.OFF) == inward else -by)


def _protect(rng: Random, x: _Site) -> e.Edit | None:
    s = rng.choice(x.all)
    rows, i = x.row_of(s)
    last = rows[min(len(rows) - 1, i + rng.randrange(3))]
    return x.edit(s, e.number_of(last), rng.choice(("preempt", "irq", "atomic")))


def _negate(rng: Random, x: _Site) -> e.Edit | None:
    s = _any(rng, (s for s in x.all if isinstance(s, ast.If | ast.While)))
    return x.edit(s) if s else None


def _early(rng: Random, x: _Site) -> e.Edit | None:
    back = [ast.unparse(s) for s in x.all if isinstance(s, ast.Return)]
    if not back or str(x.fn.ret) == "void":
        back = ["return"] if str(x.fn.ret) == "void" else []
    s = rng.choice(x.all)
    if not back:
        return None
    text = rng.choice(back)
    rows, i = x.row_of(s)
    conditions = reads(rows[i:], x)
    when = rng.choice(["choose()", *conditions])
    return x.edit(s, text=f"if {when}:\n    {text}" if rng.random() < 0.7 else text)


def _wait(rng: Random, x: _Site) -> e.Edit | None:
    s = rng.choice(x.all)
    found = [f"await_until({r})" for r in reads(x.all, x)]
    found += [f"await_until(not {r})" for r in reads(x.all, x)]
    return x.edit(s, text=rng.choice(["cond_resched()", "schedule()", *found]))


def _keep(rng: Random, x: _Site) -> e.Edit | None:
    s = rng.choice(x.all)
    found = reads([s], x)
    rows, i = x.row_of(s)
    if not found or not i:
        return None
    return x.edit(rng.choice(rows[:i]), e.number_of(s), rng.choice(found))


def _probe(rng: Random, x: _Site) -> e.Edit | None:
    s = rng.choice(x.all)
    rows, i = x.row_of(s)
    here = reads(x.all, x)
    far = [r for name in sorted(set(candidates(x.p))) for r in _reads_of(x, name)]
    found = here if here and rng.random() < 0.5 else far
    if not found:
        return None
    to = rng.choice(rows[i : i + 4])
    return x.edit(s, e.number_of(to), rng.choice(found))


def _reads_of(x: _Site, name: str) -> list[str]:
    """What function ``name`` reads of what this one has too."""
    fn = x.p.functions[name]
    tree = source_of(fn)
    if tree is None:
        return []
    names = {n for n, _ in fn.params} | {n for n, _ in fn.locals}
    mine = {n for n, t in x.fn.params if fn.type_of(n) == t}
    return [
        r
        for r in reads(e.statements(tree), _Site(x.p, fn, tree, x.kind))
        if _names(ast.parse(r)) & names <= mine
    ]


def _plant(rng: Random, x: _Site) -> e.Edit | None:
    """A statement or a few in a row, that speak of what this function has under the same names."""
    name = rng.choice(candidates(x.p))
    fn = x.p.functions[name]
    tree = source_of(fn)
    if tree is None or name == x.fn.name:
        return None
    names = {n for n, _ in fn.params} | {n for n, _ in fn.locals}
    mine = {n for n, t in x.fn.params if fn.type_of(n) == t}
    s = rng.choice(e.statements(tree))
    rows, i = e.find(tree, e.number_of(s))
    some = rows[i : i + rng.choice((1, 1, 2, 3))]
    made = {n.id for s in some for n in ast.walk(s) if _is_made(n)}
    leaves = any(
        isinstance(n, ast.Return | ast.Break | ast.Continue) for s in some for n in ast.walk(s)
    )
    used = set().union(*(_names(s) for s in some)) & names
    if leaves or not used <= mine | made or (made & {n for n, _ in x.fn.params}):
        return None
    return x.edit(rng.choice(x.all), text="\n".join(ast.unparse(s) for s in some))


def _is_made(n: ast.AST) -> bool:
    return isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)


def _names(tree: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}


READERS = ("this_cpu_read", "__this_cpu_read", "raw_this_cpu_read", "READ_ONCE", "smp_load_acquire")
READERS += ("this_cpu", "per_cpu", "smp_processor_id")


def reads(rows: Iterable[ast.stmt], x: _Site) -> list[str]:
    """Expressions in ``rows`` that read memory, as source, without locals but for parameters."""
    params = {n for n, _ in x.fn.params}
    own = {n for n, _ in x.fn.locals} - params
    out: dict[str, None] = {}
    for s in rows:
        todo = _shallow(s)
        while todo:
            n = todo.pop()
            if not isinstance(n, ast.Attribute | ast.Subscript):
                todo += ast.iter_child_nodes(n)
            if isinstance(n, ast.Call) and isinstance(n.func, ast.Name):
                if n.func.id == "addr":
                    continue
                if n.func.id in READERS and not _names(n) & own:
                    out[ast.unparse(n)] = None
            elif isinstance(n, ast.Attribute | ast.Subscript) and not _names(n) & own:
                if isinstance(n.ctx, ast.Load):
                    out[ast.unparse(n)] = None
    return list(out)


def _shallow(s: ast.stmt) -> list[ast.AST]:
    """What ``s`` itself computes, without the statements in it."""
    if isinstance(s, ast.If | ast.While):
        return [s.test]
    return [] if isinstance(s, ast.For | ast.With) else [s]


_DRAWS: dict[str, Callable[[Random, _Site], e.Edit | None]] = {
    "drop": _one, "double": _one, "swap": _swap, "move": _move, "atomic": _atomic,
    "unprotect": _unprotect, "narrow": _shift, "widen": _shift, "protect": _protect,
    "negate": _negate, "early": _early, "wait": _wait, "keep": _keep, "plant": _plant,
    "probe": _probe,
}  # fmt: skip
