"""What a program's layers declare, as text of 72 columns and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from ..lang.vocab import INTRINSICS
from ..link.vocabulary import (
    Constant,
    Item,
    Routine,
    Settable,
    Vocabulary,
    shown_file,
)
from .json import SCHEMA
from .text import WIDTH, wrap


def render_state(v: Vocabulary, elsewhere: Iterable[tuple[str, Vocabulary]]) -> str:
    """Structs and variables as one would declare them; then what other releases have instead."""
    out = _head(v, "state")
    for s in v.structs:
        out += ["", *_struct(s.name, s.per, s.about, s.fields, s.origin)]
    out += _variables(v.variables)
    out += _numbers(v.constants)
    for release, other in elsewhere:
        more = _only_there(v, other)
        if more:
            out += ["", f"# Not in {v.choice.release}: release {release} has"]
            out += more
    return "\n".join(out) + "\n"


def _head(v: Vocabulary, what: str) -> list[str]:
    on = v.choice.arch or "every architecture"
    design = f" design {v.choice.design}" if v.choice.design else ""
    out = wrap(what, f"{v.choice.release}{design} on {on}")
    return out + wrap("layers", ", ".join(v.layers) + "; # names another layer than mainline")


def _struct(name: str, per: str, about: str, fields: Sequence[Item], origin: str) -> list[str]:
    head = f'class {name}(struct, per="{per}"):' if per else f"class {name}(struct):"
    out = [*_comment(about, ""), _line("", head, origin)]
    return out + (_items(fields, "    ", origin) or ["    pass"])


def _items(items: Sequence[Item], pad: str, origin: str) -> list[str]:
    out: list[str] = []
    about = ""
    for i in items:
        if i.about and i.about != about:
            out += _comment(i.about, pad)
        about = i.about
        out.append(_line(pad, f"{i.name}: {i.type}", "" if i.origin == origin else i.origin))
    return out


def _variables(variables: Sequence[Item]) -> list[str]:
    out: list[str] = []
    registers = [v for v in variables if v.name.startswith("hw_")]
    each = [v for v in variables if "per_cpu[" in v.type and v not in registers]
    one = [v for v in variables if v not in each and v not in registers]
    for title, group in (
        ("one for all", one), ("one a CPU", each), ("registers, one a CPU", registers),
    ):  # fmt: skip
        if group:
            out += ["", f"# {title}", *_items(group, "", "mainline")]
    return out


def _numbers(constants: Sequence[Constant]) -> list[str]:
    """The enums, then the other constants that are the kernel's, then those of scenarios."""
    enums: dict[str, list[str]] = {}
    for c in constants:
        enums.setdefault(c.enum, []).append(f"{c.name} = {c.value}")
    out: list[str] = []
    for enum, values in enums.items():
        if enum:
            out += ["", f"class {enum}(enum):", *(f"    {v}" for v in values)]
    kernel = [c for c in constants if not c.enum and not c.settable]
    mine = [c for c in constants if c.settable]
    for title, group in (
        ("constants", kernel),
        ("what a scenario may set: loadput list constants", mine),
    ):
        if group:
            rows = wrapped("; ".join(f"{c.name}~=~{c.value}" for c in group), 0)
            out += ["", f"# {title}", *(row.replace("~", " ").rstrip(";") for row in rows)]
    return out


def _line(pad: str, text: str, origin: str) -> str:
    """A declaration; the layer that it is of at its end, or on the line below."""
    told = f"# {origin}" if origin not in ("", "mainline") else ""
    if not told:
        return pad + text
    at = max(40, len(pad + text) + 2)
    if at + len(told) <= WIDTH:
        return f"{pad + text:{at}s}{told}"
    return f"{pad}{text}\n{pad}    {told}"


def _comment(text: str, pad: str) -> list[str]:
    return [f"{pad}# {t}" for t in textwrap.wrap(text, WIDTH - 2 - len(pad))]


def _only_there(v: Vocabulary, other: Vocabulary) -> list[str]:
    """The state of ``other`` that ``v`` has not, by name."""
    fields = {(s.name, f.name) for s in v.structs for f in s.fields}
    known = {i.name for i in v.variables}
    out: list[str] = []
    for s in other.structs:
        more = [f for f in s.fields if (s.name, f.name) not in fields]
        if more:
            out += _struct(s.name, "", "", more, "")
    return out + _items([i for i in other.variables if i.name not in known], "", "")


def render_functions(v: Vocabulary) -> str:
    """Every function with its parameters and its sentence, by file."""
    out = _head(v, "functions")
    file = ""
    for f in sorted(v.functions, key=lambda f: v.layers.index(f.origin)):
        if f.file != file:
            file = f.file
            out += ["", shown_file(file)]
        out += _routine(f)
    names = " ".join(sorted(n for n in INTRINSICS if not n.startswith("__count")))
    out += ["", "with a meaning of their own (docs/language.md)"]
    return "\n".join([*out, *wrapped(names, 2)]) + "\n"


def _routine(f: Routine) -> list[str]:
    roles = "".join(f"@{r} " for r in f.roles)
    head = textwrap.wrap(
        roles + f.name + f.parameters, WIDTH, initial_indent="  ", subsequent_indent="      ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    return [*head, *wrapped(f.sentence, 4)]


def wrapped(text: str, pad: int) -> list[str]:
    """``text`` from column ``pad`` on."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=" " * pad, subsequent_indent=" " * pad,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def render_constants(rows: Sequence[Settable]) -> str:
    """Every constant that a scenario may set: default, who has it, what it means."""
    out = wrap("constants", "what a scenario may set, and what it is where it does not")
    group: tuple[str, ...] | None = None
    for c in rows:
        where = c.archs + tuple(f"{r} only" for r in c.only)
        if where != group:
            out += ["", *(wrapped(", ".join(where) or "every architecture", 0))]
            group = where
        out.append(f"  {c.name} = {c.default}")
        out += wrapped(c.about + "".join(f" In {r}: {x}." for r, x in c.others), 6)
    return "\n".join(out) + "\n"


def constants_json(rows: Sequence[Settable]) -> dict[str, Any]:
    """``loadput list constants`` as data."""
    return {"schema": SCHEMA, "constants": [asdict(c) | {"others": dict(c.others)} for c in rows]}


def state_json(v: Vocabulary) -> dict[str, Any]:
    """``loadput list state`` as data."""
    return {
        "schema": SCHEMA,
        **_choice(v),
        "structs": [asdict(s) for s in v.structs],
        "variables": [asdict(i) for i in v.variables],
        "constants": [asdict(c) for c in v.constants],
    }


def functions_json(v: Vocabulary) -> dict[str, Any]:
    """``loadput list functions`` as data."""
    return {"schema": SCHEMA, **_choice(v), "functions": [asdict(f) for f in v.functions]}


def _choice(v: Vocabulary) -> dict[str, Any]:
    names = ("arch", "design", "release")
    return {**{n: getattr(v.choice, n) for n in names}, "layers": list(v.layers)}
