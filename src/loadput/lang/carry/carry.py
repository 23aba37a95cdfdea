"""A patch's edits carried over to the specification's function that mirrors the C.

Three bodies of one function are laid beside each other: the C before and after, and ours. What the
edits touch of the C before has a partner in ours, or it has none; where it has, the edit is done to
the partner, and where it has none, the edit is *not judged*, and says why.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from .. import syntax as s
from ..guess import walk
from ..show import render_body
from . import edits as e_
from .align import align
from .edits import Difference, Edit, find_edits
from .nodes import Names, Node, tree_of
from .rebuild import Changes, Under, Wrap
from .terms import NoPartner, Terms, merge, operands, plain

CARRIED, NOTHING, NOT_JUDGED = "carried over", "changes nothing", "not judged"
BLOCK = ("root", "then", "else", "loop", "case")
Effect = Callable[[s.Def, Sequence[s.Stmt]], str]
T = TypeVar("T")


@dataclass(slots=True)
class Outcome:
    """What became of one edit.

    :param why: of one that is not judged: the reason, as a sentence without its stop
    """

    edit: Edit
    verdict: str
    why: str = ""


@dataclass(slots=True)
class Carried:
    """One changed C function and the specification's function with its edits.

    :param spec: ours; ``new`` is ours with the edits, the same object where nothing is changed
    """

    name: str
    spec: s.Def
    new: s.Def
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """How many edits were carried over, or seen to change nothing."""
        return sum(o.verdict != NOT_JUDGED for o in self.outcomes)

    @property
    def changes(self) -> bool:
        """Whether anything of ours is another now."""
        return self.new is not self.spec

    def diff(self, context: int = 1) -> list[str]:
        """The lines of ours that are another now, as a diff without its head."""
        old, new = (render_body(d.body, 0) for d in (self.spec, self.new))
        return body_diff(old, new, context)


def body_diff(old: Sequence[str], new: Sequence[str], context: int = 1) -> list[str]:
    """The lines of a unified diff; ``...`` where unchanged ones are left out."""
    out = []
    for line in list(difflib.unified_diff(old, new, lineterm="", n=context))[2:]:
        if not line.startswith("@@"):
            out.append(line)
        elif out:
            out.append("...")
    return out


class _No(Exception):
    """Why an edit cannot be carried over."""


class Carrier:
    """Carries the edits from ``before`` to ``after`` over to ``spec``.

    :param effect: what C in our terms does to modelled state: a word for it, or ""
    :param names: what the program's names say
    """

    def __init__(
        self, before: s.Def, after: s.Def, spec: s.Def, effect: Effect, names: Names
    ) -> None:
        self.spec, self.effect = spec, effect
        self.terms = Terms(before, spec)
        self.terms_after = Terms(after, spec)
        self.ours = tree_of(spec, names)
        self.diff: Difference = find_edits(tree_of(before, names), tree_of(after, names))
        self.to_spec = dict(align(self.diff.before.kids, self.ours.kids))
        self.to_spec[self.diff.before] = self.ours
        _prune(self.to_spec)
        _share(self.diff.before, self.to_spec)
        self.changes = Changes()
        self._wraps: dict[Node, Wrap] = {}
        self.above: dict[int, tuple[s.Stmt | None, str]] = {}
        self._number(spec.body, None, "root")

    def _number(self, body: Sequence[s.Stmt], owner: s.Stmt | None, branch: str) -> None:
        for st in body:
            self.above[id(st)] = (owner, branch)
            if isinstance(st, s.If):
                self._number(st.then, st, "then")
                self._number(st.other, st, "else")
            elif isinstance(st, s.While | s.For):
                self._number(st.body, st, "loop")
            elif isinstance(st, s.AtomicStmt | s.Group):
                self._number(st.body, st, "root")

    def run(self, name: str) -> Carried:
        """Carry every edit that can be."""
        outcomes = []
        for e in self.diff.edits:
            at = (e.after or e.before or self.diff.before).stmt
            e.place = f"{at.span.file}:{at.span.line}" if at is not None else ""
            try:
                outcomes.append(Outcome(e, *self._one(e)))
            except (_No, NoPartner) as no:
                outcomes.append(Outcome(e, NOT_JUDGED, str(no) or self._reason(e)))
        return Carried(name, self.spec, self.changes.lay(self.spec), outcomes)

    def _one(self, e: Edit) -> tuple[str, str]:
        if e.kind == e_.REMOVED:
            self._remove(_need(e.before))
        elif e.kind == e_.ADDED:
            self._add(_need(e.after))
        elif e.kind == e_.MOVED:
            self._move(e)
        elif e.kind == e_.CHANGED:
            self._change(_need(e.before), _need(e.after))
        elif e.kind == e_.WRAPPED:
            self._wrap(_need(e.after))
        else:
            self._unwrap(_need(e.before))
        return CARRIED, ""

    def _reason(self, e: Edit) -> str:
        node = e.before or e.after
        assert node is not None
        return f"the specification has no part that says '{_short(node)}'"

    # partners

    def partners(self, b: Node) -> list[Node]:
        """Our statements for ``b`` and all under it."""
        found = [self.to_spec[k] for k in b.walk() if k in self.to_spec]
        return [n for n in dict.fromkeys(found) if n.stmt is not None]

    def _remove(self, b: Node) -> None:
        mine = self.partners(b)
        if not mine:
            raise _No(self._unmodelled([b]))
        for n in mine:
            self._delete(n)

    def _delete(self, n: Node) -> None:
        assert n.stmt is not None
        target = self._read_later(n)
        if target is None:
            self.changes.deleted.add(id(n.stmt))
            return
        lost = s.Foreign(s.Name("any_value", n.stmt.span), n.stmt.span)
        left = s.ExprStmt(s.AssignE(target, "", lost, n.stmt.span), n.stmt.span)
        self.changes.instead[id(n.stmt)] = (left,)

    def _read_later(self, n: Node) -> s.Name | None:
        """The local that ``n`` sets, where what stays of ours reads it."""
        st = n.stmt
        target = (
            st.expr.lhs if isinstance(st, s.ExprStmt) and isinstance(st.expr, s.AssignE) else None
        )
        if not isinstance(target, s.Name) or target.id not in self.terms.known:
            return None
        for k in self.ours.walk():
            if k is n or k.stmt is None or id(k.stmt) in self.changes.deleted:
                continue
            if f"l:{target.id}" in k.feats:
                return target
        return None

    def _unmodelled(self, nodes: Sequence[Node]) -> str:
        """Why nodes without a partner have none."""
        said = []
        for top in nodes:
            for n in top.walk():
                said += [f[2:] + "()" for f in n.feats if f.startswith("c:")]
                said += [f[2:] for f in n.feats if f.startswith("w:")]
        if not said:
            said = [_short(nodes[0])]
        told = ", ".join(list(dict.fromkeys(said))[:3])
        return f"the specification leaves out {told}"

    # what is new

    def _translated(self, a: Node) -> tuple[s.Stmt, ...]:
        """``a`` as a statement of ours: a copy of the partner of equal C, else C in our terms."""
        text = a.whole()
        for b in self.diff.before.walk():
            if b.kind == a.kind and b in self.to_spec and b.whole() == text:
                twin = self.to_spec[b].stmt
                if twin is not None and not self.partners(b)[1:]:
                    return (twin,)
        assert a.stmt is not None
        st = self.terms_after.stmt(a.stmt)
        what = self.effect(self.spec, [st])
        if not what:
            raise _No(self._unmodelled([a]))
        return (s.ForeignStmt((st,), a.stmt.span),)

    def _add(self, a: Node) -> None:
        if a.kind in ("then", "else", "case"):
            for k in a.kids:
                self._add(k)
            return
        self._put(self._translated(a), a)

    def _move(self, e: Edit) -> None:
        b, a = _need(e.before), _need(e.after)
        mine = [n for n in self.partners(b) if not any(u in self.partners(b) for u in n.up())]
        if not mine:
            raise _No(self._unmodelled([b]))
        stmts = tuple(n.stmt for n in mine if n.stmt is not None)
        gap = self._gap(a)
        was = self._gap_of(mine)
        if gap == was:
            raise _No(f"'{_short(b)}' only moves past what the specification leaves out")
        self._put(stmts, a)
        for n in mine:
            self.changes.deleted.add(id(n.stmt))

    def _gap_of(self, mine: Sequence[Node]) -> tuple[object, object]:
        siblings = mine[0].parent.kids if mine[0].parent else []
        i, j = siblings.index(mine[0]), siblings.index(mine[-1])
        before = siblings[i - 1].stmt if i else None
        after = siblings[j + 1].stmt if j + 1 < len(siblings) else None
        return id(before) if before else None, id(after) if after else None

    def _gap(self, a: Node) -> tuple[object, object]:
        """Between which two of our statements ``a`` stands."""
        block, _, _ = self._block_of(a)
        low, high = self._anchor(a, block, -1), self._anchor(a, block, 1)
        return id(low) if low else None, id(high) if high else None

    def _put(self, stmts: tuple[s.Stmt, ...], a: Node) -> None:
        """Put ``stmts`` where ``a`` stands among what it stands among."""
        block, under, near = self._block_of(a)
        low, high = self._anchor(near, block, -1), self._anchor(near, block, 1)
        items = [(under, x) for x in stmts]
        if low is None and high is None and block.kind == "root" and self.ours.kids:
            if any(self.partners(k) for k in self.diff.before.kids):
                raise _No("nothing beside it has a part in the specification")
        if low is not None and not (high is not None and self._touches(near, 1)):
            self.changes.after.setdefault(id(low), []).extend(items)
        elif high is not None:
            self.changes.before.setdefault(id(high), []).extend(items)
        else:
            key = (id(block.parent.stmt) if block.parent else 0, block.kind)
            if block.kind == "loop":
                key = (id(block.stmt), "loop")
            self.changes.at_end.setdefault(key, []).extend(items)

    def _touches(self, a: Node, step: int) -> bool:
        """Whether the next statement of the C (``step`` 1) has a partner, the one before none."""
        siblings = a.parent.kids if a.parent else []
        i = siblings.index(a) if a in siblings else -1

        def has(j: int) -> bool:
            if not 0 <= j < len(siblings):
                return False
            b = self.diff.to_before.get(siblings[j])
            return b is not None and b in self.to_spec

        return has(i + step) and not has(i - step)

    def _block_of(self, a: Node) -> tuple[Node, Under, Node]:
        """Our block that ``a`` stands in, the new tests between, and ``a``'s kin in that block."""
        tests: list[tuple[Wrap, str]] = []
        near, branch = a, ""
        for up in a.up():
            b = self.diff.to_before.get(up)
            if up.kind in ("then", "else"):
                branch = up.kind
                if b is not None and b in self.to_spec:
                    return self.to_spec[b], tuple(tests), near
                continue
            if up.kind == "root":
                return self.ours, tuple(tests), near
            if up.kind == "case" and b is not None and b in self.to_spec:
                return self.to_spec[b], tuple(tests), near
            if up.kind in ("case", "switch") and b is not None and self.partners(b):
                near = up  # ours is about this case alone
                continue
            if up.kind == "case":
                raise _No(f"the specification has no case {up.key or 'default'}")
            if up.kind == "loop" and b is not None and b in self.to_spec:
                return self.to_spec[b], tuple(tests), near
            if up.kind == "switch":
                raise _No("it stands in a switch that the specification does not have")
            tests[:0] = self._test_around(up, b, branch)
            near, branch = up, ""
        raise _No("it stands nowhere")

    def _test_around(self, up: Node, b: Node | None, branch: str) -> list[tuple[Wrap, str]]:
        """The test that a statement stands under which ours does not have."""
        if b is None:
            wrap = self._wraps.get(up) or self._new_wrap(up)
            return [(wrap, branch or "then")]
        if any(k in self.to_spec for k in b.walk()) and b.kind != "loop":
            return []  # ours takes the condition for true
        return [(self._new_wrap(up), branch or "then")]

    def _new_wrap(self, up: Node) -> Wrap:
        assert up.stmt is not None
        test = up.test or s.Num(1, up.stmt.span)
        test = s.Foreign(self.terms_after(test), up.stmt.span)
        return Wrap(test, up.stmt.span)

    def _anchor(self, a: Node, block: Node, step: int) -> s.Stmt | None:
        """Our nearest statement before (``step`` -1) or after ``a``, lifted into ``block``."""
        at: Node | None = a
        while at is not None and at.parent is not None:
            siblings = at.parent.kids
            i = siblings.index(at) + step
            while 0 <= i < len(siblings):
                found = self._last(siblings[i], step, block)
                if found is not None:
                    return found
                i += step
            at = at.parent
            b = self.diff.to_before.get(at)
            if at.kind == "root" or (b is not None and self.to_spec.get(b) is block):
                return None
        return None

    def _last(self, sibling: Node, step: int, block: Node) -> s.Stmt | None:
        nodes = list(sibling.walk())
        for n in nodes if step > 0 else reversed(nodes):
            b = self.diff.to_before.get(n)
            mine = self.to_spec.get(b) if b is not None else None
            if mine is None or mine.stmt is None or id(mine.stmt) in self.changes.deleted:
                continue
            lifted = self._lift(mine.stmt, block)
            if lifted is not None:
                return lifted
        return None

    def _lift(self, st: s.Stmt, block: Node) -> s.Stmt | None:
        """The statement of ``block`` itself that ``st`` is or stands in."""
        owner = block.stmt if block.kind == "loop" else block.parent.stmt if block.parent else None
        branch = block.kind
        at: s.Stmt | None = st
        while at is not None:
            up, where = self.above[id(at)]
            if up is owner and where == branch:
                return at
            at = up
        return None

    # what is changed

    def _change(self, b: Node, a: Node) -> None:
        mine = self.to_spec.get(b)
        if b.kind in ("then", "else", "case", "root"):
            raise _No(f"case {b.key or 'default'} is now {a.key or 'default'}")
        if mine is None:
            self._change_alone(b, a)
        elif b.test is not None and a.test is not None:
            self._change_test(b, a, mine)
        else:
            self._change_leaf(b, a, mine)

    def _change_test(self, b: Node, a: Node, mine: Node) -> None:
        assert b.test is not None and a.test is not None and mine.stmt is not None
        if mine.test is None or mine.kind == "switch":
            raise _No("the specification has another construct here")
        self.changes.test[id(mine.stmt)] = merge(b.test, a.test, mine.test, self.terms)

    def _change_leaf(self, b: Node, a: Node, mine: Node) -> None:
        was, now, ours = (_value(n.stmt) for n in (b, a, mine))
        assert mine.stmt is not None
        if now is None and was is not None and mine.kind == "ret" and a.kind == "ret":
            raise NoPartner
        if was is None or now is None or ours is None:
            raise NoPartner
        if isinstance(ours, s.AssignE) and not isinstance(was, s.AssignE):
            new: s.Expr = s.AssignE(
                ours.lhs, ours.op, merge(was, now, ours.rhs, self.terms), ours.span
            )
        else:
            new = merge(was, now, ours, self.terms)
        self.changes.instead[id(mine.stmt)] = (_with_value(mine.stmt, new),)

    def _change_alone(self, b: Node, a: Node) -> None:
        """A change of something that ours does not have."""
        if b.test is None or a.test is None:
            assert a.stmt is not None and b.stmt is not None
            what = self.effect(self.spec, [self.terms_after.stmt(a.stmt)])
            if what and not self.effect(self.spec, [self.terms.stmt(b.stmt)]):
                self._put(self._translated(a), a)
                return
            raise _No(self._unmodelled([b, a]))
        inside = self.partners(b)
        if not inside:
            raise _No(self._unmodelled([b]))
        held = [k for k in b.kids if k.kind in ("then", "else") and self.partners(k)]
        if b.kind != "if" or len(held) != 1:
            raise _No(f"the specification does not have the test '{_short(b)}'")
        is_true = held[0].kind == "then"
        rest = assumed(b.test, a.test, is_true)
        if rest is None:
            raise _No(f"the specification takes '{_short(b)}' for {str(is_true).lower()}")
        if isinstance(rest, bool):
            if rest is is_true:
                raise _No(f"the specification takes '{_short(b)}' for {str(is_true).lower()}")
            for n in inside:
                self._delete(n)
            return
        test = s.Foreign(self.terms_after(rest), a.test.span)
        self._under(inside, Wrap(test, a.test.span), "then" if is_true else "else")

    def _wrap(self, a: Node) -> None:
        """Statements that stand under a new test."""
        inside = [
            n
            for k in a.walk()
            if k in self.diff.to_before
            for n in self.partners(self.diff.to_before[k])
        ]
        if not inside:
            raise _No(self._unmodelled([a]))
        if a.kind != "if":
            raise _No(f"'{_short(a)}' is no plain condition")
        wrap = self._new_wrap(a)
        self._wraps[a] = wrap
        for block in a.kids:
            mine = [
                n
                for k in block.walk()
                if k in self.diff.to_before
                for n in self.partners(self.diff.to_before[k])
            ]
            if mine:
                self._under(mine, wrap, block.kind)

    def _under(self, inside: Sequence[Node], wrap: Wrap, branch: str) -> None:
        """Put our statements, and what stands between them, under a test."""
        first = self._common(inside)
        owner, where = self.above[id(first[0])]
        body = _body_of(owner, where) if owner is not None else self.spec.body
        at = [i for i, st in enumerate(body) if any(st is x for x in first)]
        for st in body[min(at) : max(at) + 1]:
            around = self.changes.under.get(id(st), ())
            self.changes.under[id(st)] = (*around, (wrap, branch))

    def _common(self, nodes: Sequence[Node]) -> list[s.Stmt]:
        """The statements of the innermost block that holds all of ``nodes``."""
        chains = []
        for n in nodes:
            chain: list[s.Stmt] = []
            at: s.Stmt | None = n.stmt
            while at is not None:
                chain.append(at)
                at = self.above[id(at)][0]
            chains.append(chain)
        for st in chains[0]:
            key = self.above[id(st)]
            picked = [next((x for x in c if self.above[id(x)] == key), None) for c in chains]
            if None not in picked:
                return [x for x in picked if x is not None]
        raise _No("what it holds stands in several places of the specification")

    def _unwrap(self, b: Node) -> None:
        mine = self.to_spec.get(b)
        if mine is None or mine.stmt is None:
            raise _No(f"the specification takes '{_short(b)}' for true")
        kept = [k for k in b.kids if any(x in self.diff.to_after for x in k.walk())]
        if b.kind != "if" or len(kept) != 1 or not isinstance(mine.stmt, s.If):
            raise _No(f"'{_short(b)}' is no plain condition")
        self.changes.opened[id(mine.stmt)] = kept[0].kind


