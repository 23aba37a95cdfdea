"""Which C functions the specification mirrors, and in which files of the kernel they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..base.errors import SourceError
from ..ir.decls import Decls
from ..lang.cfront import find_c_functions, parse_function
from ..lang.cfront.unit import CFunction, lines_of
from ..lang.syntax import Def
from ..link.bindings import bindings_of
from ..link.program import Choice, specification

_SECTION = re.compile(r"^\s*(?:Context|Omits|Returns|Source):|; Omits:", re.M)
_TOKEN = re.compile(
    r"\b(\w+)\(\)|\b((?:virt|arch|kernel|include|drivers|mm|lib)/[\w./-]+\.[chS])\b"
)


def mirrored(doc: str) -> dict[str, tuple[str, ...]]:
    """Per C function that a docstring's ``Mirrors:`` names, the files named after it."""
    out: dict[str, tuple[str, ...]] = {}
    for part in doc.split("Mirrors:")[1:]:
        end = _SECTION.search(part)
        names: list[str] = []
        paths: list[str] = []
        for m in _TOKEN.finditer(part[: end.start()] if end else part):
            if m[1] and paths:
                out.update({n: (*out.get(n, ()), *paths) for n in names})
                names, paths = [], []
            (names if m[1] else paths).append(m[1] or m[2])
        out.update({n: (*out.get(n, ()), *paths) for n in names})
    return out


def places(defs: Mapping[str, Def]) -> dict[str, tuple[str, ...]]:
    """Per C function that is mirrored, the files where it may stand."""
    out: dict[str, tuple[str, ...]] = {}
    for d in defs.values():
        for name, paths in mirrored(d.doc).items():
            out[name] = tuple(dict.fromkeys((*out.get(name, ()), *paths)))
    return out


def mirrors_of(defs: Mapping[str, Def]) -> dict[str, list[str]]:
    """Per C function, ours that mirror it; the one of its own name first."""
    out: dict[str, list[str]] = {}
    for name, d in defs.items():
        for c in mirrored(d.doc):
            out.setdefault(c, []).append(name)
    return {c: sorted(names, key=lambda n: (n != c, n)) for c, names in out.items()}


def find_in_tree(tree: Path, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, CFunction]:
    """The functions ``wanted`` as the tree has them, each in the first of its files that does."""
    by_file: dict[str, set[str]] = {}
    for name, paths in wanted.items():
        for p in paths:
            by_file.setdefault(p, set()).add(name)
    found: dict[tuple[str, str], CFunction] = {}
    for path, names in by_file.items():
        at = tree / path
        if at.is_file():
            text = at.read_text("utf-8", "replace")
            for f in find_c_functions(text, lines_of(text, path), names=names):
                found[path, f.name] = replace(f, path=path)
    out = {}
    for name, paths in wanted.items():
        here = next((found[p, name] for p in paths if (p, name) in found), None)
        if here is not None:
            out[name] = here
    return out


def in_tree(tree: Path, arch: str, defs: Mapping[str, Def], decls: Decls) -> dict[str, Def]:
    """Every C function that ``defs`` mirror and the tree has, in the model's terms."""
    bindings = bindings_of(arch)
    out = {}
    for name, f in find_in_tree(tree, places(defs)).items():
        try:
            d = parse_function(f, "tree", set(decls.structs), lenient=True)
        except SourceError:
            continue
        out[name] = bindings.lay(d)[0]
    return out


def watched_paths(archs: Sequence[str]) -> list[str]:
    """What of a kernel tree the specification of ``archs`` is about, for git."""
    out = {"virt/kvm", "arch/*/kvm", "arch/*/include/asm/kvm*", "include/linux/kvm*"}
    for arch in archs:
        for paths in places(specification(Choice(arch))[0]).values():
            out.update(paths)
    return sorted(out)
