"""Names that only became others: locals and fields of a patch, taken for what they were.

A local that is called otherwise changes nothing. A field does not either where the patch takes the
one out and brings the other as the same, and nothing speaks of both. Functions and constants:
lang/inputs/renamed.py.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from ...ir import types as ty
from ...ir.decls import Decls
from .. import syntax as s
from ..guess import walk
from ..show import render_expr
from .inline import rename
from .nodes import local_names, tree_of
from .plain import inside
from .terms import rewrite, rewrite_stmt, set_once, straight


def same_locals(before: s.Def, after: s.Def) -> s.Def:
    """``after`` with its parameters and locals named as in ``before``, where they are the same.

    Any one-to-one renaming is sound; which local is which is told by the statements that it makes
    the same.
    """
    was, now = local_names(before), local_names(after)
    old, new = [n for n in _order(before) if n not in now], sorted(now - was)
    names: dict[str, str] = {}
    if len(before.params) == len(after.params):
        for (b, _), (a, _) in zip(before.params, after.params, strict=True):
            if a != b and b in old and a in new:
                names[a] = b
                old.remove(b)
                new.remove(a)
    texts = _texts(before)
    for a in [n for n in _order(after) if n in new]:
        best, most = "", 0
        mine = _texts(after, {**names, a: "\0"}, of="\0")
        for b in old:
            same = sum((Counter(t.replace("\0", b) for t in mine) & texts).values())
            if same > most:
                best, most = b, same
        if best:
            names[a] = best
            old.remove(best)
    return renamed_locals(after, names) if names else after


def plainly(d: s.Def) -> s.Def:
    """``d`` without hints for the compiler, and without locals that nobody reads."""

    def hint(e: s.Expr) -> s.Expr | None:
        if isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely") and len(e.args) == 1:
            return rewrite(e.args[0], hint)
        return straight(e) or _per_cpu(e)

    d = dataclasses.replace(d, body=tuple(rewrite_stmt(st, hint) for st in d.body))
    for _ in range(3):
        dead = _never_read(d)
        if not dead:
            break
        d = dataclasses.replace(d, body=_but_sets(d.body, dead))
    return d


def _per_cpu(e: s.Expr) -> s.Expr | None:
    """``per_cpu(x, cpu)`` for ``*per_cpu_ptr(&x, cpu)``; None for others."""
    at = e.a if isinstance(e, s.Unary) and e.op == "*" else None
    if not isinstance(at, s.Invoke) or at.fn != "per_cpu_ptr" or len(at.args) != 2:
        return None
    place = at.args[0]
    if not isinstance(place, s.Unary) or place.op != "&":
        return None
    return s.Invoke("per_cpu", (place.a, at.args[1]), e.span)


def same_flags(d: s.Def) -> s.Def:
    """``d`` with the one local that it keeps its interrupts' state in called ``flags``: a guard has
    none that anybody named.
    """
    said = {n.id for n in walk(d.body) if isinstance(n, s.Name)}
    kept = {
        a.id
        for n in walk(d.body)
        if isinstance(n, s.Invoke) and n.fn.endswith(("_irqsave", "_irq_save"))
        for a in n.args[-1:]
        if isinstance(a, s.Name)
    }
    if len(kept) != 1 or "flags" in said:
        return d
    return renamed_locals(d, {kept.pop(): "flags"})


def _never_read(d: s.Def) -> set[str]:
    """The locals that are only ever set, to what asking for does nothing."""
    own = {n.name for n in walk(d.body) if isinstance(n, s.Declare)}
    speaks = Counter(n.id for n in walk(d.body) if isinstance(n, s.Name))
    sets: Counter[str] = Counter()
    for n in walk(d.body):
        if isinstance(n, s.ExprStmt) and isinstance(n.expr, s.AssignE):
            e = n.expr
            if isinstance(e.lhs, s.Name) and not _does_something(e.rhs):
                sets[e.lhs.id] += 1
        elif isinstance(n, s.Declare) and n.init is not None and _does_something(n.init):
            own.discard(n.name)
        elif isinstance(n, s.OpaqueStmt):
            own -= {x for x in own if x in n.text}
    return {n for n in own if speaks[n] == sets[n] and sets[n]}


def _does_something(e: s.Expr) -> bool:
    return any(isinstance(x, s.Invoke | s.AssignE | s.PostInc) for x in (e, *walk(e)))


def _but_sets(body: Sequence[s.Stmt], dead: set[str]) -> tuple[s.Stmt, ...]:
    """``body`` without what declares or sets the locals ``dead``."""
    out = []
    for st in body:
        e = st.expr if isinstance(st, s.ExprStmt) else None
        if isinstance(e, s.AssignE) and isinstance(e.lhs, s.Name) and e.lhs.id in dead:
            continue
        if isinstance(st, s.Declare) and st.name in dead:
            continue
        out.append(inside(st, lambda b: _but_sets(b, dead)))
    return tuple(out)


def same_aliases(before: s.Def, after: s.Def) -> tuple[s.Def, s.Def]:
    """Both without the locals that only one has and that only say where something is."""
    mine = [set_once(d) for d in (before, after)]
    texts = [{n: render_expr(v) for n, v in m.items()} for m in mine]
    out = []
    for i, d in enumerate((before, after)):
        other = (after, before)[i]
        twins = {v: n for n, v in texts[i].items() if texts[1 - i].get(n) == v}
        alone = {n: v for n, v in mine[i].items() if n not in local_names(other)}
        exprs = {
            n: s.Name(twins[text], d.span) if text in twins and not isinstance(v, s.Name) else v
            for n, v in alone.items()
            for text in [render_expr(v)]
        }
        out.append(_without(d, exprs) if exprs else d)
    return out[0], out[1]


def _without(d: s.Def, exprs: Mapping[str, s.Expr]) -> s.Def:
    """``d`` with locals read as what they were set to, and nowhere set."""
    for _ in exprs:  # one may be set to another
        exprs = {n: rewrite(e, _named(exprs)) for n, e in exprs.items()}

    def kept(body: Sequence[s.Stmt]) -> tuple[s.Stmt, ...]:
        out = []
        for st in body:
            e = st.expr if isinstance(st, s.ExprStmt) else None
            sets = isinstance(e, s.AssignE) and isinstance(e.lhs, s.Name) and e.lhs.id in exprs
            if sets or (isinstance(st, s.Declare) and st.name in exprs):
                continue
            out.append(inside(st, kept))
        return tuple(out)

    return dataclasses.replace(d, body=rename(kept(d.body), exprs))


def _named(exprs: Mapping[str, s.Expr]) -> Callable[[s.Expr], s.Expr | None]:
    return lambda e: exprs.get(e.id) if isinstance(e, s.Name) else None


def renamed_locals(d: s.Def, names: Mapping[str, str]) -> s.Def:
    """``d`` with parameters and locals under other names."""
    params = tuple((names.get(n, n), t) for n, t in d.params)
    exprs = {a: s.Name(b, d.span) for a, b in names.items()}
    return dataclasses.replace(d, params=params, body=rename(d.body, exprs))


def _order(d: s.Def) -> list[str]:
    """The parameters and locals in the order of the text."""
    found = [n for n, _ in d.params]
    found += [n.name for n in walk(d.body) if isinstance(n, s.Declare)]
    return list(dict.fromkeys(found))


def _texts(d: s.Def, names: Mapping[str, str] | None = None, of: str = "") -> Counter[str]:
    """The statements and tests of ``d``, each as its text; with ``of`` those that speak of it."""
    if names:
        d = renamed_locals(d, names)
    out: Counter[str] = Counter()
    for n in tree_of(d).walk():
        if n.kind in ("then", "else", "root") or (of and of not in n.key):
            continue
        out[n.key] += 1
    return out


def same_views(d: s.Def, decls: Decls) -> s.Def:
    """``d`` with a view of a vCPU that the program does not have as the one that it has.

    What ``to_vt(vcpu)`` leads to is in the structure that ``to_vmx(vcpu)`` leads to: a field is
    known by its name.
    """
    vcpu = ty.Ptr("kvm_vcpu")
    ours = [
        n
        for n, f in decls.funcs.items()
        if n.startswith("to_") and [t for _, t in f.params] == [vcpu] and isinstance(f.ret, ty.Ptr)
    ]
    if len(ours) != 1:
        return d

    def one(e: s.Expr) -> s.Expr | None:
        is_view = isinstance(e, s.Invoke) and e.fn.startswith("to_") and len(e.args) == 1
        if not is_view or not isinstance(e, s.Invoke) or e.fn in decls.funcs:
            return None
        arg = e.args[0]
        if not (isinstance(arg, s.Name) and ("vcpu" in arg.id or arg.id == "v")):
            return None
        return dataclasses.replace(e, fn=ours[0])

    body = tuple(rewrite_stmt(st, one) for st in d.body)
    return d if body == d.body else dataclasses.replace(d, body=body)


def same_names(
    before: Sequence[s.Def], after: Sequence[s.Def], *, fields: Mapping[str, str]
) -> dict[str, str]:
    """Per field that only became another name, what it was.

    :param fields: per field that the patch brings, one that it takes out, of the same type
    """
    was, now = (
        Counter(x for d in defs for n in walk(d.body) if (x := _member(n)))
        for defs in (before, after)
    )
    return {
        new: old
        for new, old in fields.items()
        if was[old] and now[new] and not was[new] and not now[old]
    }


def _member(n: s.Expr | s.Stmt) -> str:
    """The field that ``n`` reads, or whose function it calls; "" for others."""
    if isinstance(n, s.Invoke) and "->" in n.fn:
        return n.fn.rpartition("->")[2]
    return n.name if isinstance(n, s.Member) else ""


def renamed(d: s.Def, fields: Mapping[str, str]) -> s.Def:
    """``d`` with fields under the names that they had."""

    def one(e: s.Expr) -> s.Expr | None:
        if isinstance(e, s.Member) and e.name in fields:
            return dataclasses.replace(e, base=rewrite(e.base, one), name=fields[e.name])
        if isinstance(e, s.Invoke) and _member(e) in fields:
            args = tuple(rewrite(a, one) for a in e.args)
            base, arrow, name = e.fn.rpartition("->")
            return dataclasses.replace(e, fn=f"{base}{arrow}{fields[name]}", args=args)
        return None

    body = tuple(rewrite_stmt(st, one) for st in d.body)
    return d if body == d.body else dataclasses.replace(d, body=body)