def assumed(before: s.Expr, after: s.Expr, is_true: bool) -> s.Expr | bool | None:
    """What is left of ``after`` where ``before`` is known to be ``is_true``.

    None where that cannot be told; a bool where nothing is left.
    """
    known: dict[str, bool] = {plain(before): is_true}
    op = "&&" if is_true else "||"
    for part in operands(before, op):
        known[plain(part)] = is_true
    return _simplify(after, known)


def _simplify(e: s.Expr, known: dict[str, bool]) -> s.Expr | bool:
    if plain(e) in known:
        return known[plain(e)]
    if isinstance(e, s.Invoke) and e.fn in ("likely", "unlikely") and e.args:
        return _simplify(e.args[0], known)
    if isinstance(e, s.Unary) and e.op == "!":
        for text, value in known.items():
            if text == plain(s.Unary("!", e.a, e.span)):
                return value
        got = _simplify(e.a, known)
        return (not got) if isinstance(got, bool) else s.Unary("!", got, e.span)
    negated = {plain(s.Unary("!", e, e.span)), f"not {plain(e)}"}
    for text, value in known.items():
        if text in negated:
            return not value
    if isinstance(e, s.Binary) and e.op in ("&&", "||"):
        a, b = _simplify(e.a, known), _simplify(e.b, known)
        short = e.op == "||"
        for x, y in ((a, b), (b, a)):
            if isinstance(x, bool):
                return short if x is short else y
        return s.Binary(e.op, a, b, e.span)  # type: ignore[arg-type]
    return e


