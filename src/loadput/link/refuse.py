"""What would be taken in silence and means nothing: errors of a program as a whole.

A single function is refused where it is lowered (`lang`); here is what needs the others: names that
nobody has, hooks that change what they look at, steps that sleep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..base.errors import LinkError, ScenarioError, SourceError
from ..base.source import Span
from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import Decls, VarDecl
from ..ir.spec import atomic_depths
from ..lang import syntax as s
from ..lang.guess import walk
from ..lang.pydecl import Module, nearest
from .known import all_known
from .layers import Layers
from .overlay import BROKEN, SPEC, Overlay, find_overlays, place_in, source_line
from .scenario import DOES, Scenario, list_scenarios

ROLES = ("task", "idle", "irq", "preempt")
PURE = "a monitor may write ghosts, a property nothing"


def is_users(span: Span) -> bool:
    """Whether a place is in a file of the user's, not of the specification."""
    return not span.file.startswith("spec/")


def fail(code: str, what: str, span: Span, expected: str, **more: str) -> LinkError:
    """A LinkError with its line."""
    return LinkError(
        code, what, span=span, line_text=source_line(span), expected=expected,
        got=more.get("got"), next=more.get("next"), where=more.get("where"),
    )  # fmt: skip


# overlays


def check_overlay(v: Overlay, *search: Path) -> None:
    """Raise LinkError LP0424 where an overlay of the user's names what there is not."""
    if v.folder.is_relative_to(SPEC):
        return
    archs, designs = find_overlays("arch", *search), find_overlays("design", *search)
    releases = find_overlays("release", *search)
    rows: list[tuple[str, Iterable[str], Iterable[str], str]] = [
        ("arch", v.archs, archs, "loadput list archs"),
        ("release", [v.release] if v.release else (), releases, "loadput list releases"),
        ("design", [v.design] if v.design else (), designs, "loadput list designs"),
    ]
    if v.kind in BROKEN:
        parents = [*find_overlays(v.kind, *search), *designs]
        rows.append(("parent", [v.parent] if v.parent else (), parents, "loadput list designs"))
    if v.scenario and v.scenario not in list_scenarios():
        scenarios = list_scenarios()
        rows.append(("scenario", [v.scenario], scenarios, "loadput list scenarios"))
    if v.signatures:
        functions = all_known(*search).functions
        rows.append(("signatures", v.signatures, functions, "loadput list functions"))
    if v.breaks:
        properties = {*all_known(*search).properties, "KERNEL_WARN", "NULL_DEREF", "IN_RANGE"}
        named = [n.strip() for n in v.breaks.split(",")]
        rows.append(("breaks", named, properties, "loadput list properties; with _ for -"))
    forms = [f.name for f in sorted((v.folder / "release").glob("*/"))]
    folders = [r.folder.name for r in releases.values()]
    rows.append(("folder release/", forms, folders, "a release's folder: v7_3 of v7.3"))
    for key, given, known, step in rows:
        names = set(known)
        lost = next((n for n in given if n.strip() not in names), None)
        if lost is not None:
            raise fail(
                "LP0424", f"{v.label}: {key}={lost!r}", place_in(v, key), "one that there is"
                + nearest(lost, names), got=f"no {key} of that name", next=step,
            )  # fmt: skip


def check_marks(lay: Layers, modules: Sequence[Module], label: str) -> None:
    """Raise LinkError LP0420 where the comment above a function says what is not so."""
    here = {d.name for m in modules for d in m.defs}
    for m in modules:
        for d in m.defs:
            for mark in m.marks[d.name]:
                if mark.word not in ("New", "Modified"):
                    raise fail(
                        "LP0420", f"'[{mark.word} in …]' above {d.name}", mark.span,
                        "[New in …] or [Modified in …]" + nearest(mark.word, ("New", "Modified")),
                        next="removes= in overlay.py takes a function out",
                    )  # fmt: skip
                if mark.label != label:
                    raise fail(
                        "LP0420", f"{d.name} is marked as {mark.label}'s", mark.span,
                        f"# [{mark.word} in {label}]", got=mark.label, next="correct the comment",
                    )  # fmt: skip
                old = lay.defs.get(d.name)
                if mark.word == "Modified" and old is None:
                    raise fail(
                        "LP0420", f"'{d.name}' is modified, and nothing below has it", mark.span,
                        "a function of the layers below" + nearest(d.name, set(lay.defs) - here),
                        got=f"[Modified in {label}]",
                        next=f"correct the name, or write # [New in {label}]",
                    )  # fmt: skip
                if mark.word == "New" and old is not None and old.origin == "mainline":
                    raise fail(
                        "LP0420", f"'{d.name}' is new, and is there already", mark.span,
                        f"# [Modified in {label}], or another name", got=f"one at {old.span}",
                        next="correct the comment, or the name",
                    )  # fmt: skip


