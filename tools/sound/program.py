"""A program to compare: what is under it, its edits and its scenario, as a folder of overlays."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from loadput.ir import ops as o
from loadput.ir import types as ty
from loadput.link.layers import DEFAULT_RELEASE
from loadput.link.overlay import SPEC, find_overlays
from loadput.link.program import Choice, Program, link
from loadput.link.scenario import Scenario, make_scenario

from .edits import PROBE, SEEN, Edit, Unfit, edit, number

NAME = "drawn"


@dataclass(frozen=True, slots=True)
class Case:
    """One program on one scenario.

    :param below: a twin or an entry of the museum that the edits are laid over, or ""
    :param scenario: as from TOML
    """

    arch: str
    scenario: dict[str, Any]
    edits: tuple[Edit, ...] = ()
    design: str = ""
    release: str = DEFAULT_RELEASE
    below: str = ""

    @property
    def made(self) -> Scenario:
        """The scenario itself."""
        return make_scenario("drawn", self.scenario)

    @property
    def base(self) -> Choice:
        """What the edits are laid over."""
        return Choice(self.arch, self.design, self.release, self.below)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What was done, each kind once."""
        below = find_overlays("twin").keys() | find_overlays("museum").keys()
        laid = [k for k in ("twin", "museum") if self.below in find_overlays(k)] if below else []
        return tuple(dict.fromkeys([*laid, *(e.kind for e in self.edits)]))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @staticmethod
    def from_json(raw: dict[str, Any]) -> Case:
        """What ``to_json`` gave."""
        return Case(**{**raw, "edits": tuple(Edit(**e) for e in raw["edits"])})


@cache
def _trees(file: str) -> dict[tuple[str, int], ast.FunctionDef]:
    tree = ast.parse((SPEC.parent / file).read_text("utf-8"))
    return {(n.name, n.lineno): n for n in tree.body if isinstance(n, ast.FunctionDef)}


def source_of(fn: o.Function) -> ast.FunctionDef | None:
    """The function as it is written, numbered; None where it is not in our folder."""
    if not fn.span.file.startswith("spec/") or not fn.span.file.endswith(".py"):
        return None
    found = _trees(fn.span.file).get((fn.name, fn.span.line))
    return number(found) if found is not None else None


def annotation(t: ty.Type) -> ast.expr:
    """A type as kernel Python writes it, whatever its name there."""
    if isinstance(t, ty.Int) and t != ty.BOOL:
        text = f"between[{t.lo}, {t.hi}]"
    elif isinstance(t, ty.Embed):
        text = t.struct
    elif isinstance(t, ty.Void):
        text = "None"
    else:
        text = str(t)
    return ast.parse(text, mode="eval").body


def edited(case: Case, base: Program) -> list[ast.FunctionDef]:
    """The functions that the edits change, changed; raises Unfit."""
    out = []
    for name in dict.fromkeys(e.fn for e in case.edits):
        fn = base.functions.get(name)
        tree = source_of(fn) if fn is not None else None
        if fn is None or tree is None:
            raise Unfit(f"no {name}")
        for nth, e in enumerate(case.edits):
            if e.fn == name:
                edit(tree, e, nth)
        for arg, (_, t) in zip(tree.args.args, fn.params, strict=True):
            arg.annotation = annotation(t)
        tree.returns = annotation(fn.ret) if fn.ret != ty.VOID else None
        tree.decorator_list = []
        out.append(tree)
    return out


PROPERTY = '''
# [New in {label}]
def {fn}(was: {type}, now: {type}):
    """A place to look."""
    pass


@property_(source="ours")
@at_entry({fn})
def {name}(was: {type}, now: {type}) -> bool:
    """Nobody wrote what was read, between the two times."""
    return was == now
'''


def write(case: Case, folder: Path, name: str = NAME) -> Choice:
    """Write the overlay of the edits below ``folder``; the choice that has it on top.

    Raises Unfit, and LoadputError where the program below does not link.
    """
    if not case.edits:
        return case.base
    base = link(case.base, case.made)
    kind = "museum" if case.below in find_overlays("museum") else "twin"
    label = f"{kind}:{name}"
    made = edited(case, base)
    probed = _probed(case, base, made, folder)
    rows = [f'"""Drawn: {", ".join(case.kinds)}."""']
    for tree in made:
        ast.fix_missing_locations(tree)
        rows += ["", "", f"# [Modified in {label}]", ast.unparse(tree)]
    for nth, t in probed.items():
        at = PROBE.format(nth)
        text = ast.unparse(annotation(t))
        rows.append(PROPERTY.format(label=label, fn=at, name=at.upper(), type=text))
    _put(folder / kind / name, case, name, "\n".join(rows) + "\n")
    return replace(case.base, twin=name, search=(folder,))


def _put(at: Path, case: Case, name: str, text: str) -> None:
    at.mkdir(parents=True, exist_ok=True)
    words = f'name="{name}", parent="{case.below or case.design or "D"}", arch="{case.arch}"'
    if case.release != DEFAULT_RELEASE:
        words += f', release="{case.release}"'
    (at / "overlay.py").write_text(f'"""Drawn."""\n\nOVERLAY = Overlay({words})\n', "utf-8")
    (at / "x.py").write_text(text, "utf-8")


def _probed(
    case: Case, base: Program, made: list[ast.FunctionDef], folder: Path
) -> dict[int, ty.Type]:
    """The types of what the probes read, by the number of the edit.

    They are asked of a program that has the probes' first reads and nothing else of them.
    """
    nths = [i for i, e in enumerate(case.edits) if e.kind == "probe"]
    if not nths:
        return {}
    plain = replace(case, edits=tuple(e for e in case.edits if e.kind == "probe"))
    rows = []
    for name in dict.fromkeys(e.fn for e in plain.edits):
        tree = source_of(base.functions[name])
        assert tree is not None
        for nth, e in enumerate(case.edits):
            if e.kind == "probe" and e.fn == name:
                edit(tree, replace(e, kind="plant", text=f"{SEEN.format(nth)} = {e.text}"), nth)
        for arg, (_, t) in zip(tree.args.args, base.functions[name].params, strict=True):
            arg.annotation = annotation(t)
        tree.returns = annotation(base.functions[name].ret)
        tree.decorator_list = []
        rows.append(ast.unparse(ast.fix_missing_locations(tree)))
    kind = "museum" if case.below in find_overlays("museum") else "twin"
    asked = folder / "asked"
    _put(asked / kind / NAME, case, NAME, "\n\n".join(rows) + "\n")
    p = link(replace(case.base, twin=NAME, search=(asked,)), case.made)
    out = {}
    for nth in nths:
        t = p.functions[case.edits[nth].fn].type_of(SEEN.format(nth))
        if not isinstance(t, ty.Int | ty.CpuId | ty.Ptr | ty.Token):
            raise Unfit(f"a probe of type {t}")
        out[nth] = t
    return out


def digest(*parts: object) -> str:
    """A name for what ``parts`` say."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]
