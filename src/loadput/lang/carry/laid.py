"""Three bodies of one function beside each other: the C before and after, and ours.

What of ours is the partner of which C, in which of our blocks a statement of the C stands, and
between which of our statements. A function of ours that is a part of the same C function is read
where it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from .. import syntax as s
from ..guess import kids, walk
from .align import align, pair_cost
from .edits import UNWRAPPED, Difference, find_edits
from .nodes import Names, Node, call_of, tree_of
from .rebuild import Changes, Under, Wrap
from .terms import Terms, plain

BLOCK = ("root", "then", "else", "loop", "case")
LEAVES = s.ReturnStmt | s.Goto | s.BreakStmt | s.ContinueStmt
OWN = "__c"  # ends a local of the C that the program has something else under the name of
T = TypeVar("T")
Home = tuple[s.Stmt | None, str]  # the statement that a block belongs to, and which block of it


class Impossible(Exception):
    """Why an edit cannot be carried over."""


class Laid:
    """The C ``before`` and ``after``, ours (``spec``), and ``parts`` of ours that it calls.

    :param names: what the program's names say
    """

    def __init__(
        self,
        before: s.Def,
        after: s.Def,
        spec: s.Def,
        parts: Mapping[str, s.Def],
        names: Names,
    ) -> None:
        self.spec, self.parts = spec, parts
        self.terms = Terms(before, spec)
        self.terms_after = Terms(after, spec)
        self.ours = tree_of(spec, names, parts)
        self.diff: Difference = find_edits(tree_of(before, names), tree_of(after, names))
        self.to_spec = dict(align(self.diff.before.kids, self.ours.kids))
        self.to_spec[self.diff.before] = self.ours
        _prune(self.to_spec)
        _share(self.diff.before, self.to_spec)
        self.changes = Changes()
        self.wraps: dict[Node, Wrap] = {}
        self.above: dict[int, Home] = {}
        self.calls: dict[str, s.Stmt] = {}
        self._number(spec.body, (None, "root"))
        for name, d in parts.items():
            self._number(d.body, (None, name))
        for b, mine in list(self.to_spec.items()):
            if mine.stmt is not None and id(mine.stmt) not in self.above:
                del self.to_spec[b]  # inside what an earlier patch brought as one piece

    def _number(self, body: Sequence[s.Stmt], home: Home) -> None:
        for st in body:
            self.above[id(st)] = home
            called = call_of(st)
            if called in self.parts:
                self.calls.setdefault(called, st)
            if isinstance(st, s.If):
                self._number(st.then, (st, "then"))
                self._number(st.other, (st, "else"))
            elif isinstance(st, s.While | s.For):
                self._number(st.body, (st, "loop"))
            elif isinstance(st, s.AtomicStmt | s.Group | s.ForeignStmt):
                self._number(st.body, (st, "root"))

    def up(self, st: s.Stmt) -> s.Stmt | None:
        """What ``st`` stands in; of the top of a part, the call of the part."""
        owner, where = self.above[id(st)]
        return owner if owner is not None else self.calls.get(where)

    def body(self, home: Home) -> tuple[s.Stmt, ...]:
        """The statements of a block of ours."""
        owner, where = home
        if owner is None:
            return self.spec.body if where == "root" else self.parts[where].body
        if isinstance(owner, s.If):
            return owner.then if where == "then" else owner.other
        assert isinstance(owner, s.While | s.For | s.AtomicStmt | s.Group | s.ForeignStmt)
        return owner.body

    def partners(self, b: Node) -> list[Node]:
        """Our statements for ``b`` and all under it."""
        found = [self.to_spec[k] for k in b.walk() if k in self.to_spec]
        return [n for n in dict.fromkeys(found) if n.stmt is not None]

    def gap_of(self, mine: Sequence[Node]) -> tuple[object, object]:
        """Between which two of our statements ``mine`` stand."""
        siblings = mine[0].parent.kids if mine[0].parent else []
        i, j = siblings.index(mine[0]), siblings.index(mine[-1])
        before = siblings[i - 1].stmt if i else None
        after = siblings[j + 1].stmt if j + 1 < len(siblings) else None
        return id(before) if before else None, id(after) if after else None

    def gap(self, a: Node) -> tuple[object, object]:
        """Between which two of our statements ``a`` stands."""
        home, _ = self.block_of(a)
        low, high = self.anchors(a, home)
        return id(low) if low else None, id(high) if high else None

    def put(self, stmts: tuple[s.Stmt, ...], a: Node) -> None:
        """Put ``stmts`` where ``a`` stands among what it stands among."""
        home, under = self.block_of(a)
        if any(_leaves_loop(x) for x in stmts) and not self._in_loop(home):
            raise Impossible("the specification goes round once here")
        low, high = self.anchors(a, home)
        items = [(under, x) for x in stmts]
        if isinstance(low, s.ReturnStmt):
            raise Impossible("the specification has left the function before it")
        if low is None and high is None and home == (None, "root") and self.ours.kids:
            if any(self.partners(k) for k in self.diff.before.kids):
                raise Impossible("nothing beside it has a part in the specification")
        follows = low is not None and not (high is not None and self.touches(a, 1))
        if stmts and not under and _jumps(stmts[-1]) and not _before_label(a):
            self._last_there(home, low if follows else None, None if follows else high)
        if low is not None and follows:
            self.changes.after.setdefault(id(low), []).extend(items)
        elif high is not None:
            self.changes.before.setdefault(id(high), []).extend(items)
        else:
            owner, where = home
            key = (id(owner) if owner is not None else 0, where)
            self.changes.at_end.setdefault(key, []).extend(items)

    def _last_there(self, home: Home, low: s.Stmt | None, high: s.Stmt | None) -> None:
        """Raise Impossible where something of ours would stand behind a jump, and never run."""
        body = self.body(home)
        at = next((i for i, st in enumerate(body) if st is high or st is low), len(body))
        rest = body[at + (low is not None) :]
        rest = tuple(st for st in rest if id(st) not in self.changes.deleted)
        if rest and not isinstance(rest[0], s.LabelStmt):
            raise Impossible("what the specification has behind it would never run")

    def _in_loop(self, home: Home) -> bool:
        owner = home[0]
        return owner is not None and any(
            isinstance(st, s.While | s.For) for st in self.chain(owner)
        )

    def touches(self, a: Node, step: int) -> bool:
        """Whether the next statement of the C (``step`` 1) has a partner, the one before none."""
        siblings = a.parent.kids if a.parent else []
        i = siblings.index(a) if a in siblings else -1

        def has(j: int) -> bool:
            if not 0 <= j < len(siblings):
                return False
            b = self.diff.to_before.get(siblings[j])
            return b is not None and b in self.to_spec

        return has(i + step) and not has(i - step)

    def home_of(self, block: Node) -> Home:
        """The block of ours that a node of our tree is."""
        if block.kind == "root":
            return None, "root"
        if block.kind == "loop":
            return block.stmt, "loop"
        return block.parent.stmt if block.parent is not None else None, block.kind

    def block_of(self, a: Node) -> tuple[Home, Under]:
        """Our block that ``a`` stands in, and the new tests between."""
        tests: list[tuple[Wrap, str]] = []
        branch = ""
        for up in a.up():
            b = self.diff.to_before.get(up)
            ours = self.to_spec.get(b) if b is not None else None
            if up.kind == "root":
                return (None, "root"), tuple(tests)
            if up.kind in ("then", "else", "case", "loop") and ours is not None:
                return self.home_of(ours), tuple(tests)
            if up.kind in ("then", "else"):
                branch = up.kind
                continue
            if up.kind in ("case", "switch") and b is not None and self.partners(b):
                continue  # ours is about this case alone
            if up.kind in ("case", "switch"):
                raise Impossible(f"the specification has no case {up.key or 'default'}")
            if ours is not None and isinstance(ours.stmt, s.If) and branch:
                return (ours.stmt, branch), tuple(tests)  # a block that ours does not have yet
            around = self._test_around(up, b, branch)
            mine = self.partners(b) if b is not None and up.kind == "loop" else []
            if mine:  # another loop of ours has what stands in it
                return self.above[id(self.common(mine)[0])], tuple(tests)
            tests[:0] = around
            branch = ""
        raise Impossible("it stands nowhere")

    def _test_around(self, up: Node, b: Node | None, branch: str) -> list[tuple[Wrap, str]]:
        """The test that a statement stands under which ours does not have."""
        if up.kind != "if" and (b is None or not any(k in self.to_spec for k in b.walk())):
            raise Impossible(f"the specification does not go round with '{short(up)}'")
        if b is None:
            return [(self.wraps.get(up) or self.new_wrap(up), branch or "then")]
        held = {k.kind for k in b.kids if any(x in self.to_spec for x in k.walk())}
        if branch and held and branch not in held:
            value = "true" if branch == "else" else "false"
            raise Impossible(f"the specification takes '{short(b)}' for {value}")
        if held or any(k in self.to_spec for k in b.walk()):
            return []  # ours takes the condition for true, and goes round once
        if up.kind != "if":
            raise Impossible(f"the specification does not go round with '{short(up)}'")
        return [(self.new_wrap(up), branch or "then")]

    def new_wrap(self, up: Node) -> Wrap:
        """The test of ``up``, in our terms, to put around statements of ours."""
        assert up.stmt is not None
        test = up.test or s.Num(1, up.stmt.span)
        return Wrap(s.Foreign(self.terms_after(test), up.stmt.span), up.stmt.span)

    def anchors(self, near: Node, home: Home) -> tuple[s.Stmt | None, s.Stmt | None]:
        """Our nearest statements before and after ``near``, in the block ``home``.

        Where both stand in one statement of it that is no test, or one that goes, or where C has
        all three in a row behind an exit, those inside are given.

        :raises Impossible: both stand under one test that stays
        """
        low, high = self._anchor(near, home, -1), self._anchor(near, home, 1)
        if low is None or high is None:
            return self.lift(low, home), self.lift(high, home)
        a, b = self.chain(low), self.chain(high)
        shared = next((x for x in a if any(x is y for y in b)), None)
        if shared is not None and self.lift(shared, home) is not None:
            inside = [a[a.index(shared) - 1] if shared in a[1:] else None]
            inside.append(b[b.index(shared) - 1] if shared in b[1:] else None)
            plain_ = (
                isinstance(shared, s.AtomicStmt | s.Group | s.ForeignStmt)
                or call_of(shared) in self.parts
                or any(shared is n.stmt for n in self.opening)
            )
            if None not in inside and (plain_ or self._in_a_row(near, low, high)):
                return inside[0], inside[1]
            if None not in inside and isinstance(shared, s.If):
                raise Impossible("it stands in the midst of what is under one test in ours")
        return self.lift(low, home), self.lift(high, home)

    def _in_a_row(self, near: Node, low: s.Stmt, high: s.Stmt) -> bool:
        """Whether C has both beside ``near``, so that it runs where they do."""
        kids = near.parent.kids if near.parent is not None else []
        before = [b for k in kids if (b := self.diff.to_before.get(k)) is not None]
        beside = [self.to_spec[b].stmt for b in before if b in self.to_spec]
        same = self.above[id(low)] == self.above[id(high)]
        return same and all(any(x is st for st in beside) for x in (low, high))

    @property
    def opening(self) -> list[Node]:
        """Our tests that go, while what stands under them stays."""
        gone = [e.before for e in self.diff.edits if e.kind == UNWRAPPED and e.before is not None]
        return [self.to_spec[b] for b in gone if b in self.to_spec]

    def chain(self, st: s.Stmt) -> list[s.Stmt]:
        """``st`` and what it stands in, from the inside out."""
        out = [st]
        while (up := self.up(out[-1])) is not None:
            out.append(up)
        return out

    def _anchor(self, a: Node, home: Home, step: int) -> s.Stmt | None:
        """Our nearest statement before (``step`` -1) or after ``a`` that stands below ``home``."""
        at: Node | None = a
        while at is not None and at.parent is not None:
            siblings = at.parent.kids
            i = siblings.index(at) + step
            while 0 <= i < len(siblings):
                found = self._last(siblings[i], step, home)
                if found is not None:
                    return found
                i += step
            at = at.parent
            b = self.diff.to_before.get(at)
            ours = self.to_spec.get(b) if b is not None else None
            if at.kind == "root" or (ours is not None and self.home_of(ours) == home):
                return None
        return None

    def _last(self, sibling: Node, step: int, home: Home) -> s.Stmt | None:
        nodes = list(sibling.walk())
        for n in nodes if step > 0 else reversed(nodes):
            b = self.diff.to_before.get(n)
            mine = self.to_spec.get(b) if b is not None else None
            if mine is None or mine.stmt is None or id(mine.stmt) in self.changes.deleted:
                continue
            if self.lift(mine.stmt, home) is not None:
                return mine.stmt
        return None

    def lift(self, st: s.Stmt | None, home: Home) -> s.Stmt | None:
        """The statement of the block ``home`` that ``st`` is or stands in."""
        for at in self.chain(st) if st is not None else ():
            owner, where = self.above[id(at)]
            if owner is home[0] and where == home[1]:
                return at
        return None

    def common(self, nodes: Sequence[Node]) -> list[s.Stmt]:
        """The statements of the innermost block that holds all of ``nodes``."""
        chains = [self.chain(n.stmt) for n in nodes if n.stmt is not None]
        for st in chains[0]:
            key = self.above[id(st)]
            picked = [next((x for x in c if self.above[id(x)] == key), None) for c in chains]
            if None not in picked:
                return [x for x in picked if x is not None]
        raise Impossible("what it holds stands in several places of the specification")


def distances(c: s.Def, ours: Sequence[tuple[s.Def, Names]]) -> list[float]:
    """By how much each of ``ours`` does not follow ``c``: what has no partner, and what differs.

    Of what only ``c`` does, that counts which another of ``ours`` does too.
    """
    trees = [tree_of(d, names) for d, names in ours]
    known = frozenset(f for t in trees for n in t.walk() for f in n.effects)
    out = []
    for mine, (_, names) in zip(trees, ours, strict=True):
        theirs = tree_of(c, names)
        pairs = align(theirs.kids, mine.kids)
        got = {n for pair in pairs for n in pair}
        alone = [n for n in mine.walk() if n not in got and n is not mine]
        alone += [n for n in theirs.walk() if n not in got and n.effects & known]
        apart = sum(max(0.0, pair_cost(a, b) or 0.0) for a, b in pairs)
        out.append(sum(n.weight for n in alone) + apart)
    return out


def differ(before: s.Def, after: s.Def) -> bool:
    """Whether two bodies do not do the same things in the same order."""
    return tree_of(before).whole() != tree_of(after).whole()


def parts_alone(c: s.Def, ours: s.Def, names: Names) -> list[str]:
    """The statements of ``ours`` that call or write, and that ``c`` has no part for."""
    mine = tree_of(ours, names)
    got = {b for _, b in align(tree_of(c, names).kids, mine.kids)}
    return [short(n) for n in mine.walk() if n not in got and n.kind == "leaf" and n.effects]


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
            value = value_of(b.stmt)
            texts.setdefault(plain(value) if value is not None else b.key, mine)
    for b in before.walk():
        if b.kind != "leaf" or b in pairs or b.stmt is None or not b.effects:
            continue
        value = value_of(b.stmt)
        twin = texts.get(plain(value) if value is not None else b.key)
        if twin is not None and _bound(b):
            pairs[b] = twin


def _jumps(st: s.Stmt) -> bool:
    """Whether nothing comes after ``st``."""
    if isinstance(st, s.ForeignStmt | s.Group) and st.body:
        return _jumps(st.body[-1])
    return isinstance(st, LEAVES)


def _before_label(a: Node) -> bool:
    """Whether the C has a label behind ``a``, so that something else may come there."""
    siblings = a.parent.kids if a.parent else []
    after = siblings[siblings.index(a) + 1 :] if a in siblings else []
    return bool(after) and after[0].kind == "label"


def _leaves_loop(st: s.Stmt) -> bool:
    """Whether it breaks out of a loop that it stands in, or goes round."""
    if isinstance(st, s.BreakStmt | s.ContinueStmt):
        return True
    if isinstance(st, s.While | s.For | s.Switch):
        return False
    return any(_leaves_loop(x) for x in kids(st) if isinstance(x, s.Stmt))


def _bound(b: Node) -> bool:
    """Whether the binding table made ``b`` what it is: several registers that ours has as one."""
    return any(isinstance(n, s.Foreign) for n in walk(b.stmt))


def value_of(st: s.Stmt | None) -> s.Expr | None:
    """The expression that a statement is about."""
    if isinstance(st, s.ExprStmt):
        return st.expr
    if isinstance(st, s.ReturnStmt):
        return st.value
    return st.init if isinstance(st, s.Declare) else None


def with_value(st: s.Stmt, e: s.Expr) -> s.Stmt:
    if isinstance(st, s.ReturnStmt):
        return s.ReturnStmt(e, st.span)
    if isinstance(st, s.Declare):
        return s.Declare(st.name, st.type, e, st.span)
    return s.ExprStmt(e, st.span)


def need(x: T | None) -> T:
    assert x is not None
    return x


def short(n: Node) -> str:
    text = n.key.split("\n")[0].replace(OWN, "") or n.kind
    return text if len(text) <= 60 else f"{text[:57]}..."
