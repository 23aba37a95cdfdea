"""Declarations that functions refer to: structs, globals, constants, signatures."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..base.source import NOWHERE, Span
from .types import Embed, Int, Token, Type


@dataclass(frozen=True, slots=True)
class VarDecl:
    """A global or per-CPU variable, or one field of a struct.

    :param init: start value: a number, or the name of a scenario rule (``own``: see machine.values)
    :param ghost: the program cannot read it; properties and hooks can
    :param enum: the enum that names its values, or ""
    :param copy: holds a copy of what a register has: memory, a TLB
    :param lazy: the flag without which a use of the register traps and loads it: a per-CPU
        variable, or ``struct.field`` of the owner; "" where a use never traps
    """

    name: str
    type: Type
    percpu: bool = False
    ghost: bool = False
    init: int | str = 0
    span: Span = NOWHERE
    origin: str = "mainline"
    enum: str = ""
    copy: bool = False
    lazy: str = ""

    @property
    def is_register(self) -> bool:
        """A register of a CPU: what the specification calls ``hw_…``, and no copy of one."""
        return self.percpu and self.name.startswith("hw_") and not self.copy

    @property
    def goes_along(self) -> bool:
        """A register whose content moves with the task: the context switch takes a task's along,
        the notifiers a vCPU's and its VM's, so that any CPU has it where it is used.
        """
        return self.percpu and isinstance(self.type, Token) and not self.copy


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
    """Everything a body may name.

    :param inferred: fields that only user C knows
    :param written: places that the linked program writes; known when its properties are lowered
    """

    structs: dict[str, StructDecl] = field(default_factory=dict)
    globals: dict[str, VarDecl] = field(default_factory=dict)
    consts: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Setting] = field(default_factory=dict)
    enums: dict[str, dict[int, str]] = field(default_factory=dict)
    funcs: dict[str, Signature] = field(default_factory=dict)
    inferred: list[VarDecl] = field(default_factory=list)
    written: frozenset[str] = frozenset()

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
