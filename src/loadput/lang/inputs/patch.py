"""What reading a user's input gives: patches, each with the C functions it brings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...base.errors import LoadputError
from .. import syntax as s
from ..cfront import CFunction, parse_function


@dataclass(frozen=True, slots=True)
class FieldHint:
    """A struct field that a diff adds to a header: ``bool scheduled_out;`` in ``kvm_vcpu``.

    :param struct: "" for a variable of a whole file; its ``ctype`` says where each CPU has one
    """

    struct: str
    name: str
    ctype: str
    place: str


class Holding(Protocol):
    """A tree that tells which of its files speak of a word."""

    def holding(self, word: str, rooms: Sequence[str]) -> dict[str, str]:
        """The C files below ``rooms`` that do, each with its text."""
        ...


@dataclass(frozen=True, slots=True)
class Near:
    """What stands in the files that a patch changes: where its helpers are.

    :param before: every function of those files as they were
    :param after: every function of those files as they are with it
    :param renamed_fields: per struct field that it brings, one of the same type that it takes out
    :param gone: struct fields that it takes out and puts nowhere else: ``struct.field``
    :param tree: the tree that it applies to, where there is one
    """

    before: tuple[CFunction, ...] = ()
    after: tuple[CFunction, ...] = ()
    renamed_fields: Mapping[str, str] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    tree: Holding | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """What the patch changes and could not be read: a file of one architecture, or a hunk.

    :param function: the one in which a hunk stands that does not apply; "" for a file
    """

    path: str
    error: LoadputError
    function: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """One thing to judge: a mail, one patch of a series, a diff, or a C file.

    :param kind: ``mail``, ``mbox patch``, ``diff`` or ``c``
    :param file: the file the user gave; places in ``functions`` point into it
    :param removed: functions that the patch takes out, as they were
    :param before: functions that it changes, as they were, where the diff or the tree tells
    :param fields: struct fields that it adds
    :param unread: files below ``arch/`` that could not be read, and hunks that do not apply: no
        verdict for those who need them
    :param rearmed: functions that stand under another ``#if`` with it
    :param only_comments: its functions differ in comments and blanks alone
    :param near: what else its files have
    :param notes: what was not read as code and why, a sentence each
    """

    title: str
    kind: str
    file: str
    functions: tuple[CFunction, ...]
    removed: tuple[CFunction, ...] = ()
    fields: tuple[FieldHint, ...] = ()
    notes: tuple[str, ...] = ()
    before: tuple[CFunction, ...] = ()
    unread: tuple[Unread, ...] = ()
    only_comments: bool = False
    near: Near = field(default=Near(), compare=False, repr=False)
    rearmed: tuple[CFunction, ...] = ()

    @property
    def origin(self) -> str:
        """The overlay name of its functions: ``user:FILE``."""
        return "user:" + (self.file.rsplit("/", 1)[-1].replace(" ", "_") or "input")

    def parse(
        self,
        origin: str | None = None,
        structs: Collection[str] | None = None,
        config: Mapping[str, bool] | None = None,
    ) -> list[s.Def]:
        """Every function as a syntax tree; raises SourceError with the place in the file."""
        return [parse_function(f, origin or self.origin, structs, config) for f in self.functions]
