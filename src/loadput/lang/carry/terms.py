"""C's expressions in the specification's terms, and an edit of one laid on the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from .. import syntax as s
from ..guess import NULLS, SAME, TRUTH, is_error_code, walk
from ..infer import PLACES, WRITERS
from ..show import counted, render_expr
from .nodes import local_names, tree_of

Fn = Callable[[s.Expr], s.Expr | None]


def rewrite(node: s.Expr, fn: Fn) -> s.Expr:
    """``node`` with every expression that ``fn`` has another one for replaced, outer first."""
    new = fn(node)
    if new is not None:
        return new
    changes: dict[str, object] = {}
    for f in dataclasses.fields(node):
        v = getattr(node, f.name)
        if isinstance(v, s.Expr):
            changes[f.name] = rewrite(v, fn)
        elif isinstance(v, tuple) and v and all(isinstance(x, s.Expr) for x in v):
            changes[f.name] = tuple(rewrite(x, fn) for x in v)
    return dataclasses.replace(node, **changes) if changes else node  # type: ignore[arg-type]


def rewrite_stmt(st: s.Stmt, fn: Fn) -> s.Stmt:
    """The statement with its expressions rewritten, and those of all that is in it."""
    changes: dict[str, object] = {}
    for f in dataclasses.fields(st):
        v = getattr(st, f.name)
        if isinstance(v, s.Expr):
            changes[f.name] = rewrite(v, fn)
        elif f.name == "cases":
            changes["cases"] = tuple(
                (tuple(rewrite(x, fn) for x in values), tuple(rewrite_stmt(x, fn) for x in body))
                for values, body in v
            )
        elif isinstance(v, tuple) and v and isinstance(v[0], s.Stmt):
            changes[f.name] = tuple(rewrite_stmt(x, fn) for x in v)
    return dataclasses.replace(st, **changes) if changes else st  # type: ignore[arg-type]


def calling(d: s.Def, names: Mapping[str, str]) -> s.Def:
    """``d``, where it calls each of ``names`` by the other name."""

    def one(e: s.Expr) -> s.Expr | None:
        if isinstance(e, s.Invoke) and e.fn in names:
            args = tuple(rewrite(a, one) for a in e.args)
            return dataclasses.replace(e, fn=names[e.fn], args=args)
        return None

    return dataclasses.replace(d, body=tuple(rewrite_stmt(st, one) for st in d.body))


def straight(e: s.Expr) -> s.Expr | None:
    """``x.f`` for ``(&x)->f``; None for others."""
    if isinstance(e, s.Member) and isinstance(e.base, s.Unary) and e.base.op == "&":
        return dataclasses.replace(e, base=rewrite(e.base.a, straight), arrow=False)
    return None


def plain(e: s.Expr) -> str:
    """``e`` as text without access macros, casts and marks: what two sides are compared by."""

    def strip(x: s.Expr) -> s.Expr | None:
        if isinstance(x, s.Foreign):
            return rewrite(x.inner, strip)
        if is_error_code(x):
            return s.Num(-1, x.span)
        if isinstance(x, s.Unary) and x.op == "-" and isinstance(x.a, s.Num):
            return s.Num(-x.a.value, x.span)
        if isinstance(x, s.Name) and x.id in TRUTH:
            return s.Num(int(x.id in ("true", "True")), x.span)
        if isinstance(x, s.Name) and x.id in NULLS:
            return s.Num(0, x.span)
        if isinstance(x, s.Invoke) and x.args:
            if x.fn in SAME and x.fn not in ("xchg", "cmpxchg"):
                return rewrite(_bare(x.args[0]), strip)
            if x.fn in WRITERS and x.fn not in ("xchg", "cmpxchg", "atomic_xchg"):
                lhs, rhs = (rewrite(_bare(a), strip) for a in x.args[:2])
                return s.AssignE(lhs, "", rhs, x.span)
            if x.fn in PLACES:
                args = tuple(rewrite(_bare(a), strip) for a in x.args)
                return dataclasses.replace(x, args=args)
        return None

    return render_expr(rewrite(counted(e), strip))


def _bare(e: s.Expr) -> s.Expr:
    return e.a if isinstance(e, s.Unary) and e.op == "&" else e


class Terms:
    """What C's names are in the specification's function ``spec``.

    A parameter is the one of its name, else the one that stands where it stands; a local is the
    local of its name, else what it was set to, if it is set once; anything else is not modelled.
    """

    def __init__(self, c: s.Def, spec: s.Def) -> None:
        self.known = local_names(spec)
        self.of: dict[str, s.Expr] = {}
        here = [n for n, _ in spec.params]
        for i, (name, _) in enumerate(c.params):
            if name in here:
                continue
            if len(c.params) == len(here) and here[i] not in {n for n, _ in c.params}:
                self.of[name] = s.Name(here[i], c.span)
        self.sets = set_once(c)

    def __call__(self, e: s.Expr) -> s.Expr:
        """``e`` in the specification's terms."""
        return rewrite(e, self._name)

    def stmt(self, st: s.Stmt) -> s.Stmt:
        """A statement in the specification's terms."""
        return rewrite_stmt(st, self._set_or_name)

    def _set_or_name(self, e: s.Expr) -> s.Expr | None:
        """As `_name`; a local that is set is no more than itself."""
        is_set = isinstance(e, s.AssignE) and isinstance(e.lhs, s.Name)
        if isinstance(e, s.AssignE) and is_set and e.lhs.id in self.sets:  # type: ignore[union-attr]
            return dataclasses.replace(e, rhs=rewrite(e.rhs, self._set_or_name))
        return self._name(e)

    def _name(self, e: s.Expr, depth: int = 0) -> s.Expr | None:
        if not isinstance(e, s.Name):
            return None
        name = e.id.partition(".")[0]
        if name in self.known:
            return s.Name(name, e.span) if name != e.id else e
        if e.id in self.of:
            return self.of[e.id]
        value = self.sets.get(e.id)
        if value is not None and depth < 4:
            return rewrite(value, lambda x: self._name(x, depth + 1))
        return None


