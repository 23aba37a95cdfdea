"""The user's C laid over everything: new signatures, removed functions, vendor operations."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from ..base.errors import LinkError
from ..base.source import Span
from ..ir import types as ty
from ..ir.decls import Signature
from ..lang import syntax as s
from ..lang.guess import walk
from ..lang.infer import adopt_signature, infer_fields
from ..lang.opaque import ABRIDGED
from .layers import Layers
from .overlay import source_line

OP = "kvm_x86_"


def lay_user(lay: Layers) -> None:
    """Lay the choice's ``user`` functions on and take its ``removed`` ones out."""
    choice = lay.choice
    for name in choice.removed:
        if name in lay.defs:
            del lay.defs[name]
            lay.decls.funcs.pop(name, None)
            lay.removed[name] = choice.user_label or "user"
    for struct, f in choice.fields:
        into = lay.decls.structs[struct].fields if struct else lay.decls.globals
        into.setdefault(f.name, f)
        lay.decls.inferred.append(dataclasses.replace(f, name=f"{struct}.{f.name}".lstrip(".")))
    user = {d.name: d for d in choice.user}
    for d in user.values():
        _abridged(lay, d)
    lay.changed |= {n for n, d in user.items() if n in lay.defs and _arity_differs(d, lay.defs[n])}
    # Signatures first: what a field or a parameter is depends on what it is passed to.
    for d in user.values():
        if d.lang == "c" and d.name in lay.decls.funcs:
            new = adopt_signature(d, lay.decls)
            lay.decls.funcs[d.name] = Signature(d.name, new.params, new.ret)
    infer_fields([d for d in user.values() if d.lang == "c"], lay.decls, choice.hints)
    lay.lay_defs(tuple(user.values()), tuple(lay.changed))
    _connect_operations(lay, user)
    lay.labels.append(choice.user_label or "user")


def _abridged(lay: Layers, d: s.Def) -> None:
    """Raises LinkError LP0418 where the kernel's function has parameters that ours leaves out."""
    old = lay.defs.get(d.name)
    if old is None or not _arity_differs(d, old):
        return
    if len(d.params) in ABRIDGED.get(d.name, ()):
        raise LinkError(
            "LP0418",
            f"{d.name} cannot be taken from C: the specification's is an abridgement",
            span=d.span,
            line_text=source_line(d.span),
            got=", ".join(n for n, _ in d.params),
            expected=f"{', '.join(n for n, _ in old.params) or 'no parameters'}, as at "
            f"{_place(old.span)}",
            next="leave that function out of the input; the rest can be judged",
        )


def _arity_differs(new: s.Def, old: s.Def) -> bool:
    return len(new.params) != len(old.params)


def _connect_operations(lay: Layers, user: Mapping[str, s.Def]) -> None:
    """``kvm_x86_<op>`` calls the user's ``svm_<op>``, ``vmx_<op>`` or ``vt_<op>``.

    The kernel fills in a table of operations; here one function each forwards the call.
    """
    arch = lay.choice.arch
    called = {c.fn for d in lay.defs.values() for c in _calls(d) if c.fn.startswith(OP)}
    for prefix in (f"{arch}_", "vt_"):
        for name, d in user.items():
            op = OP + name.removeprefix(prefix)
            if not name.startswith(prefix) or op in user:
                continue
            old = lay.defs.get(op)
            if old is None and op not in called:
                continue
            forwards = old is not None and any(c.fn == name for c in _calls(old))
            if forwards and old is not None and not _arity_differs(d, old):
                continue
            if old is not None and _arity_differs(d, old):
                lay.changed.add(op)
            sig = lay.decls.funcs[name]
            lay.defs[op] = _forward(op, d, sig)
            lay.decls.funcs[op] = Signature(op, sig.params, sig.ret)