def check_declared(lay: Layers) -> None:
    """Raise LinkError LP0212 for a struct that nothing has one of, and types that name none."""
    decls = lay.decls
    for st in decls.structs.values():
        if not st.per:
            raise fail(
                "LP0212", f"struct {st.name} has no per=", st.span,
                "what there is one of it for: per= one of "
                + ", ".join(ty.DOMAINS) + nearest(st.name, decls.structs.keys() - {st.name}),
                next=f'class {st.name}(struct, per="vcpu")',
            )  # fmt: skip
        for f in st.fields.values():
            _known_type(decls, f"{st.name}.{f.name}", f.type, f.span)
    for g in decls.globals.values():
        _known_type(decls, g.name, g.type, g.span)
    for d in lay.defs.values():
        if is_users(d.span) and d.lang != "c":
            for name, t in d.params:
                _known_type(decls, f"parameter {name} of {d.name}", t, d.span)
            _known_type(decls, f"what {d.name} returns", d.ret, d.span)


def _known_type(decls: Decls, what: str, t: ty.Type, span: Span) -> None:
    t = t.elem if isinstance(t, ty.Array) else t
    if isinstance(t, ty.Ptr | ty.Embed) and t.struct not in decls.structs:
        values = decls.enums.get(t.struct)
        near = nearest(t.struct, decls.structs)
        if values:
            near = f"; the enum {t.struct} is between[{min(values)}, {max(values)}] here"
        raise fail(
            "LP0212", f"{what} is of the unknown type '{t.struct}'", span,
            "a struct of the program, bool, upto[n], cpu, …" + near,
            got=str(t), next="loadput list state has the structs",
        )  # fmt: skip


# scenarios


def bad_scenario(
    scenario: Scenario, code: str, what: str, expected: str, key: str, **at: Any
) -> ScenarioError:
    """An error about a line of the scenario."""
    span = scenario.find(key, **at) or scenario.find(at.get("table", ""))
    return ScenarioError(
        code,
        f"scenario {scenario.name}: {what}",
        span=span,
        line_text=source_line(span) if span else None,
        where=None if span else scenario.file or f"scenario {scenario.name}",
        expected=expected,
        next="loadput list constants has what may be set"
        if at.get("table") == "set"
        else "docs/scenarios.md has each key with an example",
    )


def check_threads(lay: Layers, scenario: Scenario) -> None:
    """Raise ScenarioError LP0501 for a thread that needs a vCPU and has none, or the reverse."""
    for i, t in enumerate(scenario.tasks):
        d = lay.defs[t.runs]
        if t.vcpu is None and _reads_own_vcpu(d):
            raise bad_scenario(
                scenario, "LP0501", f"task {i}: {t.runs} without a vCPU",
                "vcpu = N: it asks for current.vcpu", "runs", table="task", nth=i,
            )  # fmt: skip
        if t.vcpu is not None and not any(_reads_own_vcpu(f) for f in _closure(lay, d)):
            raise bad_scenario(
                scenario, "LP0501", f"task {i}: {t.runs} has no use for vcpu = {t.vcpu}",
                "no vcpu: nothing that it runs asks for current.vcpu", "vcpu", table="task", nth=i,
            )  # fmt: skip


def _closure(lay: Layers, d: s.Def) -> Iterator[s.Def]:
    seen, todo = {d.name}, [d]
    while todo:
        f = todo.pop()
        yield f
        for c in walk(f.body):
            if isinstance(c, s.Invoke) and c.fn in lay.defs and c.fn not in seen:
                seen.add(c.fn)
                todo.append(lay.defs[c.fn])