def set_once(c: s.Def) -> Mapping[str, s.Expr]:
    """The locals that have one value throughout: what it is, where asking for it does nothing.

    What ``c`` itself writes may be another later than it was when the local was set.
    """
    count: dict[str, int] = {n: 2 for n, _ in c.params}
    value: dict[str, s.Expr] = {}
    for n in walk(c.body):
        if isinstance(n, s.Declare) and n.init is not None:
            count[n.name] = count.get(n.name, 0) + 1
            value[n.name] = n.init
        elif isinstance(n, s.AssignE | s.PostInc) and isinstance(n.lhs, s.Name):
            count[n.lhs.id] = count.get(n.lhs.id, 0) + 1
            if isinstance(n, s.AssignE) and not n.op:
                value[n.lhs.id] = n.rhs
            else:
                count[n.lhs.id] += 1
        elif isinstance(n, s.Unary) and n.op == "&" and isinstance(n.a, s.Name):
            count[n.a.id] = count.get(n.a.id, 0) + 2
    own, written = local_names(c), written_fields(c)
    return {
        n: v
        for n, v in value.items()
        if n in own and count[n] == 1 and is_address(v) and not written & read_fields(v)
    }


def written_fields(c: s.Def) -> set[str]:
    """The fields and variables that ``c`` itself writes."""
    return {f[2:] for n in tree_of(c).walk() for f in n.effects if f.startswith("w:")}


def read_fields(e: s.Expr, own: AbstractSet[str] = frozenset()) -> set[str]:
    """The fields and variables that ``e`` reads; not one that it gives the address of.

    :param own: locals, which are no variables
    """
    if isinstance(e, s.Unary) and e.op == "&" and isinstance(e.a, s.Member):
        return read_fields(e.a.base, own)
    every = (e, *walk(e))
    fields = {n.name for n in every if isinstance(n, s.Member)}
    return fields | {n.id for n in every if isinstance(n, s.Name) and n.id not in own}


