"""A patch's edits carried over to the specification's function that mirrors the C.

Three bodies of one function are laid beside each other: the C before and after, and ours. What the
edits touch of the C before has a partner in ours, or it has none; where it has, the edit is done to
the partner, and where it has none, the edit is *not judged*, and says why.
"""

from __future__ import annotations

import dataclasses
import difflib
import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from .. import syntax as s
from ..guess import NULLS, SAME, TRUTH, walk
from ..show import render_body, render_stmt
from . import edits as e_
from .assume import assumed
from .edits import Edit
from .laid import Impossible, Laid, need, short, value_of, with_value
from .nodes import Names, Node
from .plain import jumped, tails
from .rebuild import Wrap
from .terms import NoPartner, merge, plain

CARRIED, NOTHING, NOT_JUDGED = "carried over", "changes nothing", "not judged"
Effect = Callable[[s.Def, Sequence[s.Stmt]], str]


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
    """One of the specification's functions with edits.

    :param new: ours with the edits, the same object where nothing is changed
    """

    spec: s.Def
    new: s.Def

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


def place_of(e: Edit) -> str:
    """``file:line`` of an edit in what the user gave; "" where its statement has none."""
    at = next((n.stmt for n in (e.after, e.before) if n is not None), None)
    return f"{at.span.file}:{at.span.line}" if at is not None else ""


