"""Which of a user's functions belong to an architecture: by path, else by what they call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..ir.types import Type
from ..lang.cfront import CFunction
from ..lang.syntax import Def
from ..link.overlay import SPEC, find_overlays, load_modules
from .mirrors import places

COMMON = ("virt/", "include/", "kernel/", "mm/", "lib/")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a function counts: on ``archs`` (None: on all), or nowhere, being of ``why``."""

    archs: frozenset[str] | None
    why: str = ""

    def covers(self, arch: str) -> bool:
        """Whether a program of ``arch`` has it."""
        return not self.why and (self.archs is None or arch in self.archs)


EVERYWHERE = Scope(None)


def _family(name: str, *search: Path) -> frozenset[str]:
    """The architectures that are ``name`` or descend from it: x86 has svm and vmx."""
    known = find_overlays("arch", *search)
    return frozenset(n for n, v in known.items() if not v.abstract and name in (n, v.parent))


def scope_of_path(path: str, *search: Path) -> Scope:
    """The scope of a file in a kernel tree; a path that says nothing counts everywhere.

    :param search: further folders with overlays
    """
    parts = path.split("/")
    if parts[0] == "arch" and len(parts) > 2:
        archs = _family(parts[1], *search)
        if not archs:
            return Scope(frozenset(), f"arch/{parts[1]}")
        inner = [p for p in parts[2:-1] if p in archs]
        return Scope(frozenset(inner) if inner else archs)
    if len(parts) > 1 and not path.startswith(COMMON):
        return Scope(frozenset(), f"{parts[0]}/")
    return EVERYWHERE


@cache
def _own() -> dict[str, dict[str, Def]]:
    """What each architecture's own folder defines, and the abstract ones'."""
    aliases: dict[str, Type] = {}
    load_modules(SPEC / "mainline", "mainline", aliases, arch=True)
    out = {}
    for name, overlay in find_overlays("arch").items():
        modules = load_modules(overlay.folder, overlay.label, aliases, arch=True)
        out[name] = {d.name: d for m in modules for d in m.defs}
    return out


@cache
def _mirroring() -> dict[tuple[str, str], frozenset[str]]:
    """Per file of the kernel and function of it, the architectures whose own folder mirrors it."""
    out: dict[tuple[str, str], frozenset[str]] = {}
    for name, defs in _own().items():
        for c, paths in places(defs).items():
            for at in paths:
                out[at, c] = out.get((at, c), frozenset()) | _family(name)
    return out


def places_on(arch: str, defs: Mapping[str, Def], *search: Path) -> dict[str, tuple[str, ...]]:
    """As `places`, without what ``defs`` name of other architectures as examples."""
    out = {}
    for c, paths in places(defs).items():
        mine = tuple(p for p in paths if is_of(arch, p, *search))
        if mine:
            out[c] = mine
    return out


def is_of(arch: str, path: str, *search: Path) -> bool:
    """Whether a file of the kernel is common code, or of ``arch``."""
    return not path.startswith("arch/") or scope_of_path(path, *search).covers(arch)


@cache
def _names() -> dict[str, frozenset[str]]:
    """The functions that each architecture's own folder defines, and the abstract ones'."""
    return {name: frozenset(defs) for name, defs in _own().items()}


def scope_of_text(f: CFunction) -> Scope:
    """The scope of a function without a path: common code, or the architecture it speaks of.

    A name that several architectures define (kvm_arch_vcpu_load) belongs to the one whose other
    functions it calls, or whose name stands in its words; to all where nothing tells them apart.
    """
    names = _names()
    owners = [n for n, own in names.items() if f.name in own]
    if not owners:
        return EVERYWHERE
    if len(owners) == 1:
        return Scope(_family(owners[0]))
    words = set(_WORD.findall(f.text)) - {f.name}
    score = {o: _score(o, owners, words, names) for o in owners}
    best = max(score.values())
    first = [o for o in owners if score[o] == best]
    return Scope(_family(first[0])) if best and len(first) == 1 else EVERYWHERE


def _score(
    owner: str, owners: Sequence[str], words: set[str], names: dict[str, frozenset[str]]
) -> int:
    kin = {owner, *_family(owner)}
    own = frozenset[str]().union(*(names[k] for k in kin if k in names))
    others = frozenset[str]().union(*(names[o] for o in owners if o not in kin))
    told = sum(any(k in w.lower().split("_") for k in kin) for w in words)
    return len(words & (own - others)) + told


def scope_of(f: CFunction) -> Scope:
    """Where ``f`` counts: by its path in the kernel tree, else by its text.

    What an architecture mirrors from outside its folder and the common code is of that one alone.
    """
    found = scope_of_path(f.path) if "/" in f.path else scope_of_text(f)
    owners = _mirroring().get((f.path, f.name)) if found.why else None
    return Scope(owners) if owners else found


def for_arch(functions: Iterable[CFunction], arch: str) -> list[CFunction]:
    """The functions that a program of ``arch`` has; of one name defined twice, the later."""
    out: dict[str, CFunction] = {}
    for f in functions:
        if scope_of(f).covers(arch):
            held = out.get(f.name)
            if held is None or scope_of(held).archs is None or scope_of(f).archs is not None:
                out[f.name] = f
    return list(out.values())


def not_modelled(functions: Iterable[CFunction]) -> dict[str, list[str]]:
    """Per part of the kernel that is not modelled, the functions of it."""
    out: dict[str, list[str]] = {}
    for f in functions:
        why = scope_of(f).why
        if why:
            out.setdefault(why, []).append(f.name)
    return out
