"""Monitors, properties and @forget: which of them a program is asked, and where."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from ..base.errors import SourceError
from ..ir import ops as o
from ..lang import syntax as s
from .builtin import BUILTIN
from .lowerer import Lowerer
from .refuse import check_hook, check_parameters, may_lack

HOOKS = ("at_entry", "at_exit")
# Parameters of a hook that are none of its function's: what that returns, and which point it is.
GIVEN = ("ret", "entry")
AGAIN = "'"
"""Ends the name of a hook that another one, or a function, has too: no name is written with it."""
HOOK_KINDS = {"monitor", "property", "forget"}


@dataclass(frozen=True, slots=True)
class Property:
    """A property as written: a hook with a verdict, or a condition on states.

    :param kind: ``at`` (checked where it is hooked), ``always``, ``stuck`` or ``builtin``
    :param applies: "" where the program can be asked, else why not
    :param replaces: names of narrower ones whose place it has taken
    :param uncalled: it does not apply because nothing calls what it is hooked to
    """

    name: str
    sentence: str
    source: str
    twin: str
    kind: str
    points: tuple[str, ...]
    fn: o.Function | None
    applies: str = ""
    replaces: tuple[str, ...] = ()
    uncalled: bool = False


def is_hook(d: s.Def) -> bool:
    """Whether ``d`` is a monitor, a property or a @forget: asked, never called."""
    return bool(HOOK_KINDS & {a.split(":")[0] for a in d.attrs})


def lower_hooks(
    lo: Lowerer, hooks_at: dict[str, s.Def], meta: dict[str, dict[str, str]]
) -> tuple[dict[tuple[str, str], list[o.Function]], list[Property]]:
    """Lower monitors and properties; one whose names the program lacks does not apply."""
    hooks: dict[tuple[str, str], list[o.Function]] = {}
    found: dict[str, Property] = {}
    reached = dict(lo.done)
    written = _written(reached.values())
    for key, d in hooks_at.items():
        words = [a.partition(":") for a in d.attrs]
        kinds = {w[0] for w in words}
        check_hook(lo.lay, d, meta[key])
        dropped = "forget" in kinds and not _may_forget(lo, meta[key])
        if dropped or not kinds & HOOK_KINDS or not _is_asked(lo, meta[key]):
            continue
        points = tuple(f"{w[0]}:{w[2]}" for w in words if w[0] in HOOKS)
        live = [p for p in points if p.split(":")[1] in reached]
        kind = "at" if points else "always" if "always" in kinds else "stuck"
        fn, why = _lower_hook(lo, d)
        uncalled = not why and bool(points) and not live
        if uncalled:
            why = f"no {', '.join(p.split(':')[1] for p in points)} in this program"
        why = why or _lacking(meta[key].get("needs", ""), written, lo.lay.defs)
        wants = sum(n not in GIVEN for n, _ in d.params)
        live = [p for p in live if wants <= len(reached[p.split(":")[1]].params)]
        if not why and points and not live:
            why = f"{', '.join(p.split(':')[1] for p in points)} has no such parameter"
        if not why and fn is not None:
            lo.follow(fn)
            for p in live:
                where, _, name = p.partition(":")
                check_parameters(d, p.partition(":")[0], reached[name])
                hooks.setdefault((where, name), []).append(fn)
        if "property" in kinds:
            m = meta[key]
            name = d.name.replace("_", "-")
            prop = Property(
                name,
                " ".join(d.doc.split()),
                m.get("source", ""),
                m.get("twin", ""),
                kind,
                points,
                fn if not why else None,
                why,
                tuple(n.strip().replace("_", "-") for n in m.get("replaces", "").split(",") if n),
                uncalled,
            )
            if name not in found or found[name].applies:
                found[name] = prop
    for name, sentence, source, twin in BUILTIN:
        found[name] = Property(name, sentence, source, twin, "builtin", (), None)
    for fns in hooks.values():
        fns.sort(key=lambda f: "property" in f.attrs)
    for (where, _), fns in hooks.items():
        if where == "at_exit":
            fns.sort(key=lambda f: "property" not in f.attrs)
    return hooks, sorted(found.values(), key=lambda p: p.name)


def own_names(
    functions: Iterable[str], hooks: dict[tuple[str, str], list[o.Function]]
) -> dict[tuple[str, str], list[o.Function]]:
    """The hooks under names that are nobody else's: a function of the program, or a hook of another
    file, may have the one that is written. Who looks for what a hook does finds it by its name.
    """
    taken = set(functions)
    names: dict[int, str] = {}
    for h in (h for hs in hooks.values() for h in hs):
        if id(h) not in names:
            names[id(h)] = h.name
            while names[id(h)] in taken:
                names[id(h)] += AGAIN
            taken.add(names[id(h)])
    return {at: [replace(h, name=names[id(h)]) for h in hs] for at, hs in hooks.items()}


def property_of(hook: o.Function) -> str:
    """The name of the property that a hook asks."""
    return hook.name.rstrip(AGAIN).replace("_", "-")


def _lower_hook(lo: Lowerer, d: s.Def) -> tuple[o.Function | None, str]:
    """A hook, and "" or why it does not apply: a name that this program lacks.

    Anything else is a mistake in it.
    """
    try:
        return lo.lower(d), ""
    except SourceError as e:
        if e.code not in ("LP0201", "LP0202", "LP0206"):
            raise
        may_lack(lo.lay, d, e)
        return None, e.what


def _is_asked(lo: Lowerer, meta: dict[str, str]) -> bool:
    """Whether some thread does what the hook is about, and a constant of its ``where`` is not 0.

    Else the program goes without the hook.
    """
    does, where = meta.get("does", ""), meta.get("where", "")
    spoken = not does or any(does in t.does for t in lo.scenario.tasks)
    named = [n.strip() for n in where.split(",")]
    return spoken and (not where or any(lo.decls.consts.get(n) for n in named))


def _may_forget(lo: Lowerer, meta: dict[str, str]) -> bool:
    """Whether a value is dead as @forget says: while the bodies that make it so are in place."""
    if not lo.lay.choice.reduce:
        return False
    names = [n.strip() for n in meta.get("bodies", "").split(",")]
    origins = [w.strip() for w in meta.get("origin", "").split(",")]
    return all(n in lo.done and lo.done[n].origin in origins for n in names)


def _written(reached: Iterable[o.Function]) -> set[str]:
    """Every field and variable that these functions store to."""
    ops = (op for f in reached for b in f.blocks for op in b.ops)
    return {op.place.var for op in ops if isinstance(op, o.Store)}


def _lacking(needs: str, written: Collection[str], defs: Collection[str]) -> str:
    """Why a property that needs these functions, or fields that are written, does not apply.

    A function that is there and that nothing calls any more is no excuse.
    """
    for name in [n.strip() for n in needs.split(",") if n.strip()]:
        if name not in (written if "." in name else defs):
            return f"nothing writes {name}" if "." in name else f"no {name} in this program"
    return ""
