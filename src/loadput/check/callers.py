"""Helpers that the specification does not have are judged where it has what calls them."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..base.errors import SourceError
from ..lang.carry.bind import Bindings
from ..lang.cfront import CFunction, find_c_functions, parse_function
from ..lang.cfront.found import lines_of
from ..lang.inputs.patch import Near
from .scope import for_arch, is_of
from .taken import Taken

STEPS = 3  # helpers between what a patch changes and what is mirrored
MOST = 8  # functions that are mirrored and call one helper: what more call is nobody's part
_CALL = re.compile(r"\b([a-z_]\w*)\s*\(")


@dataclass(slots=True)
class Callers:
    """What is mirrored and calls helpers that a patch changes.

    :param of: per such function, the helpers that it comes to
    :param between: helpers that no patch changes, and that call one that it does
    """

    of: dict[str, set[str]] = field(default_factory=dict)
    between: set[str] = field(default_factory=set)


class _Search:
    """Who calls what, in the files of a patch and in those where what is mirrored stands."""

    def __init__(self, near: Near, arch: str, mirrored: Mapping[str, Sequence[str]]) -> None:
        self.near, self.mirrored = near, mirrored
        self.before = {f.name: f for f in for_arch(near.before, arch)}
        self.after = {f.name: f for f in for_arch(near.after, arch)}
        rooms = {"/".join(p.split("/")[:-1]) for ps in mirrored.values() for p in ps}
        mine = [r for r in sorted(rooms) if r.startswith(("virt/", "arch/")) and is_of(arch, r)]
        self.rooms = [r for r in mine if not any(r.startswith(f"{o}/") for o in mine)]

    def callers(self, name: str) -> dict[str, CFunction]:
        """The functions that call ``name`` as they were."""
        out = {n: f for n, f in self.before.items() if n != name and _calls(f, name)}
        if self.near.tree is None:
            return out
        own = {f.path for f in (*self.near.before, *self.near.after)}
        for path, text in self.near.tree.holding(name, self.rooms).items():
            if path in own:
                continue
            here = {n for n, paths in self.mirrored.items() if path in paths and n in text}
            try:
                found = find_c_functions(text, lines_of(text, path), names=here) if here else ()
            except SourceError:
                continue
            out.update({f.name: replace(f, path=path) for f in found if _calls(f, name)})
        return out


def _calls(f: CFunction, name: str) -> bool:
    return name in _CALL.findall(f.text)


def with_callers(
    taken: Taken,
    arch: str,
    bindings: Bindings,
    structs: Collection[str],
    mirrored: Mapping[str, Sequence[str]],
    known: Collection[str],
) -> tuple[Taken, Callers]:
    """``taken`` with what is mirrored and calls the helpers that it changes, as if it changed them.

    :param mirrored: per C function that the specification mirrors, the files where it may stand
    :param known: what the specification has of its own, so that it is no helper
    """
    helpers = [n for n, (b, a) in taken.c.items() if n not in known and b.text != a.text]
    out = Callers()
    if not helpers:
        return taken, out
    if taken.called is None:
        taken.called = _found(taken, helpers, arch, mirrored, known)
    found, out = taken.called[0], copy.deepcopy(taken.called[1])
    return _joined(taken, bindings, structs, found, out), out


def _found(
    taken: Taken,
    helpers: Sequence[str],
    arch: str,
    mirrored: Mapping[str, Sequence[str]],
    known: Collection[str],
) -> tuple[dict[str, tuple[CFunction, CFunction]], Callers]:
    """What is mirrored and calls ``helpers``, before and after the patch, but what it changes."""
    out = Callers()
    search = _Search(taken.patch.near, arch, mirrored)
    found: dict[str, tuple[CFunction, CFunction]] = {}
    for h in helpers:
        mine, between = _up(h, search, known)
        mine = {n: f for n, f in mine.items() if n not in taken.failed}
        if len(mine) > MOST:
            taken.notes.append(f"{h}: more than {MOST} functions that are mirrored call it")
            continue
        out.between |= between
        for n, f in mine.items():
            out.of.setdefault(n, set()).add(h)
            if n not in taken.raw:
                found[n] = (f, search.after.get(n, f))
    return found, out


def _up(
    helper: str, search: _Search, known: Collection[str]
) -> tuple[dict[str, CFunction], set[str]]:
    """What is mirrored and comes to ``helper``, and the helpers between."""
    mine: dict[str, CFunction] = {}
    seen, todo = {helper}, [helper]
    for _ in range(STEPS):
        here = {n: f for h in todo for n, f in search.callers(h).items() if n not in seen}
        mine |= {n: f for n, f in here.items() if n in search.mirrored}
        todo = [n for n in here if n not in known]
        seen |= set(here)
    return mine, {n for n in seen if n not in known and n != helper}


def _joined(
    taken: Taken,
    bindings: Bindings,
    structs: Collection[str],
    found: Mapping[str, tuple[CFunction, CFunction]],
    callers: Callers,
) -> Taken:
    """``taken`` with functions ``found`` that it does not change; those that are no C are left."""
    new = replace(
        taken,
        defs=list(taken.defs),
        before=list(taken.before),
        paths=dict(taken.paths),
        raw=dict(taken.raw),
        texts=dict(taken.texts),
        c=dict(taken.c),
    )
    for name, (was, now) in found.items():
        try:
            pair = [parse_function(f, "caller", set(structs), lenient=True) for f in (was, now)]
        except SourceError:
            del callers.of[name]
            continue
        new.raw[name] = (pair[0], pair[1])
        new.before.append(bindings.lay(pair[0])[0])
        new.defs.append(bindings.lay(pair[1])[0])
        new.paths[name], new.c[name] = was.path, (was, now)
        new.texts[name] = (was.text, now.text)
    return new
