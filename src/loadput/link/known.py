"""Every name that the specification, or an overlay of the user's, has for any program.

A program lacks what other architectures have: a property that names that does not apply. What
nobody has is a slip of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..lang.pyfront import Module
from .overlay import KINDS, SPEC, find_overlays, load_modules


@dataclass(frozen=True, slots=True)
class Known:
    """Names, whoever has them.

    :param fields: ``struct.field``
    :param names: variables, constants, structs, fields by their last name
    :param properties: as their functions are called, with ``_``
    """

    functions: frozenset[str]
    fields: frozenset[str]
    names: frozenset[str]
    properties: frozenset[str]
    consts: frozenset[str]


@cache
def all_known(*more: Path) -> Known:
    """Every name of the specification and of the folders ``more``."""
    functions: set[str] = set()
    fields: set[str] = set()
    names: set[str] = set()
    properties: set[str] = set()
    consts: set[str] = set()
    for m in _iter_modules(*more):
        for d in m.defs:
            words = {a.partition(":")[0] for a in d.attrs}
            (properties if "property" in words else functions).add(d.name)
        for struct in m.structs.values():
            fields |= {f"{struct.name}.{f}" for f in struct.fields}
            names |= {struct.name, *struct.fields}
        names |= m.globals.keys() | m.consts.keys() | m.enums.keys()
        consts |= m.consts.keys()
    return Known(*map(frozenset, (functions, fields, names, properties, consts)))


def _iter_modules(*more: Path) -> Iterator[Module]:
    folders = [(SPEC / "mainline", "mainline"), (SPEC / "properties", "properties")]
    folders += [(v.folder, v.label) for k in KINDS for v in find_overlays(k, *more).values()]
    for folder, label in folders:
        yield from load_modules(folder, label, {}, arch=True)
