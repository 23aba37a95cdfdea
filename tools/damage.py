"""Damage the C of a kernel tree, one place at a time, and see what becomes of it.

    python tools/damage.py TREE [--arch a,b] [--explore N] [-v]

For each function that the specification mirrors and the tree has: every statement that does
something to modelled state is left out, doubled and exchanged with the next one, and every
condition around such a statement is negated. Each of these is a patch. Those at a place that the
specification has a part for must be carried over to it; the table says how many are, and how many
of the others, where it leaves the statement out, are not judged. With --explore, every Nth that is
carried over is decided as well, in the scenario `one`.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from loadput.check.basis import tree_release
from loadput.check.carried import carry_function
from loadput.check.follow import in_tree
from loadput.check.mirrors import mirrors_of
from loadput.check.verdict import check
from loadput.lang import syntax as s
from loadput.lang.carry import CARRIED, Carried, Carrier, Effects, Names, render_stmt
from loadput.link.overlay import known_archs
from loadput.link.program import Choice, specification
from loadput.link.scenario import load_scenario

KINDS = ("dropped", "doubled", "swapped", "negated")
Body = tuple[s.Stmt, ...]


def damaged(d: s.Def, effects: Effects) -> Iterator[tuple[str, Body, s.Def]]:
    """``(kind, statements, damaged function)`` for every place of ``d``."""

    def is_modelled(st: s.Stmt) -> bool:
        leaf = isinstance(st, s.ExprStmt) or (isinstance(st, s.Declare) and st.init is not None)
        return leaf and bool(effects(d, [st])) and not effects(d, [st]).startswith("sets ")

    def holds_some(st: s.Stmt) -> bool:
        return any(is_modelled(x) for x in _flat((st,)))

    def walk(body: Body, put: object) -> Iterator[tuple[str, Body, Body]]:
        for i, st in enumerate(body):
            if is_modelled(st) and isinstance(st, s.ExprStmt):
                yield "dropped", (st,), body[:i] + body[i + 1 :]
                yield "doubled", (st,), (*body[: i + 1], *body[i:])
                if i + 1 < len(body) and is_modelled(body[i + 1]):
                    yield "swapped", (st, body[i + 1]), (*body[:i], body[i + 1], st, *body[i + 2 :])
            if isinstance(st, s.If) and holds_some(st):
                flipped = dataclasses.replace(st, cond=s.Unary("!", st.cond, st.span))
                yield "negated", (st,), (*body[:i], flipped, *body[i + 1 :])
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


@dataclasses.dataclass
class Case:
    """One damaged function: what was done, where, what became of it.

    :param modelled: whether ours has a part for the place
    :param why: of what is not judged
    """

    name: str
    kind: str
    text: str
    modelled: bool
    carried: list[Carried]
    judged: bool
    silent: bool
    why: str


def cases(tree: Path, arch: str) -> Iterator[Case]:
    """Every damage to what ``arch`` mirrors of the tree."""
    choice = Choice(arch, release=tree_release(tree, [arch]))
    defs, decls = specification(choice)
    effects = Effects(decls, defs)
    names = Names(frozenset(decls.globals), defs)
    by_c = mirrors_of(defs)
    for name, d in sorted(in_tree(tree, arch, defs, decls).items()):
        parts: dict[int, set[int]] = {}
        for n in by_c[name]:
            near = {m: defs[m] for m in by_c[name] if m != n}
            carrier = Carrier(d, d, defs[n], effects, names, near)
            for b, mine in carrier.to_spec.items():
                if b.stmt is not None:
                    parts.setdefault(id(b.stmt), set()).add(id(mine.stmt))
        for kind, at, after in damaged(d, effects):
            _, carried, outcomes = carry_function(name, d, after, by_c, defs, decls, effects)
            yield Case(
                name,
                kind,
                render_stmt(at[0]).split("\n")[0].strip(),
                _has_part(kind, at, parts),
                carried,
                bool(outcomes) and all(o.verdict == CARRIED for o in outcomes),
                not outcomes and not _same_twice(kind, at),
                "; ".join(f"{o.edit.kind}: {o.why}" for o in outcomes if o.why),
            )


def _same_twice(kind: str, at: Body) -> bool:
    """Whether two registers are exchanged that ours has as one: that is not judged, and said."""
    return kind == "swapped" and render_stmt(at[0]) == render_stmt(at[1])


def _has_part(kind: str, at: Sequence[s.Stmt], parts: Mapping[int, set[int]]) -> bool:
    """Whether ours has a part for what is damaged; of two that are exchanged, one for each."""
    if kind == "swapped":
        a, b = (parts.get(id(st), set()) for st in at)
        return bool(a and b) and a != b
    return any(id(st) in parts for st in (_flat(at) if kind == "negated" else at))


def summary(tree: Path, arch: str) -> dict[str, int]:
    """How many are at a modelled place, of those carried over; how many nobody notices."""
    out = {"modelled": 0, "carried": 0, "silent": 0, "others": 0}
    for c in cases(tree, arch):
        out["silent"] += c.silent
        out["modelled"] += c.modelled
        out["carried"] += c.modelled and c.judged
        out["others"] += not c.modelled
    return out


def decided(tree: Path, arch: str, c: Case) -> str:
    """What one damage that is carried over leads to in the scenario `one`."""
    user = tuple(x.new for x in c.carried)
    release = tree_release(tree, [arch])
    r = check(Choice(arch, release=release, user=user, user_label="damage"), load_scenario("one"))
    return "violated" if r.violated else "no property minds"


def main() -> None:
    """Print the table."""
    how = argparse.RawTextHelpFormatter
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    ask.add_argument("tree", type=Path)
    ask.add_argument("--arch", default="")
    ask.add_argument("--explore", type=int, default=0)
    ask.add_argument("-v", "--verbose", action="store_true")
    given = ask.parse_args()
    total: collections.Counter[tuple[str, str]] = collections.Counter()
    print(f"{'carried over':12s}" + "".join(f"{k:>17s}" for k in KINDS) + f"{'left out':>10s}")
    for arch in given.arch.split(",") if given.arch else known_archs():
        here: collections.Counter[tuple[str, str]] = collections.Counter()
        met = 0
        for c in cases(given.tree, arch):
            here[c.kind if c.modelled else "left out", "carried" if c.judged else "not"] += 1
            met += c.judged
            if given.explore and c.judged and met % given.explore == 0:
                verdict = decided(given.tree, arch, c)
                here["decided", verdict] += 1
                if given.verbose:
                    print(f"  {arch} {c.name} {c.kind}: {c.text[:50]} -> {verdict}", flush=True)
            elif given.verbose and not c.judged:
                word = "" if c.modelled else " (left out)"
                print(f"  {arch} {c.name} {c.kind}{word}: {c.text[:60]}  <- {c.why or 'NO EDIT'}")
        total += here
        print(_row(arch, here), flush=True)
    print(_row("all", total))
    if given.explore:
        told = {v: total["decided", v] for v in ("violated", "no property minds")}
        print(f"decided, every {given.explore}th: {told}")


def _row(name: str, n: collections.Counter[tuple[str, str]]) -> str:
    cells = []
    for k in KINDS:
        c, every = n[k, "carried"], n[k, "carried"] + n[k, "not"]
        cells.append(f"{c:5d} of {every:5d}")
    left = n["left out", "carried"] + n["left out", "not"]
    return f"{name:12s}" + "".join(f"{c:>17s}" for c in cells) + f"{left:10d}"


if __name__ == "__main__":
    main()