def _reads_own_vcpu(d: s.Def) -> bool:
    return any(
        isinstance(n, s.Member)
        and n.name == "vcpu"
        and isinstance(n.base, s.Name)
        and n.base.id == "current"
        for n in walk(d.body)
    )


def settable(lay: Layers, name: str) -> bool:
    """Whether a scenario may set the constant: it is declared as that, or a number of the user's.

    An enumerator never: its type rests on it.
    """
    decls = lay.decls
    if any(name in values.values() for values in decls.enums.values()):
        return False
    told = lay.told.get(name)
    return name in decls.settings or (told is not None and is_users(told.span))


def check_setting(lay: Layers, scenario: Scenario, name: str, value: int) -> None:
    """Raise ScenarioError LP0503 for a constant that is none, or may not have that value."""
    decls = lay.decls
    mine = [n for n in decls.consts if settable(lay, n)]
    if name not in mine:
        is_known = name in decls.consts
        raise bad_scenario(
            scenario, "LP0503",
            f"sets {name}, which is the kernel's" if is_known
            else f"sets the unknown constant '{name}'",
            "a constant that a scenario may set" + nearest(name, mine), name, table="set",
        )  # fmt: skip
    kind = decls.settings.get(name)
    lo, hi = (kind.type.lo, kind.type.hi) if kind else (0, 127)
    word = kind.word if kind else ""
    expected = "true or false, 0 or 1" if word == "bool" else f"{lo} to {hi}"
    if word == "cpu_mask":
        hi = (1 << scenario.cpus) - 1
        expected = f"0 to {hi}, a bit for each CPU"
    if not lo <= value <= hi or (isinstance(value, bool) and word != "bool"):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        raise bad_scenario(
            scenario, "LP0503", f"sets {name} = {shown}",
            expected, name, table="set",
        )  # fmt: skip


def check_read(
    lay: Layers, scenario: Scenario, fns: Iterable[o.Function], where: Mapping[str, bool]
) -> None:
    """Raise ScenarioError LP0503 for a constant that is set and that this program does not read.

    :param where: the constants that hooks are asked by, and whether one of those is asked
    """
    read = {
        x.name
        for f in fns
        for b in f.blocks
        for op in b.ops
        for e in o.exprs_of(op)
        for x in o.walk(e)
        if isinstance(x, o.Sym)
    }
    for name, value in scenario.constants:
        if name in read or (name in where and (where[name] or not value)):
            continue
        asked = read | {n for n in where if where[n]}
        mine = sorted(n for n in asked if settable(lay, n) and n in lay.decls.consts)
        raise bad_scenario(
            scenario, "LP0503", f"sets {name}, which {lay.choice.arch} does not read here",
            f"one that it reads: {', '.join(mine)}", name, table="set",
        )  # fmt: skip


# hooks


def check_hook(lay: Layers, d: s.Def, meta: Mapping[str, str]) -> None:
    """Raise LinkError LP0421 where a hook of the user's names what no program has."""
    if not is_users(d.span):
        return
    search = lay.choice.search
    known = all_known(*search)
    functions = known.functions | lay.defs.keys()
    points = [w for a in d.attrs for w in [a.partition(":")] if w[0] in ("at_entry", "at_exit")]
    rows: list[tuple[str, Iterable[str], Iterable[str]]] = [
        (f"@{kind}({name})", [name], functions) for kind, _, name in points
    ]
    for key in ("needs", "bodies", "where", "does", "twin"):
        names = [n.strip() for n in meta.get(key, "").split(",") if n.strip()]
        have: Iterable[str] = functions
        if key == "needs":
            have = functions | known.fields
        elif key == "where":
            have = known.consts
        elif key == "does":
            have = DOES
        elif key == "twin":
            have = [*find_overlays("twin", *search), *find_overlays("museum", *search)]
        rows.append((f"{key}={meta.get(key, '')!r}", names, have))
    for what, given, all_ in rows:
        lost = next((n for n in given if n not in set(all_)), None)
        if lost is not None:
            raise fail(
                "LP0421", f"{d.name}: {what} names what there is not", _decorator(d, lost),
                f"a name that some program has{nearest(lost, all_)}", got=lost,
                next="loadput list functions, state, constants, twins have them",
            )  # fmt: skip
    for c in walk(d.body):
        if isinstance(c, s.Invoke) and c.fn not in functions and not _is_vocabulary(c.fn):
            raise fail(
                "LP0421", f"{d.name} calls the unknown '{c.fn}'", c.span,
                f"a function that some program has{nearest(c.fn, functions)}", got=c.fn,
                next="loadput list functions has them",
            )  # fmt: skip


