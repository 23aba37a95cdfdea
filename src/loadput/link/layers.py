"""The layers of a program: declarations and bodies by name, later over earlier."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from ..base.errors import LinkError
from ..ir import types as ty
from ..ir.decls import Decls, Signature, StructDecl, VarDecl
from ..lang import syntax as s
from ..lang.pydecl import nearest
from ..lang.pyfront import Module
from ..lang.told import Told
from .overlay import Overlay, load_modules, place_in, source_line

DEFAULT_RELEASE = "v7.3"
"""The release that is meant where none is named: the newest one that is written for every arch."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """One function that a later layer took from an earlier one."""

    name: str
    before: s.Def
    after: s.Def


@dataclass(frozen=True, slots=True)
class Choice:
    """What to link: names of overlays, and the user's own functions on top.

    :param user: functions from a mail, patch, file or tree, laid over everything
    :param twin: a broken twin laid over the design
    :param removed: functions that the user's patch takes out
    :param hints: ``(struct, field, C type)`` that the user's patch adds to a header
    :param fields: ``(struct, field)`` that edits of the user's, carried over, bring along
    :param reduce: forget values that are dead while the shipped bodies are in place (@forget)
    :param memory: "sc", or "tso" on an architecture that has it, "weak" on others: docs/memory.md
    :param search: further folders with ``arch/``, ``design/`` … overlays
    """

    arch: str = "svm"
    design: str = ""
    release: str = DEFAULT_RELEASE
    twin: str = ""
    user: tuple[s.Def, ...] = ()
    user_label: str = ""
    search: tuple[Path, ...] = ()
    reduce: bool = True
    removed: tuple[str, ...] = ()
    hints: tuple[tuple[str, str, str], ...] = ()
    fields: tuple[tuple[str, VarDecl], ...] = ()
    memory: str = "sc"

    @property
    def title(self) -> str:
        """How reports name the program."""
        base = f"{self.release} design {self.design or 'its own'} on {self.arch}"
        return (
            base
            + (f" + {self.twin}" if self.twin else "")
            + (f" + {self.user_label}" if self.user_label else "")
        )


@cache
def modules_of(
    folder: Path, origin: str, arch: bool
) -> tuple[tuple[Module, ...], dict[str, ty.Type]]:
    aliases: dict[str, ty.Type] = {}
    return tuple(load_modules(folder, origin, aliases, arch=arch)), aliases


class Layers:
    """Declarations and bodies as the layers are put on, later over earlier."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.decls = Decls()
        self.defs: dict[str, s.Def] = {}
        self.meta: dict[str, dict[str, str]] = {}
        self.removed: dict[str, str] = {}
        self.replaced: list[Replaced] = []
        self.labels: list[str] = []
        self.changed: set[str] = set()
        self.told: dict[str, Told] = {}

    def lay(self, modules: Sequence[Module], label: str, overlay: Overlay | None = None) -> None:
        """Put one layer on; raises LinkError (LP0403..LP0405)."""
        if label not in self.labels:
            self.labels.append(label)
        for name in overlay.removes if overlay else ():
            struct, dot, field_name = name.partition(".")
            if dot and self.decls.find_field(struct, field_name):
                del self.decls.structs[struct].fields[field_name]
                self.removed[name] = label
                continue
            if name not in self.defs:
                raise self._unknown(overlay, name)
            self.removed[name] = label
            del self.defs[name]
        here: dict[str, s.Def] = {}
        for m in modules:
            self.declare(m)
            for d in m.defs:
                if d.name in here:
                    raise LinkError(
                        "LP0404",
                        f"{label} defines '{d.name}' twice",
                        span=d.span,
                        expected=f"one body; the other is at {here[d.name].span}",
                    )
                here[d.name] = d
                self.meta[d.name] = m.meta.get(d.name, {})
        self.lay_defs(tuple(here.values()), overlay.signatures if overlay else ())

    def lay_defs(self, defs: Sequence[s.Def], signatures: Sequence[str] = ()) -> None:
        """Put bodies on; a changed signature is an error unless it is declared."""
        for d in defs:
            old = self.defs.get(d.name)
            if old is not None:
                self._same_shape(old, d, signatures)
                self.replaced.append(Replaced(d.name, old, d))
                if not d.attrs and old.attrs:
                    d = _with_attrs(d, old.attrs)
                    if not self.meta.get(d.name):
                        self.meta[d.name] = self.meta.get(old.name, {})
            self.defs[d.name] = d
            if d.lang == "c" and old is not None:
                continue
            self.decls.funcs[d.name] = Signature(d.name, d.params, d.ret)

    def _same_shape(self, old: s.Def, new: s.Def, signatures: Sequence[str]) -> None:
        if len(old.params) != len(new.params) and new.name not in signatures:
            raise LinkError(
                "LP0405",
                f"{new.origin} changes the signature of '{new.name}'",
                span=new.span,
                line_text=source_line(new.span),
                got=", ".join(n for n, _ in new.params) or "no parameters",
                expected=", ".join(n for n, _ in old.params) or "no parameters",
                next=f'signatures="{new.name}" in its overlay.py',
            )

    def _unknown(self, overlay: Overlay | None, name: str) -> LinkError:
        assert overlay is not None
        struct, dot, _ = name.partition(".")
        decl = self.decls.structs.get(struct) if dot else None
        known = [f"{struct}.{f}" for f in decl.fields] if decl else list(self.defs)
        at = place_in(overlay, "removes")
        return LinkError(
            "LP0403",
            f"{overlay.label} removes the unknown '{name}'",
            span=at,
            line_text=source_line(at),
            expected=f"a {'field' if decl else 'function'} of the layers below"
            + nearest(name, known),
            next="loadput list state, loadput list functions have them",
        )

    def declare(self, m: Module) -> None:
        """Add what a file declares beside its functions; raises LinkError LP0406."""
        self.decls.consts.update(m.consts)
        self.decls.settings.update(m.settings)
        self.decls.enums.update(m.enums)
        for name, told in m.told.items():
            before = self.told.get(name)
            about = told.about or (before.about if before else "")
            origin = before.origin if before and told.written == "struct" else told.origin
            self.told[name] = replace(told, about=about, origin=origin)
        for g in m.globals.values():
            self.decls.globals[g.name] = g
        for new in m.structs.values():
            old = self.decls.structs.get(new.name)
            if old is None:
                old = StructDecl(new.name, new.per, span=new.span)
                self.decls.structs[new.name] = old
            if new.per and old.per and new.per != old.per:
                raise LinkError(
                    "LP0406",
                    f"struct {new.name} is per {new.per}",
                    span=new.span,
                    expected=f"per {old.per}, as at {old.span}",
                )
            old.per = old.per or new.per
            for f in new.fields.values():
                was = old.fields.get(f.name)
                if was is not None and was.type != f.type:
                    raise LinkError(
                        "LP0406",
                        f"{m.origin} gives {new.name}.{f.name} the type {f.type}",
                        span=f.span,
                        line_text=source_line(f.span),
                        expected=f"{was.type}, as at {was.span}",
                    )
                old.fields[f.name] = f


def _with_attrs(d: s.Def, attrs: tuple[str, ...]) -> s.Def:
    new = copy.copy(d)
    object.__setattr__(new, "attrs", attrs)
    return new