class Carrier(Laid):
    """Carries the edits from ``before`` to ``after`` over to ``spec`` and its ``parts``.

    :param effect: what C in our terms does to modelled state: a word for it, or ""
    :param names: what the program's names say
    :param only: the edits to look at, by number; None: all
    """

    def __init__(
        self,
        before: s.Def,
        after: s.Def,
        spec: s.Def,
        effect: Effect,
        names: Names,
        parts: Mapping[str, s.Def] | None = None,
    ) -> None:
        super().__init__(before, after, spec, parts or {}, names)
        self.effect, self.names = effect, names
        labels = {n.label for n in walk(before.body) if isinstance(n, s.LabelStmt)}
        self.tails = {k: v for k, v in tails(after).items() if k in labels}

    def run(self, only: Collection[int] | None = None) -> list[Outcome]:
        """Carry every edit that can be; `changed` then has what became of ours.

        :param only: the numbers of the edits to look at; the others are not judged here
        """
        outcomes = []
        for i, e in enumerate(self.diff.edits):
            e.place = place_of(e)
            if only is not None and i not in only:
                outcomes.append(Outcome(e, NOT_JUDGED))
                continue
            try:
                self._one(e)
                outcomes.append(Outcome(e, CARRIED))
            except (Impossible, NoPartner) as no:
                outcomes.append(Outcome(e, NOT_JUDGED, str(no) or self._reason(e)))
        return outcomes

    def halves(self, outcomes: Sequence[Outcome]) -> set[int]:
        """The edits, by number, that are carried over without their other half.

        What no longer stands under one test, and stands under another, has both or neither.
        """
        of = {i: self._inside(o.edit) for i, o in enumerate(outcomes)}
        kinds = (e_.WRAPPED, e_.UNWRAPPED)
        tests = [i for i, o in enumerate(outcomes) if o.edit.kind in kinds]
        return {
            i
            for i in tests
            for j in tests
            if outcomes[i].verdict == CARRIED
            and outcomes[j].verdict == NOT_JUDGED
            and outcomes[i].edit.kind != outcomes[j].edit.kind
            and of[i] & of[j]
        }

    def _inside(self, e: Edit) -> set[Node]:
        """What of the C before stands under the test that ``e`` takes away or brings."""
        if e.kind == e_.UNWRAPPED and e.before is not None:
            return {n for n in e.before.walk() if n in self.diff.to_after}
        if e.kind == e_.WRAPPED and e.after is not None:
            found = (self.diff.to_before.get(n) for n in e.after.walk())
            return {n for n in found if n is not None}
        return set()

    def changed(self) -> list[Carried]:
        """Ours with its edits, and each part of it that has some."""
        out = [Carried(self.spec, self.changes.lay(self.spec, "root"))]
        out += [Carried(d, self.changes.lay(d, n)) for n, d in self.parts.items()]
        return [c for c in out if c.changes]

    def nonsense(self) -> str:
        """Why ours with its edits is nothing that anybody would write; "" where it is sound."""
        for c in self.changed():
            if _always_gives(c.spec.body) and not _always_gives(c.new.body):
                return "the specification would not give a value any more"
            if _behind_returns(c.new.body) > _behind_returns(c.spec.body):
                return "it would stand behind a return of the specification, and never run"
        return ""

    def _one(self, e: Edit) -> None:
        if e.kind == e_.REMOVED:
            self._remove(need(e.before))
        elif e.kind == e_.ADDED:
            self._add(need(e.after))
        elif e.kind == e_.MOVED:
            self._move(e)
        elif e.kind == e_.CHANGED:
            self._change(need(e.before), need(e.after))
        elif e.kind == e_.WRAPPED:
            self._wrap(need(e.after))
        else:
            self._unwrap(need(e.before))

    def _reason(self, e: Edit) -> str:
        node = e.before or e.after
        assert node is not None
        if e.kind == e_.CHANGED and e.before in self.to_spec and e.after is not None:
            return f"the specification cannot say '{short(e.after)}'"
        return f"the specification has no part that says '{short(node)}'"

    def _remove(self, b: Node) -> None:
        mine = self.partners(b)
        if not mine:
            raise Impossible(self._unmodelled([b]))
        for n in mine:
            self._delete(n)

    def _delete(self, n: Node) -> None:
        """Take ``n`` out; with it the single step that it stands for, if nothing else is in it."""
        assert n.stmt is not None
        owner = self.above[id(n.stmt)][0]
        if isinstance(owner, s.AtomicStmt):
            paired = {id(m.stmt) for m in self.to_spec.values()}
            if not any(id(st) in paired for st in owner.body if st is not n.stmt):
                self.changes.deleted.add(id(owner))
                return
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
        if any(_set_by(a) == target.id for a in self._news()):
            return None
        for k in self.ours.walk():
            if k is n or k.stmt is None or id(k.stmt) in self.changes.deleted:
                continue
            if f"l:{target.id}" in k.feats:
                return target
        return None

    def _unmodelled(self, nodes: Sequence[Node], but: Node | None = None) -> str:
        """Why nodes without a partner have none.

        :param but: what they were before: only what is another now is said
        """
        said: list[str] = []
        same = {f for n in (but.walk() if but else ()) for f in n.feats}
        here = {f for top in nodes for n in top.walk() for f in n.feats}
        for top in nodes:
            for n in top.walk():
                said += [_said(f) for f in n.feats if f not in same]
        if but is not None:
            said += [_said(f) for n in but.walk() for f in n.feats if f not in here]
        told = [x for x in dict.fromkeys(said) if x]
        told = sorted(f[2:] for f in here - same if f.startswith("r:KVM_REQ_")) or told
        if not told and but is not None:
            other = {f for n in but.walk() for f in n.feats} ^ here
            told = sorted(f[2:] for f in other if f.startswith("r:"))
        told = [x for x in told if x not in ("True", "False", "NULL")]
        if not told:
            told = [short(nodes[0])]
        return f"the specification leaves out {', '.join(told[:3])}"

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
        new = tuple(self.terms_after.stmt(st) for st in jumped((a.stmt,), self.tails))
        what = self.effect(self.spec, new)
        if not what or (what.startswith("sets ") and not self._read_after(a, new[0])):
            if not self._is_for_news(a, new[0]):
                raise Impossible(self._unmodelled([a]))
        return (s.ForeignStmt(new, a.stmt.span),)

    def _is_for_news(self, a: Node, st: s.Stmt) -> bool:
        """Whether ``st`` keeps a value of ours in a local of the patch, for its other parts."""
        value = st.init if isinstance(st, s.Declare) else None
        name = st.name if isinstance(st, s.Declare) else ""
        if isinstance(st, s.ExprStmt) and isinstance(st.expr, s.AssignE) and not st.expr.op:
            name, value = _set_by(a), st.expr.rhs
        if not name or value is None or name in self.terms.known:
            return False
        said = {n.id for n in (value, *walk(value)) if isinstance(n, s.Name)}
        calls = {n.fn for n in (value, *walk(value)) if isinstance(n, s.Invoke)}
        if said - self.terms.known - TRUTH - NULLS or calls - self.names.defs.keys() - SAME:
            return False
        others = [x for x in self._news() if x is not a]
        exprs = [e for x in others for e in (x.test, x.stmt) if e is not None]
        return any(isinstance(n, s.Name) and n.id == name for e in exprs for n in (e, *walk(e)))

    def _read_after(self, a: Node, st: s.Stmt) -> bool:
        """Whether ours speaks of the local that ``st`` sets, behind where ``a`` would stand."""
        e = st.expr if isinstance(st, s.ExprStmt) else None
        if not isinstance(e, s.AssignE) or not isinstance(e.lhs, s.Name):
            return True
        low, _ = self.anchors(a, self.block_of(a)[0])
        behind = low is None or self._in_loop(self.above[id(low)])
        for n in self.ours.walk():
            if behind and f"l:{e.lhs.id}" in n.feats:
                return True
            behind = behind or n.stmt is low
        return any(f"l:{e.lhs.id}" in n.feats for x in self._news() for n in x.walk() if x is not a)

    def _news(self) -> list[Node]:
        """What the patch brings."""
        return [e.after for e in self.diff.edits if e.after is not None]

    def _add(self, a: Node) -> None:
        if a.kind in ("then", "else", "case"):
            for k in a.kids:
                self._add(k)
            return
        if a.kind == "label":
            assert a.stmt is not None
            self.put((a.stmt,), a)
            return
        self.put(self._translated(a), a)

    def _move(self, e: Edit) -> None:
        b, a = need(e.before), need(e.after)
        mine = [n for n in self.partners(b) if not any(u in self.partners(b) for u in n.up())]
        if not mine:
            raise Impossible(self._unmodelled([b]))
        stmts = tuple(n.stmt for n in mine if n.stmt is not None)
        gap = self.gap(a)
        was = self.gap_of(mine)
        if gap == was:
            raise Impossible(f"'{short(b)}' only moves past what the specification leaves out")
        self.put(stmts, a)
        for n in mine:
            self.changes.deleted.add(id(n.stmt))

    # what is changed

    def _change(self, b: Node, a: Node) -> None:
        mine = self.to_spec.get(b) or self._same_test(b)
        if b.kind in ("then", "else", "case", "root"):
            raise Impossible(f"case {b.key or 'default'} is now {a.key or 'default'}")
        if b.kind == "loop" and _goes_round(b) != _goes_round(a):
            raise Impossible(f"the specification cannot say '{short(a)}'")
        if mine is None:
            self._change_alone(b, a)
        elif b.test is not None and a.test is not None:
            self._change_test(b, a, mine)
        else:
            self._change_leaf(b, a, mine)

    def _same_test(self, b: Node) -> Node | None:
        """The test of ours that is ``b`` and has no partner, as what stands beside it has one.

        It holds the partners of what stands under ``b``: what follows a jump in the C may stand in
        an else of ours, so that not both can be laid beside each other.
        """
        if b.test is None:
            return None
        text, paired = plain(self.terms(b.test)), set(self.to_spec.values())
        for n in self.partners(b):
            for up in n.up():
                if up.kind == b.kind and up.test is not None and up not in paired:
                    if plain(up.test) == text:
                        return up
        return None

    def _change_test(self, b: Node, a: Node, mine: Node) -> None:
        assert b.test is not None and a.test is not None and mine.stmt is not None
        if mine.test is None or mine.kind == "switch":
            raise Impossible("the specification has another construct here")
        self.changes.test[id(mine.stmt)] = merge(b.test, a.test, mine.test, self.terms)

    def _change_leaf(self, b: Node, a: Node, mine: Node) -> None:
        was, now, ours = (value_of(n.stmt) for n in (b, a, mine))
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
        self.changes.instead[id(mine.stmt)] = (with_value(mine.stmt, new),)

    def _change_alone(self, b: Node, a: Node) -> None:
        """A change of something that ours does not have."""
        if b.test is None or a.test is None:
            assert a.stmt is not None and b.stmt is not None
            what = self.effect(self.spec, [self.terms_after.stmt(a.stmt)])
            if what and not self.effect(self.spec, [self.terms.stmt(b.stmt)]):
                self.put(self._translated(a), a)
                return
            raise Impossible(self._unmodelled([a], but=b))
        inside = self.partners(b)
        if not inside:
            raise Impossible(self._unmodelled([a], but=b))
        held = [k for k in b.kids if k.kind in ("then", "else") and self.partners(k)]
        if b.kind != "if" or len(held) != 1:
            raise Impossible(f"the specification does not have the test '{short(b)}'")
        is_true = held[0].kind == "then"
        rest = assumed(b.test, a.test, is_true)
        if rest is None:
            raise Impossible(f"the specification takes '{short(b)}' for {str(is_true).lower()}")
        if isinstance(rest, bool):
            if rest is is_true:
                raise Impossible(f"the specification takes '{short(b)}' for {str(is_true).lower()}")
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
            raise Impossible(self._unmodelled([a]))
        if a.kind != "if":
            raise Impossible(f"'{short(a)}' is no plain condition")
        if any(f.startswith("c:") and f in a.feats for n in inside for f in n.effects):
            raise Impossible(f"what it calls is asked in '{short(a)}' now")
        wrap = self.new_wrap(a)
        self.wraps[a] = wrap
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
        first = self.common(inside)
        body = self.body(self.above[id(first[0])])
        at = [i for i, st in enumerate(body) if any(st is x for x in first)]
        for st in body[min(at) : max(at) + 1]:
            around = self.changes.under.get(id(st), ())
            self.changes.under[id(st)] = (*around, (wrap, branch))

    def _unwrap(self, b: Node) -> None:
        mine = self.to_spec.get(b) or self._same_test(b)
        if mine is None or mine.stmt is None:
            raise Impossible(f"the specification takes '{short(b)}' for true")
        kept = [k for k in b.kids if any(x in self.diff.to_after for x in k.walk())]
        if b.kind != "if" or len(kept) != 1 or not isinstance(mine.stmt, s.If):
            raise Impossible(f"'{short(b)}' is no plain condition")
        self.changes.opened[id(mine.stmt)] = kept[0].kind


