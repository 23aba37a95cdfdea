"""Damage the C of a kernel tree, one place at a time, and see what becomes of it.

    python tools/damage.py TREE [--arch a,b] [-v]

For each function that the specification mirrors and the tree has: every statement that does
something to modelled state is left out, doubled and exchanged with the next one, and every
condition around such a statement is negated. Each of these is a patch; the table says how many are
carried over to the specification. The rest is not judged, each with its reason (-v).
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadput.check.carried import carry_function
from loadput.check.judge import known_archs
from loadput.check.mirrors import in_tree, mirrors_of
from loadput.lang import syntax as s
from loadput.lang.carry import CARRIED, Effects, render_stmt
from loadput.link.program import Choice, specification

KINDS = ("dropped", "doubled", "swapped", "negated")
Body = tuple[s.Stmt, ...]


def damaged(d: s.Def, effects: Effects) -> Iterator[tuple[str, s.Stmt, s.Def]]:
    """``(kind, statement, damaged function)`` for every place of ``d``."""

    def is_modelled(st: s.Stmt) -> bool:
        leaf = isinstance(st, s.ExprStmt) or (isinstance(st, s.Declare) and st.init is not None)
        return leaf and bool(effects(d, [st])) and not effects(d, [st]).startswith("sets ")

    def holds_some(st: s.Stmt) -> bool:
        return any(is_modelled(x) for x in _flat((st,)))

    def walk(body: Body, put: object) -> Iterator[tuple[str, s.Stmt, Body]]:
        for i, st in enumerate(body):
            if is_modelled(st) and isinstance(st, s.ExprStmt):
                yield "dropped", st, body[:i] + body[i + 1 :]
                yield "doubled", st, (*body[: i + 1], *body[i:])
                if i + 1 < len(body) and is_modelled(body[i + 1]):
                    yield "swapped", st, (*body[:i], body[i + 1], st, *body[i + 2 :])
            if isinstance(st, s.If) and holds_some(st):
                flipped = dataclasses.replace(st, cond=s.Unary("!", st.cond, st.span))
                yield "negated", st, (*body[:i], flipped, *body[i + 1 :])
            for field, part in _parts(st):
                for kind, at, new in walk(part, None):
                    yield kind, at, (*body[:i], _with(st, field, new), *body[i + 1 :])

    for kind, at, body in walk(d.body, None):
        yield kind, at, dataclasses.replace(d, body=body)


def _parts(st: s.Stmt) -> list[tuple[object, Body]]:
    if isinstance(st, s.If):
        return [("then", st.then), ("other", st.other)]
    if isinstance(st, s.While | s.For | s.Group):
        return [("body", st.body)]
    if isinstance(st, s.Switch):
        return [(i, body) for i, (_, body) in enumerate(st.cases)]
    return []


def _with(st: s.Stmt, field: object, body: Body) -> s.Stmt:
    if isinstance(st, s.Switch):
        cases = tuple((v, body if i == field else b) for i, (v, b) in enumerate(st.cases))
        return dataclasses.replace(st, cases=cases)
    return dataclasses.replace(st, **{str(field): body})  # type: ignore[arg-type]


def _flat(body: Sequence[s.Stmt]) -> Iterator[s.Stmt]:
    for st in body:
        yield st
        for _, part in _parts(st):
            yield from _flat(part)


def main() -> None:
    ask = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    ask.add_argument("tree", type=Path)
    ask.add_argument("--arch", default="")
    ask.add_argument("-v", "--verbose", action="store_true")
    given = ask.parse_args()
    total: collections.Counter[tuple[str, str]] = collections.Counter()
    print(f"{'':12s}" + "".join(f"{k:>18s}" for k in KINDS))
    for arch in given.arch.split(",") if given.arch else known_archs():
        defs, decls = specification(Choice(arch))
        effects = Effects(decls)
        here: collections.Counter[tuple[str, str]] = collections.Counter()
        by_c = mirrors_of(defs)
        for name, d in sorted(in_tree(given.tree, arch, defs, decls).items()):
            for kind, at, after in damaged(d, effects):
                _, _, outcomes = carry_function(name, d, after, by_c, defs, decls, effects)
                done = bool(outcomes) and all(o.verdict == CARRIED for o in outcomes)
                here[kind, "carried" if done else "left"] += 1
                if given.verbose and not done:
                    why = "; ".join(f"{o.edit.kind}: {o.why}" for o in outcomes) or "NO EDIT"
                    text = render_stmt(at).split("\n")[0].strip()
                    print(f"  {arch} {name} {kind}: {text[:60]}  <- {why}")
        total += here
        print(_row(arch, here), flush=True)
    print(_row("all", total))


def _row(name: str, n: collections.Counter[tuple[str, str]]) -> str:
    cells = []
    for k in KINDS:
        c, left = n[k, "carried"], n[k, "left"]
        cells.append(f"{c:5d} of {c + left:5d} {100 * c // max(1, c + left):3d}%")
    return f"{name:12s}" + "".join(f"{c:>18s}" for c in cells)


if __name__ == "__main__":
    main()
