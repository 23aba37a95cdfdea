"""A kernel source tree: the functions of the program that stand in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...base.errors import InputError, SourceError
from .. import syntax as s
from ..cfront import CFunction, find_c_functions, parse_function
from ..cfront.found import lines_of


@dataclass(slots=True)
class TreeFunctions:
    """What a tree gave.

    :param found: functions, by name
    :param defs: those that parse, by name
    :param reasons: why each other name gave nothing: a sentence
    """

    found: dict[str, CFunction] = field(default_factory=dict)
    defs: dict[str, s.Def] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def read_tree(
    root: str | Path,
    names: Collection[str],
    files: Mapping[str, Sequence[str]],
    *,
    origin: str = "user:tree",
    structs: Collection[str] | None = None,
    config: Mapping[str, bool] | None = None,
) -> TreeFunctions:
    """Return the functions ``names`` as the tree has them; reads only the files given.

    :param files: per function, the paths in the tree where it may be defined, best first
    :raises InputError: LP0235, no such directory, or no file of those is in it
    Cost: one pass over each file that mentions a wanted name.
    """
    top = Path(root)
    if not top.is_dir():
        raise InputError("LP0235", f"--tree {root}: no such directory", expected="a kernel tree")
    out = TreeFunctions()
    wanted: dict[str, list[str]] = {}
    for name in sorted(names):
        for path in files.get(name, ()):
            wanted.setdefault(path, []).append(name)
    seen = False
    for path, here in wanted.items():
        at = top / path
        if not at.is_file():
            continue
        seen = True
        text = at.read_text("utf-8", "replace")
        missing = [
            n for n in here if n not in out.found and re.search(rf"\b{re.escape(n)}\s*\(", text)
        ]
        if missing:
            _read_file(text, path, missing, origin, structs, config, out)
    if wanted and not seen:
        raise InputError(
            "LP0235",
            f"--tree {root}: none of the {len(wanted)} files of the program is there",
            expected=f"a kernel tree, with {next(iter(wanted))}",
        )
    for name in sorted(names):
        if name not in out.found and name not in out.reasons:
            where = ", ".join(files.get(name, ())) or "no file given"
            out.reasons[name] = f"not defined in {where}"
    return out


def _read_file(
    text: str,
    path: str,
    names: list[str],
    origin: str,
    structs: Collection[str] | None,
    config: Mapping[str, bool] | None,
    out: TreeFunctions,
) -> None:
    lines = lines_of(text, path)
    try:
        found = find_c_functions(text, lines, config=config, names=names)
    except SourceError as e:
        for n in names:
            out.reasons[n] = f"{e.span}: {e.what}"
        return
    for f in found:
        if f.name in out.found:
            continue
        out.found[f.name] = f
        try:
            out.defs[f.name] = parse_function(f, origin, structs, config)
        except SourceError as e:
            out.reasons[f.name] = f"{e.span}: {e.what}"