def _forward(op: str, to: s.Def, sig: Signature) -> s.Def:
    at = to.span
    call = s.Invoke(to.name, tuple(s.Name(n, at) for n, _ in sig.params), at)
    body: s.Stmt = s.ExprStmt(call, at)
    if not isinstance(sig.ret, ty.Void):
        body = s.ReturnStmt(call, at)
    return dataclasses.replace(
        to, name=op, params=sig.params, ret=sig.ret, body=(body,), lang="python", assumed=()
    )


def _calls(d: s.Def) -> Iterable[s.Invoke]:
    return (n for n in walk(d.body) if isinstance(n, s.Invoke))


def check_callers(lay: Layers, entries: Sequence[str]) -> None:
    """Every reachable call fits a changed signature, and none calls what was removed.

    Raises LinkError LP0414 (a caller that does not fit), LP0415 (a call of a removed function).
    """
    gone = {n for n in lay.choice.removed if n in lay.removed and n not in lay.defs}
    if not lay.choice.user and not gone:
        return
    user = {d.name for d in lay.choice.user}
    misfits: dict[str, list[tuple[s.Def, s.Invoke]]] = {}
    stale: dict[str, list[tuple[s.Def, s.Invoke]]] = {}
    todo, seen = list(entries), set(entries)
    while todo:
        d = lay.defs[todo.pop()]
        for call in _calls(d):
            if call.fn in gone:
                stale.setdefault(call.fn, []).append((d, call))
            if call.fn not in lay.defs:
                continue
            mine = call.fn in lay.changed or (d.name in user and d.lang == "c")
            mine &= call.fn in lay.changed or len(call.args) not in ABRIDGED.get(call.fn, ())
            if mine and len(call.args) != len(lay.defs[call.fn].params):
                misfits.setdefault(call.fn, []).append((d, call))
            if call.fn not in seen:
                seen.add(call.fn)
                todo.append(call.fn)
    if misfits:
        raise _misfit(lay, *min(misfits.items()))
    if stale:
        raise _stale(lay, *min(stale.items()))


def _told(calls: Sequence[tuple[s.Def, s.Invoke]]) -> str:
    return ", ".join(sorted({f"{d.name} ({_place(c.span)})" for d, c in calls}))


def _place(at: Span) -> str:
    return f"{at.file}:{at.line}"


def _misfit(lay: Layers, name: str, calls: Sequence[tuple[s.Def, s.Invoke]]) -> LinkError:
    d = lay.defs[name]
    params = ", ".join(n for n, _ in d.params) or "none"
    first = calls[0][1]
    one = len(calls) == 1
    if name not in lay.changed:
        own = next((c.fn for c in _calls(d)), name) if name.startswith(OP) else name
        return LinkError(
            "LP0414",
            f"the input calls {name} with {len(first.args)} arguments, and leaves the one of"
            f" {lay.choice.arch} as it is",
            span=first.span,
            got=_told(calls),
            expected=f"{len(d.params)} arguments: {params}, as at {_place(d.span)}",
            next=f"add {lay.choice.arch}'s new {own} to the input, or leave"
            f" {lay.choice.arch} out with --arch",
        )
    who = ", ".join(sorted({c.name for c, _ in calls}))
    return LinkError(
        "LP0414",
        f"{name} has a new signature, and {len(calls)} caller{'s do' if not one else ' does'}"
        f" not fit it on {lay.choice.arch}",
        span=first.span,
        line_text=source_line(first.span),
        got=_told(calls),
        expected=f"{len(d.params)} arguments: {params}",
        next=f"add the new bod{'y' if one else 'ies'} of {who} to the input, or leave"
        f" {lay.choice.arch} out with --arch",
    )


def _stale(lay: Layers, name: str, calls: Sequence[tuple[s.Def, s.Invoke]]) -> LinkError:
    first = calls[0][1]
    return LinkError(
        "LP0415",
        f"the input removes {name}, which is still called on {lay.choice.arch}",
        span=first.span,
        line_text=source_line(first.span),
        got=_told(calls),
        expected="no caller of a removed function",
        next=f"add the new bodies of the callers, or a --base that does not call {name}",
    )