def _is_vocabulary(name: str) -> bool:
    from ..lang.vocab import INTRINSICS

    return name in INTRINSICS


def _decorator(d: s.Def, name: str) -> Span:
    """The line above the function that says ``name``."""
    for n in range(d.span.line - 1, max(0, d.span.line - 12), -1):
        row = source_line(Span(d.span.file, n)) or ""
        at = row.find(name)
        if at >= 0:
            return Span(d.span.file, n, at + 1, len(name))
    return d.span


def may_lack(lay: Layers, d: s.Def, e: SourceError) -> None:
    """Raise ``e`` again where a hook of the user's names what no program has.

    What another program has is a reason not to ask it in this one.
    """
    named = re.findall(r"'([^']+)'", e.what)
    known = all_known(*lay.choice.search) if is_users(d.span) else None
    if known is not None and (e.code == "LP0206" or not named or named[-1] not in known.names):
        if e.code == "LP0202" and named and named[-1] in known.names:
            return
        raise e


def check_parameters(d: s.Def, point: str, fn: o.Function) -> None:
    """Raise LinkError LP0421 where a hook takes another type than its function has."""
    for i, (name, t) in enumerate(d.params):
        if name == "entry":  # which of its points it is
            continue
        has = fn.ret if name == "ret" else fn.params[i][1]
        if has != t and not (isinstance(has, ty.Int) and isinstance(t, ty.Int)):
            told = "returns" if name == "ret" else f"has as its parameter {fn.params[i][0]}"
            raise fail(
                "LP0421", f"{d.name}: '{name}' is a {t}, at {point} of {fn.name}", d.span,
                f"{has}, which {fn.name} {told}", got=str(t),
                next="a hook takes the first parameters of its function, and ret at its exit",
            )  # fmt: skip


def is_ghost(decls: Decls, var: str) -> bool:
    """Whether a variable is only for monitors and properties."""
    struct, dot, name = var.partition(".")
    d: VarDecl | None = decls.find_field(struct, name) if dot else decls.globals.get(struct)
    return d is not None and d.ghost


def check_pure(decls: Decls, fns: Mapping[str, o.Function], hooks: Iterable[o.Function]) -> None:
    """Raise LinkError LP0422 where a property or a monitor changes what it looks at.

    So does one that waits, decides or leaves ways out: runs would be missing, and nobody told.
    """
    for hook in hooks:
        kind = next(a for a in hook.attrs if a in ("property", "monitor", "forget"))
        if kind == "forget":
            continue
        for fn, chain, at in _called(hook, fns):
            for b in fn.blocks:
                for op in b.ops:
                    told = _effect(decls, op, kind)
                    if told:
                        raise fail(
                            "LP0422", f"{kind} {hook.name} {told}", at or op.span,
                            f"one that only looks: {PURE}",
                            got=f"in {' > '.join(chain)}" if len(chain) > 1 else told,
                            next="keep it in a ghost[…], written by a @monitor"
                            if isinstance(op, o.Store | o.Fresh)
                            else "take it out: it is asked between two steps",
                        )  # fmt: skip


def _effect(decls: Decls, op: o.Op, kind: str) -> str:
    if isinstance(op, o.Store | o.Fresh):
        if kind == "property":
            return f"writes {op.place.var}"
        return "" if is_ghost(decls, op.place.var) else f"writes {op.place.var}, which is no ghost"
    if isinstance(op, o.Assume):
        return "has assume() or await_until()"
    if isinstance(op, o.Ctl):
        return f"does {op.what}"
    if isinstance(op, o.Choose):
        return "has choose()"
    if isinstance(op, o.Check) and op.prop == "KERNEL-WARN":
        return "has WARN_ON() or BUG_ON()"
    return ""