def is_address(e: s.Expr) -> bool:
    """Whether ``e`` only says where something is, so that it may stand for the local anywhere."""
    if isinstance(e, s.Name | s.Num):
        return True
    if isinstance(e, s.Foreign):
        return is_address(e.inner)
    if isinstance(e, s.Member):
        return is_address(e.base)
    if isinstance(e, s.Index):
        return is_address(e.base) and is_address(e.index)
    if isinstance(e, s.Unary):
        return e.op in "&*" and is_address(e.a)
    if isinstance(e, s.Invoke):
        is_view = "_to_" in f"_{e.fn}" or e.fn in (
            *("container_of", "per_cpu_ptr", "this_cpu_ptr", "__pointer_cast", "raw_cpu_ptr"),
            *("per_cpu", "smp_processor_id", "raw_smp_processor_id", "kvm_get_running_vcpu"),
        )
        return is_view and all(is_address(a) for a in e.args)
    return False


class NoPartner(Exception):
    """An edit of an expression touches a part that the specification does not have."""


def merge(before: s.Expr, after: s.Expr, spec: s.Expr, terms: Terms) -> s.Expr:
    """``spec`` with what turns ``before`` into ``after`` done to it.

    :param before: C; so is ``after``
    :raises NoPartner: the changed part has none in ``spec``
    """
    before, after = _own(before), _own(after)
    b, a = terms(before), terms(after)
    if plain(b) == plain(a):
        if render_expr(b) == render_expr(a):
            return spec
        if plain(b) == plain(spec):  # only a mark changed, such as READ_ONCE
            return s.Foreign(a, after.span)
        raise NoPartner
    if plain(b) == plain(spec):
        return s.Foreign(a, after.span)
    if isinstance(before, s.Invoke) and before.fn in ("likely", "unlikely") and before.args:
        return merge(before.args[0], after, spec, terms)
    if isinstance(after, s.Invoke) and after.fn in ("likely", "unlikely") and after.args:
        return merge(before, after.args[0], spec, terms)
    for x, y in ((before, after), (after, before)):
        if isinstance(x, s.Unary) and x.op == "!" and plain(terms(x.a)) == plain(terms(y)):
            return _not(spec)
    got = _merge_chain(before, after, spec, terms)
    return got if got is not None else _merge_parts(before, after, spec, terms)


def _own(e: s.Expr) -> s.Expr:
    return e.inner if isinstance(e, s.Foreign) else e


def _not(e: s.Expr) -> s.Expr:
    return e.a if isinstance(e, s.Unary) and e.op == "!" else s.Unary("!", e, e.span)


def operands(e: s.Expr, op: str) -> list[s.Expr]:
    """``a, b, c`` of ``a op b op c``."""
    if isinstance(e, s.Binary) and e.op == op:
        return [*operands(e.a, op), *operands(e.b, op)]
    return [e]


def chain(parts: list[s.Expr], op: str) -> s.Expr:
    """``a op b op c`` of its operands."""
    out = parts[0]
    for p in parts[1:]:
        out = s.Binary(op, out, p, p.span)
    return out


def _merge_chain(before: s.Expr, after: s.Expr, spec: s.Expr, terms: Terms) -> s.Expr | None:
    """Operands of ``&&`` or ``||`` that came, went or changed; None where neither is a chain."""
    ops = [e.op for e in (before, after) if isinstance(e, s.Binary) and e.op in ("&&", "||")]
    if not ops or len(set(ops)) > 1:
        return None
    op = ops[0]
    b, a, mine = operands(before, op), operands(after, op), operands(spec, op)
    tb, ta = [plain(terms(x)) for x in b], [plain(terms(x)) for x in a]
    partner = _partners(b, mine, terms)
    out = list(mine)
    gone = [i for i, t in enumerate(tb) if t not in ta]
    new = [i for i, t in enumerate(ta) if t not in tb]
    if not gone and not new:  # only their order changed
        raise NoPartner
    for i in gone:
        j = partner.get(i)
        like = next((n for n in new if n == i), new[0] if len(gone) == len(new) == 1 else None)
        if like is not None:
            new.remove(like)
            if j is None:
                raise NoPartner
            out[out.index(mine[j])] = merge(b[i], a[like], mine[j], terms)
        elif j is None:
            raise NoPartner
        else:
            out.remove(mine[j])
    for i in new:
        at = next((partner[k] for k in range(len(tb)) if k in partner and tb[k] in ta[i + 1 :]), -1)
        e = s.Foreign(terms(a[i]), a[i].span)
        out.insert(out.index(mine[at]) if at >= 0 and mine[at] in out else len(out), e)
    if not out:
        return s.Name("True" if op == "&&" else "False", spec.span)
    return chain(out, op)


