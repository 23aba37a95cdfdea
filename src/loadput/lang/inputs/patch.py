"""What reading a user's input gives: patches, each with the C functions it brings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...base.errors import LoadputError
from .. import syntax as s
from ..cfront import CFunction, parse_function


@dataclass(frozen=True, slots=True)
class FieldHint:
    """A struct field that a diff adds to a header: ``bool scheduled_out;`` in ``kvm_vcpu``."""

    struct: str
    name: str
    ctype: str
    place: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of one architecture that the patch changes and that could not be read."""

    path: str
    error: LoadputError


@dataclass(frozen=True, slots=True)
class Patch:
    """One thing to judge: a mail, one patch of a series, a diff, or a C file.

    :param kind: ``mail``, ``mbox patch``, ``diff`` or ``c``
    :param file: the file the user gave; places in ``functions`` point into it
    :param removed: functions that the patch takes out, as they were
    :param before: functions that it changes, as they were, where the diff or the tree tells
    :param fields: struct fields that it adds
    :param unread: files below ``arch/`` that could not be read: no verdict for those who need them
    :param only_comments: its functions differ in comments and blanks alone
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