def _called(
    root: o.Function, fns: Mapping[str, o.Function]
) -> Iterator[tuple[o.Function, tuple[str, ...], Span | None]]:
    """``root`` and what it calls, each with the way to it and the place where that leaves it."""
    seen = {root.name}
    todo: list[tuple[o.Function, tuple[str, ...], Span | None]] = [(root, (root.name,), None)]
    while todo:
        fn, chain, at = todo.pop()
        yield fn, chain, at
        for b in fn.blocks:
            for op in b.ops:
                if isinstance(op, o.Call) and op.fn in fns and op.fn not in seen:
                    seen.add(op.fn)
                    todo.append((fns[op.fn], (*chain, op.fn), at or op.span))


# functions


def check_atomic(fns: Mapping[str, o.Function]) -> None:
    """Raise LinkError LP0423 where one step would sleep: another task runs before it is over."""
    for fn in fns.values():
        for op, depth in atomic_depths(fn):
            way = _way_to_sleep(op, fns) if depth and isinstance(op, o.Call) else ()
            if way:
                raise fail(
                    "LP0423", f"'with atomic:' in {fn.name} around what may sleep", op.span,
                    "one step, in which no other task runs", got=" > ".join(way),
                    next="end the atomic part before it, and look again after it",
                )  # fmt: skip


def _way_to_sleep(op: o.Call, fns: Mapping[str, o.Function]) -> tuple[str, ...]:
    """The calls from ``op`` to a function that runs in a frame of its own; () where none is."""
    if op.fn not in fns:
        return ()
    for fn, chain, _ in _called(fns[op.fn], fns):
        if any(a.startswith("frame:") for a in fn.attrs):
            return chain
    return ()


def check_ghosts(
    decls: Decls, fns: Mapping[str, o.Function], entries: Iterable[str], hooks: Iterable[str]
) -> None:
    """Raise LinkError LP0426 where the kernel reads what only monitors and properties know."""
    asked = set(hooks)
    for name in entries:
        if "env" in fns[name].attrs:
            continue  # it stands for what is around the kernel
        for fn, _, _ in _called(fns[name], fns):
            if fn.name in asked or not is_users(fn.span):
                continue
            for b in fn.blocks:
                for op in b.ops:
                    if isinstance(op, o.Load) and is_ghost(decls, op.place.var):
                        raise fail(
                            "LP0426", f"{fn.name} reads the ghost {op.place.var}", op.span,
                            "state of the kernel: a ghost is for monitors and properties",
                            got=op.place.var, next="declare it without ghost[…]",
                        )  # fmt: skip


def check_called(lay: Layers, hooks: Iterable[s.Def]) -> None:
    """Raise LinkError LP0427 for a function of the user's that replaces nothing and nothing calls.

    Only where the overlay is for one architecture, or a twin: a design may have a function that
    some architectures do not call.
    """
    replaced = {r.name for r in lay.replaced}
    asked = [
        d for n, d in lay.defs.items() if n not in replaced and is_users(d.span) and d.lang != "c"
    ]
    if not asked:
        return
    names = [n for n, d in lay.defs.items() if {a.partition(":")[0] for a in d.attrs} & {*ROLES}]
    seen = set(names)
    todo = [*(lay.defs[n] for n in names), *hooks]
    while todo:
        for c in walk(todo.pop().body):
            if isinstance(c, s.Invoke) and c.fn in lay.defs and c.fn not in seen:
                seen.add(c.fn)
                todo.append(lay.defs[c.fn])
    for d in asked:
        name = d.name
        kind, _, overlay = d.origin.partition(":")
        if name in seen:
            continue
        v = (
            find_overlays(kind, *lay.choice.search).get(overlay)
            if kind in ("design", *BROKEN)
            else None
        )
        if v is not None and (v.arch or kind in BROKEN):
            others = {n for n in seen | replaced if not is_users(lay.defs[n].span)}
            raise fail(
                "LP0427", f"nothing calls {name} of {d.origin}", d.span,
                "a function that replaces one below, or that something calls"
                + nearest(name, others), got="it replaces none", next="correct its name",
            )  # fmt: skip
