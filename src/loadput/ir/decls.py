"""Declarations that functions refer to: structs, globals, constants, signatures."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.source import NOWHERE, Span
from .types import Embed, Int, Type


@dataclass(frozen=True, slots=True)
class VarDecl:
    """A global or per-CPU variable, or one field of a struct.

    :param init: start value: a number, or the name of a scenario rule (``own``: see link.program)
    :param ghost: the program cannot read it; properties and hooks can
    :param enum: the enum that names its values, or ""
    """

    name: str
    type: Type
    percpu: bool = False
    ghost: bool = False
    init: int | str = 0
    span: Span = NOWHERE
    origin: str = "mainline"
    enum: str = ""


@dataclass(slots=True)
class StructDecl:
    """A struct with one instance per element of ``per`` (a domain of ir.types)."""

    name: str
    per: str
    fields: dict[str, VarDecl] = field(default_factory=dict)
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Setting:
    """What a scenario may give a constant: the values of ``type``, which is written ``word``."""

    type: Int
    word: str
    default: int


@dataclass(frozen=True, slots=True)
class Signature:
    name: str
    params: tuple[tuple[str, Type], ...]
    ret: Type


@dataclass(slots=True)
class Decls:
    """Everything a body may name. ``inferred`` lists fields that only user C knows."""

    structs: dict[str, StructDecl] = field(default_factory=dict)
    globals: dict[str, VarDecl] = field(default_factory=dict)
    consts: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)
    funcs: dict[str, Signature] = field(default_factory=dict)
    inferred: list[VarDecl] = field(default_factory=list)

    def find_field(self, struct: str, name: str) -> VarDecl | None:
        """The declaration of ``struct.name``, or None."""
        decl = self.structs.get(struct)
        return decl.fields.get(name) if decl else None

    def find_parent(self, struct: str) -> tuple[str, str] | None:
        """``(outer struct, field)`` where ``struct`` is embedded, or None."""
        for outer in self.structs.values():
            for f in outer.fields.values():
                if isinstance(f.type, Embed) and f.type.struct == struct:
                    return outer.name, f.name
        return None