def _partners(b: list[s.Expr], spec: list[s.Expr], terms: Terms) -> dict[int, int]:
    """Which operand of ours is which of C's: the equal ones, then one that reads the same."""
    out: dict[int, int] = {}
    texts = [plain(e) for e in spec]
    for i, e in enumerate(b):
        t = plain(terms(e))
        if t in texts and texts.index(t) not in out.values():
            out[i] = texts.index(t)
    for i, e in enumerate(b):
        if i in out:
            continue
        names = _names(terms(e))
        fits = [j for j in range(len(spec)) if j not in out.values() and names & _names(spec[j])]
        if len(fits) == 1:
            out[i] = fits[0]
    return out


def _names(e: s.Expr) -> set[str]:
    """The fields, functions and constants that an expression speaks of."""
    out: set[str] = set()
    for x in (e, *walk(e)):
        if isinstance(x, s.Member):
            out.add(x.name)
        elif isinstance(x, s.Invoke) and x.fn not in SAME:
            out.add(x.fn)
        elif isinstance(x, s.Name) and x.id.isupper():
            out.add(x.id)
    return out


def _merge_parts(before: s.Expr, after: s.Expr, spec: s.Expr, terms: Terms) -> s.Expr:
    """The same operator or call on both sides, changed inside."""
    spec = spec.inner if isinstance(spec, s.Foreign) else spec
    if isinstance(before, s.Invoke) and isinstance(after, s.Invoke) and before.fn == after.fn:
        if isinstance(spec, s.Invoke) and spec.fn == before.fn:
            return dataclasses.replace(spec, args=_merge_args(before, after, spec, terms))
        wraps = before.fn in SAME and before.args and after.args
        if wraps and len(before.args) == len(after.args) == 1:
            return merge(_bare(before.args[0]), _bare(after.args[0]), spec, terms)
    if type(before) is not type(after) or type(before) is not type(spec):
        raise NoPartner
    if isinstance(before, s.Binary) and isinstance(after, s.Binary) and isinstance(spec, s.Binary):
        if before.op != spec.op:
            raise NoPartner
        a, b = (merge(getattr(before, f), getattr(after, f), getattr(spec, f), terms) for f in "ab")
        return s.Binary(after.op, a, b, spec.span)
    if isinstance(before, s.Unary) and isinstance(after, s.Unary) and isinstance(spec, s.Unary):
        if before.op == spec.op == after.op:
            return s.Unary(spec.op, merge(before.a, after.a, spec.a, terms), spec.span)
    if isinstance(before, s.Ternary) and isinstance(after, s.Ternary):
        assert isinstance(spec, s.Ternary)
        test, yes, no = (
            merge(getattr(before, f), getattr(after, f), getattr(spec, f), terms)
            for f in ("cond", "a", "b")
        )
        return s.Ternary(test, yes, no, spec.span)
    if isinstance(before, s.AssignE) and isinstance(after, s.AssignE):
        assert isinstance(spec, s.AssignE)
        if before.op == spec.op:
            lhs = merge(before.lhs, after.lhs, spec.lhs, terms)
            return s.AssignE(
                lhs, after.op, merge(before.rhs, after.rhs, spec.rhs, terms), spec.span
            )
    raise NoPartner


def _merge_args(
    before: s.Invoke, after: s.Invoke, spec: s.Invoke, terms: Terms
) -> tuple[s.Expr, ...]:
    """The arguments of one call: each change goes to the argument of ours that says the same."""
    if len(before.args) != len(after.args):
        raise NoPartner
    out = list(spec.args)
    for i, (b, a) in enumerate(zip(before.args, after.args, strict=True)):
        if render_expr(terms(b)) == render_expr(terms(a)):
            continue
        same = [j for j, e in enumerate(spec.args) if plain(e) == plain(terms(b))]
        if len(before.args) == len(spec.args):
            same = [i]
        if len(same) != 1:
            raise NoPartner
        out[same[0]] = merge(b, a, spec.args[same[0]], terms)
    return tuple(out)
