"""Results that are kept: what a check found, under the digest of all that it depends on.

Two names lead to one result. The first is made of what is linked, before it is: the choice, the
scenario, the text of the specification and of the overlays. Where the specification has changed
elsewhere, the program that was linked is the second, and what was found of it still stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from ..base.kept import Shelf, checker_digest, digest, digest_folder, spec_digest
from ..link.program import Choice
from ..link.scenario import Scenario
from ..machine.built import Built
from ..run.exploration import Exploration, Limits
from ..run.reduce import Reduce
from .races import Race
from .verdict import PropertyResult, Result, worst

RESULTS = "results"
"""The shelf of them."""
WHOLE = "whole"
ENDS = ("states", "first")
"""Bounds that the same search meets at the same place, every time."""


@dataclass(slots=True)
class _Record:
    """What is written: a `Result` without what can be made again."""

    properties: list[PropertyResult]
    exploration: Exploration
    opaque_calls: dict[str, list[str]]
    inferred_fields: list[str]
    layers: list[str]
    races: list[Race]
    absent: list[tuple[str, int]]
    remembers: bool


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Record).decode


class Kept:
    """The results on one shelf.

    A search that saw every state answers for any bound that it would not have met; one that a bound
    on states or the first violation ended, for the same bound. What memory, time or the user ended
    is not kept.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def at(self, built: Built, reduce: Reduce, limits: Limits) -> Place:
        """Where the result of one check is, or will be."""
        return Place(self.shelf, built, reduce, limits)

    def fact(
        self, of: str, choices: tuple[Choice, ...], s: Scenario, make: Callable[[], Any]
    ) -> Any:
        """``make()``, which gives JSON and depends on nothing but programs; or what it gave once.

        :param of: what is asked of them, and with which options
        """
        key = digest("fact", of, *(_inputs(c, s) for c in choices))
        data = self.shelf.get(key)
        if data is not None:
            try:
                return json.loads(data)
            except ValueError:
                self.shelf.damaged(key)
        out = make()
        self.shelf.put(key, json.dumps(out).encode())
        return out


class Place:
    """Where the result of one check is kept."""

    def __init__(self, shelf: Shelf, built: Built, reduce: Reduce, limits: Limits) -> None:
        self.shelf, self.built, self.limits = shelf, built, limits
        self._how = repr((built.opaque, built.fusing, reduce))
        self._asked = digest("inputs", _inputs(built.choice, built.scenario), self._how)
        self._name = ""

    def find(self) -> Result | None:
        """The result, with every property and no blame; None where it is not kept.

        Raises what linking raises.
        """
        out = self._find()
        self.shelf.count(found=out is not None)
        return out

    def _find(self) -> Result | None:
        asked = self.shelf.get(self._asked)
        name = asked.decode("ascii", "replace") if asked else self._of_program()
        for bound in (WHOLE, _bound(self.limits)):
            key = digest(name, bound)
            data = self.shelf.get(key)
            if data is None:
                continue
            try:
                record = _decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError):
                self.shelf.damaged(key)
                continue
            if bound == WHOLE and not _within(record.exploration, self.limits):
                continue
            if not asked:
                self.shelf.put(self._asked, name.encode())
            return _result(self.built, record)
        return None

    def keep(self, r: Result) -> None:
        """Keep ``r``, which has every property and no blame."""
        x = r.exploration
        if not x.finished and x.stopped_by not in ENDS:
            return
        record = _Record(
            r.properties, replace(x, title=""), r.opaque_calls, r.inferred_fields, r.layers,
            r.races, r.absent, r.remembers,
        )  # fmt: skip
        name = self._of_program()
        bound = WHOLE if x.finished else _bound(self.limits)
        self.shelf.put(digest(name, bound), _encode(record))
        self.shelf.put(self._asked, name.encode())

    def _of_program(self) -> str:
        if not self._name:
            p = self.built.program
            # The one set in it is put in order: what has no order has no name.
            whole = replace(p, decls=replace(p.decls, written=frozenset()))
            text = repr(whole), repr(sorted(p.decls.written))
            self._name = digest("program", checker_digest(), *text, self._how)
        return self._name


def _inputs(choice: Choice, scenario: Scenario) -> str:
    """A name for all that linking reads."""
    folders = [f"{f}\0{digest_folder(f)}" for f in choice.search]
    return digest(checker_digest(), spec_digest(), *folders, repr(choice), repr(scenario))


def _bound(limits: Limits) -> str:
    return repr((limits.max_states, limits.stop_at_first))


def _within(x: Exploration, limits: Limits) -> bool:
    """Whether a search that saw every state would have done so within ``limits``."""
    few = limits.max_states is None or x.states < limits.max_states
    return few and not (limits.stop_at_first and x.first)


def _result(built: Built, r: _Record) -> Result:
    choice = replace(built.choice, reduce=False) if r.remembers else built.choice
    made = replace(built, choice=choice) if r.remembers else built
    x = r.exploration
    return Result(
        choice.title, choice, built.scenario, worst(r.properties, choice.memory), r.properties,
        x.states, x.transitions, x.depth, x.stopped_by, r.opaque_calls, r.inferred_fields, r.layers,
        x, made,
        races=r.races, absent=r.absent, remembers=r.remembers, fusing=built.fusing, kept=True,
    )  # fmt: skip
