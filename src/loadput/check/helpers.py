"""A patch's functions made ready to be laid beside each other: helpers read, names as they were.

What the specification does not have, and the kernel's own source says, is read from there: a helper
that the patch brings, takes out or changes, in its file or in the tree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress

from ..base.errors import SourceError
from ..ir.decls import Decls
from ..lang.carry import Effects, differ, is_silent, render_body, tree_of
from ..lang.carry.inline import calls_in, expand
from ..lang.carry.kinds import Retyped, retyped
from ..lang.carry.renames import (
    plainly,
    renamed,
    same_aliases,
    same_flags,
    same_locals,
    same_names,
    same_views,
)
from ..lang.carry.terms import calling
from ..lang.carry.tidy import positively, tidy
from ..lang.cfront import CFunction, find_c_functions, parse_function
from ..lang.cfront.found import lines_of
from ..lang.guess import SAME
from ..lang.infer import PLACES
from ..lang.inputs.patch import Near
from ..lang.syntax import Def, Invoke
from ..lang.vocab import INTRINSICS
from .mirrors import rooms_of
from .params import Said, said_elsewhere, without
from .taken import Taken


class Reader:
    """The helpers of one side of a patch, parsed where they are asked for.

    What its files do not have is looked for in the tree, in the part of the kernel they are of.

    :param own: functions that go by another name here
    """

    def __init__(
        self,
        near: Near,
        functions: Sequence[CFunction],
        structs: set[str],
        own: Mapping[str, str],
    ) -> None:
        self.own = own
        self.functions = {self.own.get(f.name, f.name): f for f in functions}
        self.structs, self.tree = structs, near.tree
        paths = [f.path for f in near.after if f.path] or [
            f.lines[0].file for f in functions if f.lines[0].file.startswith(("arch/", "virt/"))
        ]
        self.rooms = list(dict.fromkeys(r for p in paths for r in rooms_of(p)))
        self._seen: dict[str, Def | None] = {}
        self._there: dict[str, bool] = {}
        self.said: dict[str, list[Said]] = {}

    def __call__(self, name: str) -> Def | None:
        """The function, or None where it is not found, or is no C.

        Without the parameters that this side has alone and that say nothing.
        """
        d = self.parsed(name)
        return without(d, self.said) if d is not None else None

    def parsed(self, name: str) -> Def | None:
        """As it is there."""
        if name not in self._seen:
            f = self.functions.get(name) or self._in_tree(name)
            self._seen[name] = None
            if f is not None:
                with suppress(SourceError):
                    d = parse_function(f, "helper", self.structs, lenient=True)
                    self._seen[name] = calling(d, self.own)
        return self._seen[name]

    def callers(self, name: str) -> list[Def]:
        """What calls ``name`` in the patch's files."""
        c = self.functions[name].name
        found = [self.parsed(n) for n, f in self.functions.items() if n != name and c in f.text]
        return [d for d in found if d is not None]

    def has(self, name: str) -> bool:
        """Whether anything there speaks of ``name``."""
        self.parsed(name)
        return name in self.functions or self._there.get(name, False)

    def _in_tree(self, name: str) -> CFunction | None:
        texts = self.tree.holding(name, self.rooms) if self.tree is not None else {}
        if not texts and self.tree is not None:
            texts = self.tree.holding(name, ("virt/kvm", "include/linux"))
        self._there[name] = bool(texts)
        for path, text in texts.items():
            try:
                for f in find_c_functions(text, lines_of(text, path), names={name}):
                    return f
            except SourceError:
                continue
        return None


