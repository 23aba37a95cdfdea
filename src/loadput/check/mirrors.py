"""Which C functions the specification mirrors, and in which files of the kernel they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..base.clock import look
from ..base.errors import SourceError
from ..ir.decls import Decls
from ..lang.carry.bind import Bindings
from ..lang.cfront import find_c_functions, parse_function
from ..lang.cfront.found import CFunction, lines_of
from ..lang.syntax import Def
from ..link.program import Choice, specification

_SECTION = re.compile(r"^\s*(?:Context|Omits|Returns|Source):|; Omits:", re.M)
_TOKEN = re.compile(
    r"\b(\w+)\(\d?\)|\b(\w+_x86_ops\.\w+)|\b(_*[a-z]\w+)(?=, [\w, ]*arch/[\w/]*\.S)|"
    r"\b((?:virt|arch|kernel|include|drivers|mm|lib)/[\w./-]+\.[chS])\b"
)


_CITED = re.compile(_TOKEN.pattern + r"|\bv(\d+\.\d+(?:[.-]\w+)*)")
_ASIDE = re.compile(r"\([^()]*\bv\d[^()]*\)|\"[^\"]*\"")
_AND = re.compile(r"[\s,;]*(?:and)?\s*")


def mirrored(doc: str) -> dict[str, tuple[str, ...]]:
    """Per C function that a docstring's ``Mirrors:`` names, the files named after it."""
    out: dict[str, tuple[str, ...]] = {}
    for part in doc.split("Mirrors:")[1:]:
        end = _SECTION.search(part)
        names: list[str] = []
        paths: list[str] = []
        for m in _TOKEN.finditer(part[: end.start()] if end else part):
            name = m[1] or m[2] or m[3]
            if name and paths:
                out.update({n: (*out.get(n, ()), *paths) for n in names})
                names, paths = [], []
            (names if name else paths).append(name or m[4])
        out.update({n: (*out.get(n, ()), *paths) for n in names})
    return out


def versions_of(doc: str) -> dict[str, frozenset[str]]:
    """Per C function that a docstring's ``Mirrors:`` names, the versions that stand after it.

    A version is of all before it that has none, ``v1, v2`` of what is before both; what a sentence
    says of another version is not one of them.
    """
    out: dict[str, frozenset[str]] = {}
    for part in doc.split("Mirrors:")[1:]:
        end = _SECTION.search(part)
        text = _ASIDE.sub("", part[: end.start()] if end else part).partition("\n\n")[0]
        names: list[str] = []
        given: list[str] = []
        last = 0
        for m in _CITED.finditer(text):
            name, version = m[1] or m[2] or m[3], m[5]
            between, last = text[last : m.start()], m.end()
            if name and given:
                names, given = [], []
            if name:
                names.append(name)
            elif version and (not given or _AND.fullmatch(between)):
                given.append(f"v{version}".rstrip("."))
                out.update({n: out.get(n, frozenset()) | {given[-1]} for n in names})
    return out


def named_paths(doc: str) -> tuple[str, ...]:
    """The files of the kernel that a docstring names."""
    return tuple(dict.fromkeys(m[4] for m in _TOKEN.finditer(doc) if m[4]))


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
        look()
        at = tree / path
        if not at.is_file():
            continue
        text = at.read_text("utf-8", "replace")
        if path.endswith((".c", ".h")):
            for f in find_c_functions(text, lines_of(text, path), names=names):
                found[path, f.name] = replace(f, path=path)
        for name in names:
            other = None if (path, name) in found else _no_function(text, path, name)
            if other is not None:
                found[path, name] = other
    out = {}
    for name, paths in wanted.items():
        here = next((found[p, name] for p in paths if (p, name) in found), None)
        if here is not None:
            out[name] = here
    return out


def _no_function(text: str, path: str, name: str) -> CFunction | None:
    """What is mirrored and is no C function: a macro, an entry, assembly, a line of a table."""
    word = re.escape(name.rpartition(".")[2])
    forms = [
        rf"^[ \t]*#[ \t]*define[ \t]+{word}\b(?:\\\n|[^\n])*",
        rf"^DEFINE_\w+\({word}\)\n\{{.*?^\}}",
        rf"^(?:SYM|LEAF|ENTRY|FEXPORT)\w*\({word}\).*?^\w*END\w*\({word}\)",
    ]
    if "." in name:
        forms = [rf"^[ \t]*\.{word}[ \t]*=[^\n]*"]
    for form in forms:
        m = re.search(form, text, re.M | re.S)
        if m:
            first = text.count("\n", 0, m.start())
            return CFunction(name, m[0], tuple(lines_of(m[0], path, first)), path=path)
    return None


def parse_bound(f: CFunction, decls: Decls, bindings: Bindings) -> Def | None:
    """``f`` in the model's terms; None where it is no C."""
    try:
        d = parse_function(f, "tree", set(decls.structs), lenient=True)
    except SourceError:
        return None
    return bindings.lay(d)[0]


def elsewhere(tree: Path, lost: Mapping[str, tuple[str, ...]]) -> dict[str, CFunction]:
    """Functions that are not in the files they were in, by name, in the same part of the kernel.

    Never in another architecture's folder.
    """
    wanted: dict[str, list[str]] = {}
    for name, paths in lost.items():
        for root in dict.fromkeys(r for p in paths for r in rooms_of(p)):
            wanted.setdefault(root, []).append(name)
    out: dict[str, CFunction] = {}
    for root, names in wanted.items():
        files = sorted(f for f in (tree / root).rglob("*.[ch]") if f.is_file())
        for file in files:
            look()
            text = file.read_text("utf-8", "replace")
            here = {n for n in names if n not in out and re.search(rf"\b{n}\s*\(", text)}
            if not here:
                continue
            path = str(file.relative_to(tree))
            try:
                found = find_c_functions(text, lines_of(text, path), names=here)
            except SourceError:
                continue
            out.update({f.name: replace(f, path=path) for f in found})
    return out


def rooms_of(path: str) -> list[str]:
    """Where a function of the file ``path`` may have moved to."""
    parts = path.split("/")
    if parts[0] == "arch":
        return [f"arch/{parts[1]}/kvm", f"arch/{parts[1]}/include/asm", f"arch/{parts[1]}/kernel"]
    if parts[0] == "virt" or path.startswith("include/linux/kvm"):
        return ["virt/kvm", "include/linux"]
    return [parts[0] if len(parts) < 3 else "/".join(parts[:2])]


def watched_paths(archs: Sequence[str]) -> list[str]:
    """What of a kernel tree the specification of ``archs`` is about, for git."""
    out = {"virt/kvm", "arch/*/kvm", "arch/*/include/asm/kvm*", "include/linux/kvm*"}
    for arch in archs:
        for paths in places(specification(Choice(arch))[0]).values():
            out.update(paths)
    return sorted(out)