def _prune(pairs: dict[Node, Node]) -> None:
    """Drop tests that were paired for nothing: no word in common, and nothing paired inside."""
    for b in list(pairs):
        if b.kind not in ("if", "loop", "then", "else"):
            continue
        inside = any(k in pairs for top in b.kids for k in top.walk() if k.kind not in BLOCK)
        speaks = {f for f in b.feats if f[:2] in ("c:", "w:", "r:")} & set(pairs[b].feats)
        if b.kind in ("then", "else"):
            if b.parent not in pairs:
                del pairs[b]
        elif not inside and not speaks:
            del pairs[b]
            for k in b.kids:
                pairs.pop(k, None)


def _share(before: Node, pairs: dict[Node, Node]) -> None:
    """Statements that are the same to the specification have the same partner."""
    texts: dict[str, Node] = {}
    for b, mine in pairs.items():
        if b.kind == "leaf" and b.stmt is not None and b.effects:
            value = _value(b.stmt)
            texts.setdefault(plain(value) if value is not None else b.key, mine)
    for b in before.walk():
        if b.kind != "leaf" or b in pairs or b.stmt is None or not b.effects:
            continue
        value = _value(b.stmt)
        twin = texts.get(plain(value) if value is not None else b.key)
        if twin is not None and _bound(b):
            pairs[b] = twin


def _bound(b: Node) -> bool:
    """Whether the binding table made ``b`` what it is: several registers that ours has as one."""
    return any(isinstance(n, s.Foreign) for n in walk(b.stmt))


def _value(st: s.Stmt | None) -> s.Expr | None:
    """The expression that a statement is about."""
    if isinstance(st, s.ExprStmt):
        return st.expr
    if isinstance(st, s.ReturnStmt):
        return st.value
    return st.init if isinstance(st, s.Declare) else None


def _with_value(st: s.Stmt, e: s.Expr) -> s.Stmt:
    if isinstance(st, s.ReturnStmt):
        return s.ReturnStmt(e, st.span)
    if isinstance(st, s.Declare):
        return s.Declare(st.name, st.type, e, st.span)
    return s.ExprStmt(e, st.span)


def _body_of(st: s.Stmt, branch: str) -> tuple[s.Stmt, ...]:
    if isinstance(st, s.If):
        return st.then if branch == "then" else st.other
    assert isinstance(st, s.While | s.For | s.AtomicStmt | s.Group)
    return st.body


def _need(x: T | None) -> T:
    assert x is not None
    return x


def _short(n: Node) -> str:
    return n.key.split("\n")[0][:60] or n.kind
