"""A patch's changed functions, each with what became of its edits in the specification."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..base.errors import LoadputError
from ..ir.decls import Decls, Signature, VarDecl
from ..lang.carry import (
    CARRIED,
    NOT_JUDGED,
    Carried,
    Carrier,
    Effects,
    Names,
    Outcome,
    body_diff,
    differ,
    find_edits,
    never_there,
    place_of,
    tree_of,
)
from ..lang.carry.edits import ADDED, CHANGED, Edit
from ..lang.carry.inline import calls_in
from ..lang.carry.laid import OWN
from ..lang.carry.renames import renamed_locals
from ..lang.guess import walk
from ..lang.infer import adopt_signature, infer_fields
from ..lang.syntax import Declare, Def, Invoke, Member
from ..link.bindings import bindings_of
from ..link.program import Choice, specification
from .callers import with_callers
from .fingerprint import Fingerprint, is_there, written_from
from .helpers import Prepared
from .mirrors import mirrored as mirrored_by
from .mirrors import mirrors_of, places, rooms_of
from .taken import Taken

ABSENT = "the specification does not have it"
COMMON = "virt/kvm/kvm_main.c"


@dataclass(slots=True)
class FunctionChange:
    """One function that a patch changes.

    :param place: ``file:line`` in what the user gave
    :param carried: what each of the specification's functions that mirror it became
    :param outcomes: what became of each edit: the best over those functions
    :param hunk: the lines of C that are another now, as a diff
    :param unknown: a function that it calls now, and that may do what it takes out
    :param why: why it is not judged as a whole, or ""
    :param there: the specification has it already: it is judged against ours without it
    :param whole: there is no C before: its C replaces the specification's
    :param through: helpers that the patch changes, and that are read where it calls them
    :param sets: what the program has, or the patch brings, and its edits write, unjudged as a whole
    """

    name: str
    place: str
    path: str = ""
    carried: list[Carried] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    why: str = ""
    whole: bool = False
    there: bool = False
    unknown: str = ""
    hunk: list[str] = field(default_factory=list)
    through: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)

    def never_run(self, why: str) -> None:
        """Nothing runs what its edits change: none of them is judged."""
        if any(c.changes for c in self.carried):
            self.outcomes = [Outcome(o.edit, NOT_JUDGED, o.why or why) for o in self.outcomes]

    def leave(self, why: str) -> None:
        """None of its edits is laid on ours."""
        self.outcomes = [Outcome(o.edit, NOT_JUDGED, o.why or why) for o in self.outcomes]
        self.carried = []

    @property
    def edits(self) -> int:
        """How many edits it has; a function that is not looked into counts as one."""
        return len(self.outcomes) or (1 if self.why or self.whole else 0)

    @property
    def judged(self) -> int:
        """How many of them are judged."""
        if self.whole and not self.why:
            return 1
        return sum(o.verdict != NOT_JUDGED for o in self.outcomes)

    @property
    def changes(self) -> bool:
        """Whether anything of it changes the specification."""
        return (self.whole and not self.why) or any(c.changes for c in self.carried)


@dataclass(slots=True)
class Carriage:
    """One patch carried over on one architecture.

    :param base: the program without its edits
    :param choice: the program with them
    :param explained: functions of ours that the C has in place of their calls now
    """

    base: Choice
    choice: Choice
    functions: list[FunctionChange] = field(default_factory=list)
    explained: frozenset[str] = frozenset()

    @property
    def changes(self) -> bool:
        return any(f.changes for f in self.functions)


def carry(
    taken: Taken,
    at: Choice,
    *,
    only: Collection[str] | None = None,
    lost: Mapping[str, str] | None = None,
) -> Carriage:
    """Carry ``taken`` over to the program of ``at``.

    Functions without a C before replace ours, as `lay` does; what cannot be carried says why.

    :param only: the functions whose edits are laid on ours; None: all
    :param lost: functions whose edits are not, each with the reason
    """
    work = _Carrying(taken, at)
    for d in work.taken.defs:
        if d.name in work.before:
            work.one(d, only, lost or {})
    work.tell_helpers()
    out = work.out
    out += [
        FunctionChange(n, "", taken.paths.get(n, ""), why=why) for n, why in taken.failed.items()
    ]
    met = work.met()
    whole_ = _whole(taken, work.before, work.mirrored)
    met |= work.questions() if out else set()
    out += [f for f in whole_ if f.name not in met and not work.ready.only_moved(f.name)]
    after = {d.name: d for d in taken.defs}
    whole = [after[f.name] for f in out if f.whole and not f.why]
    base = replace(at, user=_over(at.user, work.without.values()))
    choice = replace(
        at,
        user=_over(at.user, (*work.new.values(), *whole)),
        fields=tuple(dict.fromkeys((*at.fields, *work.fields))),
        hints=tuple(dict.fromkeys((*at.hints, *taken.hints))),
    )
    return Carriage(base if work.without else at, choice, out, frozenset(work.ready.explained))


class _Carrying:
    """One patch on its way to the program of ``at``: what each of ours became so far.

    :ivar new: ours with its edits
    :ivar without: ours without those that the specification has already
    """

    def __init__(self, taken: Taken, at: Choice) -> None:
        self.at = at
        self.defs, decls = specification(at)
        self.decls, self.fields = _with_fields(decls, taken)
        self.effects = Effects(self.decls, self.defs)
        self.by_c = mirrors_of(self.defs)
        self.mirrored = written_from(at.release, *at.search)
        self.bindings = bindings_of(at.arch, *at.search)
        known = {*self.defs, *self.by_c, *self.decls.funcs, *self.bindings.same}
        self.taken, self.callers = with_callers(
            taken, at.arch, self.bindings, self.decls.structs, places(self.defs), known
        )
        self.own = set(taken.raw)
        self.before = {d.name: d for d in self.taken.before}
        self.ready = Prepared(self.taken, self.decls, known, self.callers.between)
        for d in taken.defs:  # a function that the patch brings is known by what it does
            if d.name not in self.before and d.name not in self.decls.funcs:
                mine = adopt_signature(d, self.decls)
                if self.effects(mine, mine.body):
                    self.decls.funcs[d.name] = Signature(d.name, mine.params, mine.ret)
        self.new: dict[str, Def] = {}
        self.without: dict[str, Def] = {}
        self.out: list[FunctionChange] = []

    def one(self, d: Def, only: Collection[str] | None, lost: Mapping[str, str]) -> None:
        """Carry the edits of one function."""
        name = d.name
        path = self.taken.paths.get(name, "")
        change = FunctionChange(name, f"{d.span.file}:{d.span.line}", path)
        self.out.append(change)
        is_ours = not any(u.name in self.by_c.get(name, [name]) for u in self.at.user)
        change.there = is_ours and is_there(self.mirrored, *self.taken.c[name])
        laid = self.without if change.there else self.new
        raw, was, now, known, unread = self._lay(change, laid, self.ready(name))
        if change.through and name in self.own and change.outcomes and not change.judged:
            raw, was, now, known, _ = self._lay(change, laid, self.ready(name, changed=False))
            change.through = []
        if name in lost or (only is not None and name not in only):
            change.leave(lost.get(name, ""))
        if any(o.verdict == CARRIED and o.edit.kind != ADDED for o in change.outcomes):
            left = [o.edit for o in change.outcomes if o.verdict == NOT_JUDGED]
            brought = {x.removesuffix("()") for e in left for x in e.brings}
            change.unknown = self.ready.unknown(was, now, self.effects, brought)
        laid.update({c.spec.name: c.new for c in change.carried if c.changes})
        is_other = bool(self.ready.kinds.get(name)) or differ(*raw)
        _describe(change, self.taken, is_other=is_other, known=known)
        if change.why == ABSENT:
            change.sets = self._sets(*raw)
        if unread and not change.outcomes:
            change.why = f"{min(unread)}() has no form that can be read where it is called"

    def _lay(
        self, change: FunctionChange, laid: Mapping[str, Def], raw: tuple[Def, Def]
    ) -> tuple[tuple[Def, Def], Def, Def, bool, set[str]]:
        """Lay what turns the first of ``raw`` into the second on ours.

        :return: ``raw`` with our names; the two that were compared; whether ours has it; the
            helpers that are not read where they are called
        """
        name = change.name
        calls = {*calls_in(raw[0]), *calls_in(raw[1])}
        every = self.callers.of.get(name, set())
        left = {h for h in every if calls & self.callers.between or h in calls}
        change.through = sorted(every - left)
        named = (self.bindings.named(raw[0]), self.bindings.named(raw[1]))
        was, now = (_unshadowed(self.bindings.lay(x)[0], self.decls) for x in named)
        raw = (self.bindings.settled(named[0]), self.bindings.settled(named[1]))
        pair = (now, was) if change.there else (was, now)
        known, change.carried, change.outcomes = carry_function(
            name, *pair, self.by_c, {**self.defs, **laid}, self.decls, self.effects
        )
        if known:
            change.outcomes += self._retyped(name, back=change.there)
            sides = (named[1], named[0]) if change.there else named
            change.outcomes += self._fixed(*sides)
        return raw, was, now, known, left

    def _fixed(self, before: Def, after: Def) -> list[Outcome]:
        """The edits under tests that are fixed here: nobody judges them."""
        names = Names(frozenset(self.decls.globals), self.defs)
        found = never_there(before, after, self.bindings, names)
        for e, _ in found:
            e.place = place_of(e)
        return [Outcome(e, NOT_JUDGED, why) for e, why in found]

    def _retyped(self, name: str, *, back: bool) -> list[Outcome]:
        """What has another type of C: nobody judges that."""
        out = []
        for k in self.ready.kinds.get(name, []):
            e = Edit(CHANGED, *k.nodes())
            e.place = place_of(e)
            out.append(Outcome(e.back() if back else e, NOT_JUDGED, k.why))
        return out

    def _sets(self, before: Def, after: Def) -> list[str]:
        """The fields and variables that a function we lack writes where it did not before."""
        names = Names(frozenset(self.decls.globals), self.defs)
        brings = [
            x
            for e in find_edits(tree_of(before, names), tree_of(after, names)).edits
            for x in e.brings
        ]
        has = {f for st in self.decls.structs.values() for f in st.fields} | set(self.decls.globals)
        return [x for x in dict.fromkeys(brings) if x in has]

    def tell_helpers(self) -> None:
        """Helpers that are judged where they are called are what calls them, there alone."""
        kept = [
            f
            for f in self.out
            if f.name in self.own or (f.through and not f.why and (f.judged or not f.outcomes))
        ]
        through = {h for f in kept for h in f.through}
        self.out = [f for f in kept if not (f.name in through and f.why)]

    def met(self) -> set[str]:
        """Functions that the patch brings and that are judged where they are called: read there."""
        called = {n for d in self.new.values() for n in calls_in(d)}
        return self.ready.read - called

    def questions(self) -> set[str]:
        """Functions that the patch brings, that do nothing but give a value, and that ours, as the
        patch leaves it, does not call: who else does is judged by itself.
        """
        called = {n for d in self.new.values() for n in calls_in(d)}
        ours = {*self.before, *self.by_c, *self.defs}
        fresh = [d for d in self.taken.defs if d.name not in ours]
        return {d.name for d in fresh if d.name not in called and self.effects.asks(d)}


def _unshadowed(d: Def, decls: Decls) -> Def:
    """``d`` with its own locals told from what the program has under their names."""
    own = {n.name for n in walk(d.body) if isinstance(n, Declare)}
    same = own & (decls.globals.keys() | decls.consts.keys())
    return renamed_locals(d, {n: n + OWN for n in same}) if same else d


def _describe(change: FunctionChange, taken: Taken, *, is_other: bool, known: bool) -> None:
    """Its hunk, its edits in the patch's direction, and why it is not judged as a whole.

    :param is_other: whether it does not do the same as before
    """
    name = change.name
    for n in (name, *change.through):
        was, now = taken.texts.get(n, ("", ""))
        change.hunk += body_diff(was.split("\n"), now.split("\n"))
    if change.there:
        change.carried = [Carried(c.new, c.spec) for c in change.carried]
        change.outcomes = [replace(o, edit=o.edit.back()) for o in change.outcomes]
    if not change.outcomes and is_other:
        change.why = ABSENT
        if known:
            change.why = "the specification has what it exchanges as one"
    elif not change.outcomes and name in taken.arms:
        change.why = "it stands under an #if of another configuration"


def _over(user: Sequence[Def], more: Iterable[Def]) -> tuple[Def, ...]:
    new = {d.name: d for d in more}
    return (*(d for d in user if d.name not in new), *new.values())


def carry_function(
    name: str,
    before: Def,
    after: Def,
    by_c: Mapping[str, Sequence[str]],
    defs: Mapping[str, Def],
    decls: Decls,
    effects: Effects,
) -> tuple[bool, list[Carried], list[Outcome]]:
    """Carry one C function's edits over to ours that mirror it, each edit to the first that can.

    :return: whether there is any; those of ours that have edits; what became of each edit
    """
    every = [n for n in by_c.get(name, [name]) if n in defs]
    targets = [n for n in every if n == name or not shared_by(n, name, defs)]
    names = Names(frozenset(decls.globals), defs)
    carried: list[Carried] = []
    outcomes: list[Outcome] = []
    seen: set[str] = set()
    for n in targets:
        if n in seen:
            continue
        called = {c.fn for c in walk(defs[n].body) if isinstance(c, Invoke)}
        parts = {m: defs[m] for m in targets if m in called and m not in seen and m != n}
        seen |= {n, *parts}
        left = {i for i, o in enumerate(outcomes) if o.verdict == NOT_JUDGED}

        def fresh(mine: Def = defs[n], parts: Mapping[str, Def] = parts) -> Carrier:
            return Carrier(before, after, mine, effects, names, parts)

        carrier, got = _whole_edits(fresh, left if outcomes else None)
        carried += carrier.changed()
        outcomes = outcomes or got
        for i in left:
            if got[i].verdict == CARRIED or not outcomes[i].why:
                outcomes[i] = got[i]
    if every and not targets:
        other = shared_by(every[0], name, defs)
        diff = find_edits(tree_of(before, names), tree_of(after, names))
        why = f"the specification has one part for it and for {other}()"
        outcomes = [Outcome(e, NOT_JUDGED, why) for e in diff.edits]
    return bool(every), carried, outcomes


def _whole_edits(
    fresh: Callable[[], Carrier], only: Collection[int] | None
) -> tuple[Carrier, list[Outcome]]:
    """Carry the edits over, but none without its other half."""
    carrier = fresh()
    got = carrier.run(only)
    halves = carrier.halves(got)
    if halves:
        carrier = fresh()
        got = carrier.run(set(only if only is not None else range(len(got))) - halves)
        for i in halves:
            got[i].why = "the test that it stands under instead is not judged"
    for only_returns in (True, False):
        why = carrier.nonsense()
        done = {i for i, o in enumerate(got) if o.verdict == CARRIED}
        left = {i for i in done if not only_returns or _is_return(got[i].edit)}
        if why and left:
            carrier, was = fresh(), got
            got = carrier.run(done - left)
            for i, o in enumerate(was):
                got[i].why = why if i in left else got[i].why or o.why
    return carrier, got


def _is_return(e: Edit) -> bool:
    return any(n is not None and n.kind == "ret" for n in (e.before, e.after))


def shared_by(n: str, name: str, defs: Mapping[str, Def]) -> str:
    """Another C function than ``name`` that ``n`` of ours is a part of too, or "".

    What one of several does otherwise is not what all do: ours is called for each of them.
    """
    every = mirrored_by(defs[n].doc)
    others = [c for c in every if c != name]
    if not others or n in every:
        return ""
    calls = sum(
        any(isinstance(c, Invoke) and c.fn == n for c in walk(d.body)) for d in defs.values()
    )
    return others[0] if calls > 1 else ""


def _whole(
    taken: Taken,
    before: Mapping[str, Def],
    mirrored: Mapping[tuple[str, str], Fingerprint],
) -> list[FunctionChange]:
    """The functions that the input gives whole, without what they were.

    What a diff brings and the specification has already stays the specification's.
    """
    out = []
    for d in taken.defs:
        if d.name in before:
            continue
        path = taken.paths.get(d.name, "")
        change = FunctionChange(d.name, f"{d.span.file}:{d.span.line}", path, whole=True)
        if (path, d.name) in mirrored and taken.before:
            change.whole, change.there = False, True
        out.append(change)
    return out


def _with_fields(decls: Decls, taken: Taken) -> tuple[Decls, list[tuple[str, VarDecl]]]:
    """The declarations with the fields that the patch brings: those no C before speaks of."""
    known = {n.name for d in taken.before for n in walk(d.body) if isinstance(n, Member)}
    hinted = {name for _, name, _ in taken.hints}
    tree = taken.patch.near.tree
    rooms = dict.fromkeys(r for p in (*taken.paths.values(), COMMON) for r in rooms_of(p))
    fresh = [d for d in taken.defs if d.name in {b.name for b in taken.before}]
    wider = copy.deepcopy(decls)
    try:
        found = infer_fields(fresh, wider, taken.hints)
    except LoadputError:
        found = []
    out = []
    for f in found:
        struct, _, name = f.name.rpartition(".")
        # What the kernel has already, others write and read, whom nobody knows here.
        if name not in hinted and (name in known or (tree and tree.holding(name, list(rooms)))):
            continue
        out.append((struct, replace(f, name=name)))
    kept = copy.deepcopy(decls)
    for struct, f in out:
        (kept.structs[struct].fields if struct else kept.globals)[f.name] = f
    return kept, out


def count(functions: Iterable[FunctionChange]) -> tuple[int, int, int, int]:
    """``(functions judged, functions, edits judged, edits)``."""
    fs = list(functions)
    return (
        sum(f.judged > 0 for f in fs),
        len(fs),
        sum(f.judged for f in fs),
        sum(f.edits for f in fs),
    )