class Prepared:
    """The two sides of each function of a patch, as alike as they are.

    :param known: the functions that the specification mirrors or defines; they are never read
    :param between: helpers that call what the patch changes
    """

    def __init__(
        self, taken: Taken, decls: Decls, known: Collection[str], between: Collection[str] = ()
    ) -> None:
        self.decls, self.taken = decls, taken
        self.known, self.between = set(known), set(between)
        structs = set(decls.structs)
        near = taken.patch.near
        self.was = Reader(near, near.before, structs, {})
        self.now = Reader(near, near.after, structs, taken.own)
        self._find_signatures()
        pairs = taken.raw.values()
        self.fields = same_names(
            [b for b, _ in pairs], [a for _, a in pairs], fields=near.renamed_fields
        )
        self.read: set[str] = set()
        self.kinds: dict[str, list[Retyped]] = {}
        self.explained: set[str] = set()

    def _find_signatures(self) -> None:
        """The parameters that one side has alone and that say nothing."""
        heads = [
            {n: f.text.partition("{")[0].split() for n, f in r.functions.items()}
            for r in (self.was, self.now)
        ]
        other = [n for n in heads[0] if n in heads[1] and heads[0][n] != heads[1][n]]
        found = [
            said_elsewhere(other, a.parsed, b.parsed, a.callers)
            for a, b in ((self.was, self.now), (self.now, self.was))
        ]
        self.was.said, self.now.said = found

    def __call__(self, name: str, *, changed: bool = True) -> tuple[Def, Def]:
        """The function before and after the patch.

        :param changed: with the helpers read in it that both call, and that are others now
        """
        before, after = self.taken.raw[name]
        before, after = without(before, self.was.said), without(after, self.now.said)
        after = renamed(after, self.fields)
        before = expand(before, self._picker(self.was, self._alone_in(before)))
        after = expand(after, self._picker(self.now, self._alone_in(after)))
        old, new = Counter(calls_in(before)), Counter(calls_in(after))
        gone = {n for n in old if old[n] > new[n] and self._is_part(n, self.was, after, before)}
        fresh = {n for n in new if new[n] > old[n] and self._is_part(n, self.now, before, after)}
        both = {n for n in old if n in new and (self._differs(n) or n in self.between)}
        both = both if changed else set()
        if both & self.between:
            both |= {n for n in self.was.functions if self._differs(n)} | self.between
        a = expand(before, self._picker(self.was, gone | both))
        b = expand(after, self._picker(self.now, fresh | both))
        a, b = self._alike_as_can_be(a, b)
        if a is b:
            return a, a
        same = self._same_inside(before, after, gone | both, fresh | both)
        return (same, same) if same is not None else (a, b)

    def _same_inside(
        self, before: Def, after: Def, gone: AbstractSet[str], fresh: AbstractSet[str]
    ) -> Def | None:
        """``before``, where the two do the same once what one calls and the other does is read:
        functions of ours too.
        """
        calls = [Counter(calls_in(d)) for d in (before, after)]
        ours = {n for n in calls[0] | calls[1] if calls[0][n] != calls[1][n] and n in self.known}
        if not ours:
            return None
        kept = set(self.read)
        a = expand(before, self._picker(self.was, gone | ours, ours=True))
        b = expand(after, self._picker(self.now, fresh | ours, ours=True))
        a, b = self._alike_as_can_be(a, b)
        if a is not b:
            self.read = kept
            return None
        self.explained |= ours
        return a

    def _alike_as_can_be(self, before: Def, after: Def) -> tuple[Def, Def]:
        """Both under the same names; the one twice where both do the same."""
        before, after = (plainly(same_flags(same_views(d, self.decls))) for d in (before, after))
        given = before, after
        after = same_locals(before, after)
        gives = self.decls.funcs.get
        kinds = retyped(before, after, lambda fn: f.ret if (f := gives(fn)) else None)
        self.kinds[before.name] = kinds
        before, after = same_aliases(before, after)
        if not kinds and not differ(tidy(before), tidy(after)):
            return before, before
        a, b = map(positively, given)
        a, b = same_aliases(a, same_locals(a, b))
        return before, after if kinds or differ(tidy(a), tidy(b)) else before

    def unknown(self, before: Def, after: Def, effects: Effects, lost: Collection[str]) -> str:
        """A function that ``after`` calls and that nobody knows; "" where there is none.

        It is new, is not read where it is called, and may do what the patch takes out.

        :param lost: what is called by edits that are not judged: not even ours of another name
        """
        old, new = Counter(calls_in(before)), Counter(calls_in(after))
        for fn in new:
            if new[fn] <= old[fn] or (self._is_ours(fn) and fn not in lost):
                continue
            if fn.startswith("__builtin") or fn in INTRINSICS or self.was.has(fn):
                continue
            d = self.now(fn)
            if d is None or effects(d, d.body):
                return fn
        return ""

    def _is_part(self, name: str, here: Reader, there: Def, mine: Def) -> bool:
        """Whether a helper is to be read where it is called.

        One that the patch brings or takes out is; one that stays is where it does what the other
        side has in its place.
        """
        d = None if self._is_ours(name) else here(name)
        if d is None:
            return False
        if self._alone(name):
            return True
        out, own = _does(there), _does(mine)
        return any(n > own[f] for f, n in (_does(d) & out).items())

    def _picker(
        self, reader: Reader, top: Collection[str], *, ours: bool = False
    ) -> Callable[[str], Def | None]:
        """What is read where it is called: helpers that differ, and helpers of those.

        :param ours: what the specification has too
        """
        inside: set[str] = set()

        def find(name: str) -> Def | None:
            if name not in top and name not in inside:
                return None
            read_ours = ours and name in self.known
            d = None if self._is_ours(name) and not read_ours else reader(name)
            if d is None:
                return None
            if not read_ours:
                self.read.add(name)
            mine = [n for n in calls_in(d) if n in reader.functions]
            inside.update(n for n in mine if self._alone(n))
            return renamed(d, self.fields) if reader is self.now else d

        return find

    def _alone_in(self, d: Def) -> set[str]:
        """The helpers that ``d`` calls and that one side alone has."""
        return {n for n in calls_in(d) if self._alone(n)}

    def _alone(self, name: str) -> bool:
        """Whether one side alone has a helper."""
        return (name in self.was.functions) != (name in self.now.functions)

    def _is_ours(self, name: str) -> bool:
        if name in self.known or name in INTRINSICS or name in SAME or name in PLACES:
            return True
        return is_silent(Invoke(name, (), next(iter(self.taken.raw.values()))[0].span))

    def _differs(self, name: str) -> bool:
        """Whether a helper is another one with the patch."""
        if self._is_ours(name):
            return False
        f, g = self.was.functions.get(name), self.now.functions.get(name)
        return f is not None and g is not None and f.text.split() != g.text.split()

    def only_moved(self, name: str) -> bool:
        """Whether a function that the patch brings stood elsewhere in its files before."""
        f, g = self.was.functions.get(name), self.now.functions.get(name)
        a, b = (self.was(name), self.now(name)) if f and g else (None, None)
        return a is not None and b is not None and render_body(a.body) == render_body(b.body)


def _does(d: Def) -> Counter[str]:
    """What a function calls, writes and reads, how often."""
    return Counter(f for n in tree_of(d).walk() for f in n.feats if f[:2] in ("c:", "w:", "r:"))