def _goes_round(n: Node) -> tuple[object, ...]:
    """How a loop begins and goes on, beside its test."""
    if isinstance(n.stmt, s.For) and (n.stmt.init or n.stmt.step):
        return tuple(tuple(map(render_stmt, part)) for part in (n.stmt.init, n.stmt.step))
    return (not isinstance(n.stmt, s.While) or n.stmt.test_first,)


def _set_by(a: Node) -> str:
    """The local that a statement sets; "" for others."""
    e = value_of(a.stmt) if a.kind == "leaf" else None
    return e.lhs.id if isinstance(e, s.AssignE) and isinstance(e.lhs, s.Name) else ""


def _said(feature: str) -> str:
    """A feature in the words of the C; "" for what says nothing."""
    kind, _, name = feature.partition(":")
    if kind == "c":
        return f"{name}()"
    return name if kind == "w" or name.startswith("KVM_REQ_") else ""


def _always_gives(body: Sequence[s.Stmt]) -> bool:
    """Whether ``body`` ends with a value, whichever way it goes."""
    last = body[-1] if body else None
    if isinstance(last, s.If):
        return _always_gives(last.then) and _always_gives(last.other)
    if isinstance(last, s.AtomicStmt | s.Group | s.ForeignStmt):
        return _always_gives(last.body)
    return isinstance(last, s.ReturnStmt) and last.value is not None


def _behind_returns(body: Sequence[s.Stmt]) -> int:
    """How many statements stand behind one that leaves, where no jump leads."""
    blocks = [body] + [
        b
        for n in walk(tuple(body))
        if isinstance(n, s.Stmt)
        for f in dataclasses.fields(n)
        if isinstance(b := getattr(n, f.name), tuple) and b and isinstance(b[0], s.Stmt)
    ]
    leaves = s.ReturnStmt | s.BreakStmt | s.ContinueStmt | s.Goto
    return sum(
        isinstance(a, leaves) and not isinstance(b, s.LabelStmt)
        for block in blocks
        for a, b in itertools.pairwise(block)
    )
