"""What a program's layers declare, for who writes on it: state, functions, constants."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..base.errors import LinkError, SourceError
from ..ir import ops as o
from ..ir.decls import Signature
from ..lang import syntax as s
from ..lang.told import Told
from .hooks import HOOKS, is_hook
from .layers import Layers, modules_of
from .lowerer import Lowerer
from .overlay import SPEC, find_overlays
from .program import Choice, _set_constants
from .scenario import load_scenario
from .stack import stack

PROPERTIES = "properties"
COMMON = ""
"""In place of an architecture: what every one has."""


@dataclass(frozen=True, slots=True)
class Item:
    """A variable or a field.

    :param type: with what is per CPU and ghost, and the start value, as it is written
    :param about: its comment, "" where it has none
    :param origin: the layer that has it, ``properties`` for those of properties
    """

    name: str
    type: str
    about: str
    origin: str


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct, with one instance for each of ``per``, a domain of ir.types."""

    name: str
    per: str
    about: str
    origin: str
    fields: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    """A number with a name.

    :param settable: a scenario's ``set`` may give it another value, and it says what it means
    :param enum: the enum that it is a value of, or ""
    """

    name: str
    value: int
    about: str
    origin: str
    settable: bool
    enum: str


@dataclass(frozen=True, slots=True)
class Routine:
    """A function.

    :param sentence: the first of its docstring; for one that says only what it mirrors, that
    :param roles: how it is run where it is not only called: ``task``, ``irq``, ``env`` …
    """

    name: str
    parameters: str
    sentence: str
    file: str
    origin: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything that a body laid over these layers may name, in the order of the layers."""

    choice: Choice
    layers: tuple[str, ...]
    structs: tuple[Struct, ...]
    variables: tuple[Item, ...]
    constants: tuple[Constant, ...]
    functions: tuple[Routine, ...]


def read_vocabulary(choice: Choice) -> Vocabulary:
    """What the layers of ``choice`` declare, the ghosts of properties with them.

    :param choice: with the architecture ``COMMON``, what there is without one
    Raises LinkError (LP04xx), SourceError (LP02xx).
    """
    lay = stack(choice)
    labels = tuple(lay.labels)
    hooks = [d for d in lay.defs.values() if is_hook(d)]
    for m in modules_of(SPEC / "properties", "properties", True)[0]:
        lay.declare(m)
        hooks += m.defs
        lay.decls.funcs.update({d.name: Signature(d.name, d.params, d.ret) for d in m.defs})
    constants = tuple(_constants(lay))
    named = _named_by_hooks(lay, hooks)
    structs = (_struct(lay, n, named) for n, d in lay.decls.structs.items() if d.per)
    variables = tuple(
        _item(n, lay.told[n]) for n in lay.decls.globals if _is_here(lay.told[n], n, named)
    )
    return Vocabulary(
        choice,
        labels,
        tuple(s for s in structs if s.fields or s.origin != PROPERTIES),
        variables,
        constants,
        tuple(_functions(lay)),
    )


def iter_elsewhere(choice: Choice) -> Iterator[tuple[str, Vocabulary]]:
    """The same for every other release that the architecture has."""
    for release in find_overlays("release", *choice.search):
        if release != choice.release:
            other = Choice(choice.arch, release=release, search=choice.search)
            try:
                yield release, read_vocabulary(other)
            except LinkError:
                continue


def _named_by_hooks(lay: Layers, hooks: Sequence[s.Def]) -> set[str]:
    """The fields and variables that monitors and properties of this program name."""
    scenario = load_scenario("one")
    _set_constants(lay, scenario)
    lo = Lowerer(lay, lay.decls, scenario)
    out: set[str] = set()
    for d in hooks:
        points = [a.partition(":")[2] for a in d.attrs if a.partition(":")[0] in HOOKS]
        if points and not set(points) & set(lay.defs):
            continue
        try:
            fn = lo.lower(d)
        except SourceError:  # it names what this program lacks, and is not asked
            continue
        ops = [op for b in fn.blocks for op in b.ops]
        out |= {op.place.var for op in ops if isinstance(op, o.Load | o.Store | o.Fresh)}
    return out


def _is_here(told: Told, name: str, named: Collection[str]) -> bool:
    """Whether a program has it: of what properties declare, what they use there."""
    return told.origin != PROPERTIES or name in named


@dataclass(frozen=True, slots=True)
class Settable:
    """A constant that a scenario may set, as some architectures have it.

    :param archs: those; none where every one has it from the common code
    :param only: the releases that have it, where the default release has not
    :param others: of each release that has another default, that
    """

    name: str
    default: int
    about: str
    archs: tuple[str, ...]
    only: tuple[str, ...]
    others: tuple[tuple[str, int], ...]


def list_settable(archs: Sequence[str], search: tuple[Path, ...] = ()) -> list[Settable]:
    """What a scenario may set on ``archs``, that of the common code first."""
    found: dict[tuple[str, str], list[tuple[str, str, Constant]]] = {}
    releases = [Choice().release, *find_overlays("release", *search)]
    for arch in (COMMON, *archs):
        for release in dict.fromkeys(releases):
            try:
                v = read_vocabulary(Choice(arch, release=release, search=search))
            except LinkError:
                continue
            for c in v.constants:
                if c.settable:
                    found.setdefault((c.name, c.about), []).append((arch, release, c))
    return [_settable(rows) for rows in found.values()]


def _settable(rows: list[tuple[str, str, Constant]]) -> Settable:
    first = rows[0][2]
    archs = dict.fromkeys(arch for arch, _, _ in rows)
    has = dict.fromkeys(release for _, release, _ in rows)
    others = {release: c.value for _, release, c in rows if c.value != first.value}
    return Settable(
        first.name,
        first.value,
        first.about,
        () if COMMON in archs else tuple(archs),
        () if Choice().release in has else tuple(has),
        tuple(others.items()),
    )


def _struct(lay: Layers, name: str, named: Collection[str]) -> Struct:
    decl, told = lay.decls.structs[name], lay.told[name]
    all_told = {f: lay.told[f"{name}.{f}"] for f in decl.fields}
    fields = tuple(_item(f, t) for f, t in all_told.items() if _is_here(t, f"{name}.{f}", named))
    return Struct(name, decl.per, told.about, told.origin, fields)


def _item(name: str, told: Told) -> Item:
    return Item(name, told.written, told.about, told.origin)


def _constants(lay: Layers) -> Iterator[Constant]:
    enum_of = {n: enum for enum, values in lay.decls.enums.items() for n in values.values()}
    for name, value in lay.decls.consts.items():
        told = lay.told.get(name) or lay.told[enum_of[name]]
        enum = enum_of.get(name, "")
        settable = name in lay.decls.settings and bool(told.about)
        yield Constant(name, value, told.about, told.origin, settable, enum)


def _functions(lay: Layers) -> Iterator[Routine]:
    for name, d in lay.defs.items():
        if not is_hook(d):
            yield Routine(
                name, lay.told[f"{name}()"].written, sentence_of(d), d.span.file, d.origin,
                tuple(sorted({a.partition(":")[0] for a in d.attrs})),
            )  # fmt: skip


def sentence_of(d: s.Def) -> str:
    """The first sentence of a function's docstring, or what it says that it mirrors."""
    first = " ".join(d.doc.split("\n\n")[0].split())
    lead, mirrors, of = first.partition("Mirrors: ")
    end = re.search(r"\. (?=[A-Z`])", lead)
    return lead[: end.start() + 1].strip() if end else lead.strip() or f"{mirrors}{of}"


def shown_file(file: str) -> str:
    """A place of the specification without ``spec/``; another file as it is."""
    return file.removeprefix("spec/") if not Path(file).is_absolute() else file
