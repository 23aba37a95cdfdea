"""Linking: mainline, release, architecture, design and the user's C give one Program."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from ..base.errors import LinkError, SourceError
from ..ir import ops as o
from ..ir import types as ty
from ..ir.decls import Decls, Signature, StructDecl, VarDecl
from ..ir.spec import verify
from ..lang import syntax as s
from ..lang.lower import Note, lower
from ..lang.pyfront import Module
from ..lang.told import Told
from .builtin import BUILTIN
from .overlay import SPEC, Overlay, chain, get_broken, get_overlay, load_modules, source_line
from .scenario import Scenario
from .user import check_callers, lay_user
from .written import written_places

HOOKS = ("at_entry", "at_exit")
# Parameters of a hook that are none of its function's: what that returns, and which point it is.
GIVEN = ("ret", "entry")
HOOK_KINDS = {"monitor", "property", "forget"}


@dataclass(frozen=True, slots=True)
class Property:
    """A property as written: a hook with a verdict, or a condition on states.

    :param kind: ``at`` (checked where it is hooked), ``always``, ``stuck`` or ``builtin``
    :param applies: "" where the program can be asked, else why not
    :param replaces: names of narrower ones whose place it has taken
    """

    name: str
    sentence: str
    source: str
    twin: str
    kind: str
    points: tuple[str, ...]
    fn: o.Function | None
    applies: str = ""
    replaces: tuple[str, ...] = ()


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
    :param search: further folders with ``arch/``, ``design/`` … overlays
    """

    arch: str = "svm"
    design: str = ""
    release: str = "v6.12"
    twin: str = ""
    user: tuple[s.Def, ...] = ()
    user_label: str = ""
    search: tuple[Path, ...] = ()
    reduce: bool = True
    removed: tuple[str, ...] = ()
    hints: tuple[tuple[str, str, str], ...] = ()
    fields: tuple[tuple[str, VarDecl], ...] = ()

    @property
    def title(self) -> str:
        """How reports name the program."""
        base = f"{self.release} design {self.design or 'its own'} on {self.arch}"
        return (
            base
            + (f" + {self.twin}" if self.twin else "")
            + (f" + {self.user_label}" if self.user_label else "")
        )


@dataclass(slots=True)
class Program:
    """Every function that the scenario can reach, one body each. Treat it as immutable."""

    choice: Choice
    scenario: Scenario
    decls: Decls
    functions: dict[str, o.Function]
    hooks: dict[tuple[str, str], list[o.Function]]
    properties: list[Property]
    opaque: dict[str, list[str]]
    replaced: list[Replaced]
    layers: list[str]
    meta: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    @property
    def count_of(self) -> dict[str, int]:
        """Instances per struct."""
        sizes = self.scenario.sizes
        return {n: sizes.count(d.per) for n, d in self.decls.structs.items()}


@cache
def _modules(
    folder: Path, origin: str, arch: bool
) -> tuple[tuple[Module, ...], dict[str, ty.Type]]:
    aliases: dict[str, ty.Type] = {}
    return tuple(load_modules(folder, origin, aliases, arch=arch)), aliases


class _Layers:
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
                raise self._error("LP0403", f"{label} removes the unknown '{name}'", name)
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

    def _error(self, code: str, what: str, name: str) -> LinkError:
        import difflib

        near = difflib.get_close_matches(name, list(self.defs), 1)
        return LinkError(
            code,
            what,
            expected="a function of the layers below" + (f"; nearest: {near[0]}" if near else ""),
        )

    def declare(self, m: Module) -> None:
        """Add what a file declares beside its functions; raises LinkError LP0406."""
        self.decls.consts.update(m.consts)
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


def _refuse(
    choice: Choice, release: Overlay, design: Overlay, broken: Sequence[Overlay], *, own: bool
) -> None:
    """Raise LinkError LP0407 or LP0408 where the overlays are not written for each other."""
    name = design.name
    if design.arch and choice.arch not in design.arch.split(","):
        raise LinkError(
            "LP0407", f"design {name} is not written for {choice.arch}", available=design.arch
        )
    if release.arch and choice.arch not in release.arch.split(","):
        raise LinkError(
            "LP0407",
            f"release {release.name} is not written for {choice.arch}",
            available=release.arch,
            next=f"--arch {release.arch}, or --release v6.12",
        )
    if wanted := [b.release for b in broken if b.release not in ("", choice.release)]:
        raise LinkError(
            "LP0407",
            f"{broken[-1].label} is not written for release {release.name}",
            available=wanted[0],
            next=f"--release {wanted[0]}",
        )
    if not own and (release.design not in ("", "D") or release.arch):
        raise LinkError(
            "LP0408",
            f"design {name} is not written for release {release.name}",
            available=f"{release.design} (its own); every design on v6.12",
            next="leave --design out, or choose --release v6.12",
        )


def _stack(choice: Choice) -> _Layers:
    """Lay the overlays in their order: mainline, release, arch, design, twin, properties."""
    more = choice.search
    release = get_overlay("release", choice.release, *more)
    arches = chain(get_overlay("arch", choice.arch, *more), *more) if choice.arch else []
    name = choice.design or release.design or "D"
    designs = chain(get_overlay("design", name, *more), *more)
    broken = chain(get_broken(choice.twin, *more), *more) if choice.twin else []
    own = name == (release.design or "D")
    _refuse(choice, release, designs[-1], broken, own=own)
    lay = _Layers(choice)

    def put(overlay: Overlay, part: str = "") -> None:
        folder = overlay.folder / "arch" / part if part else overlay.folder
        if folder.is_dir():
            mods, _ = _modules(folder, overlay.label, bool(part))
            lay.lay(mods, overlay.label, replace(overlay, removes=()) if part else overlay)

    def put_archs(overlay: Overlay) -> None:
        for a in arches:
            put(overlay, a.name)

    lay.lay(_modules(SPEC / "mainline", "mainline", True)[0], "mainline")
    releases = chain(release, *more)
    if own:
        for d in designs:
            put(d)
    for r in releases:
        put(r)
    for a in arches:
        put(a)
    for r in [] if own else releases:
        put_archs(r)
    for d in designs:
        if not own:
            put(d)
        put_archs(d)
    for r in releases if own else []:
        put(r)
        put_archs(r)
    for t in broken:
        put(t)
        put_archs(t)
    return lay


def link(choice: Choice, scenario: Scenario, *, asked: bool = True) -> Program:
    """Return the program: every function that ``scenario`` can reach, lowered and verified.

    :param asked: with the properties and their monitors, which who only runs it does not need

    Raises LinkError (LP04xx), SourceError (LP02xx), ScenarioError (LP05xx).
    """
    lay = _stack(choice)
    decls = lay.decls
    mods = _modules(SPEC / "properties", "properties", True)[0] if asked else []
    hooks_at: dict[str, s.Def] = {}
    property_meta: dict[str, dict[str, str]] = {}
    for m in mods:
        lay.declare(m)
        for d in m.defs:
            hooks_at[f"{m.file}:{d.name}"] = d
            property_meta[f"{m.file}:{d.name}"] = m.meta.get(d.name, {})
    for d in hooks_at.values():
        if not is_hook(d):
            lay.defs[d.name] = d
            decls.funcs[d.name] = Signature(d.name, d.params, d.ret)
    for d in [d for d in lay.defs.values() if is_hook(d)]:
        # An overlay's own monitors and properties are asked like ours.
        hooks_at[f"{d.span.file}:{d.name}"] = lay.defs.pop(d.name)
        property_meta[f"{d.span.file}:{d.name}"] = lay.meta.get(d.name, {})
    if not asked:
        hooks_at.clear()
    if choice.user or choice.removed:
        lay_user(lay)
    _set_constants(decls, scenario)
    lo = _Lowerer(lay, decls, scenario)
    entries = _entries(lay, scenario)
    check_callers(lay, entries)
    for name in entries:
        lo.need(name)
    lo.run()
    decls.written = written_places(lo.done, entries, decls.consts)
    hooks, properties = _hooks(lo, hooks_at, property_meta)
    lo.run()
    return Program(
        choice,
        scenario,
        decls,
        lo.done,
        hooks,
        properties,
        lo.opaque,
        lay.replaced,
        lay.labels,
        lay.meta,
        lo.notes,
    )


def specification(choice: Choice) -> tuple[dict[str, s.Def], Decls]:
    """The bodies of ``choice`` as written, by name, and its declarations; no C of the user's."""
    lay = _stack(replace(choice, user=(), removed=()))
    lay.decls.consts.update(NR_CPUS=2, NR_TASKS=2, NR_VCPUS=2, NR_VMS=1)
    for struct, f in choice.fields:
        lay.decls.structs[struct].fields[f.name] = f
    mine = {d.name: d for d in choice.user if d.lang != "c"}
    return {n: mine.get(n, d) for n, d in lay.defs.items() if not is_hook(d)}, lay.decls


def is_hook(d: s.Def) -> bool:
    """Whether ``d`` is a monitor, a property or a @forget: asked, never called."""
    return bool(HOOK_KINDS & {a.split(":")[0] for a in d.attrs})


def _set_constants(decls: Decls, scenario: Scenario) -> None:
    import difflib

    from ..base.errors import ScenarioError

    for name, value in scenario.constants:
        if name not in decls.consts:
            near = difflib.get_close_matches(name, decls.consts, 1)
            raise ScenarioError(
                "LP0503",
                f"scenario {scenario.name} sets the unknown constant '{name}'",
                expected="a constant of the program" + (f"; nearest: {near[0]}" if near else ""),
            )
        decls.consts[name] = value
    z = scenario.sizes
    decls.consts.update(NR_CPUS=z.cpu, NR_TASKS=z.task, NR_VCPUS=z.vcpu, NR_VMS=z.vm)


def _entries(lay: _Layers, scenario: Scenario) -> list[str]:
    from ..base.errors import ScenarioError

    actors = [n for n, d in lay.defs.items() if "task" in d.attrs]
    out = ["idle"]
    for t in scenario.tasks:
        if t.runs not in actors:
            raise ScenarioError(
                "LP0504",
                f"scenario {scenario.name}: no actor '{t.runs}'",
                available=", ".join(sorted(actors)),
            )
        out.append(t.runs)
    roles = {"irq", "preempt"}
    out += [n for n, d in lay.defs.items() if roles & set(d.attrs)]
    return out


class _Lowerer:
    """Lowers what is called, and what that calls."""

    def __init__(self, lay: _Layers, decls: Decls, scenario: Scenario) -> None:
        self.lay, self.decls, self.scenario = lay, decls, scenario
        self.done: dict[str, o.Function] = {}
        self.opaque: dict[str, list[str]] = {}
        self.notes: list[Note] = []
        self.todo: list[str] = []

    def need(self, name: str) -> None:
        if name not in self.done and name not in self.todo:
            self.todo.append(name)

    def run(self) -> None:
        while self.todo:
            name = self.todo.pop(0)
            if name in self.done:
                continue
            self.done[name] = fn = self.lower(self.lay.defs[name])
            self.follow(fn)

    def lower(self, d: s.Def) -> o.Function:
        try:
            fn = lower(d, self.decls, infer=d.lang == "c", notes=self.notes, lenient=True)
        except SourceError as e:
            if e.line_text is None and e.span is not None:
                e.line_text = source_line(e.span)
            raise
        verify(fn, self.decls)
        return fn

    def follow(self, fn: o.Function) -> None:
        for b in fn.blocks:
            for op in b.ops:
                if isinstance(op, o.Call):
                    if op.fn in self.lay.defs:
                        self.need(op.fn)
                    else:
                        self.opaque.setdefault(op.fn, []).append(f"{fn.name} {op.span}")


def _hooks(
    lo: _Lowerer, hooks_at: dict[str, s.Def], meta: dict[str, dict[str, str]]
) -> tuple[dict[tuple[str, str], list[o.Function]], list[Property]]:
    """Lower monitors and properties; one whose names the program lacks does not apply."""
    hooks: dict[tuple[str, str], list[o.Function]] = {}
    found: dict[str, Property] = {}
    reached = dict(lo.done)
    for key, d in hooks_at.items():
        words = [a.partition(":") for a in d.attrs]
        kinds = {w[0] for w in words}
        dropped = "forget" in kinds and not _may_forget(lo, meta[key])
        if dropped or not kinds & HOOK_KINDS or not _is_asked(lo, meta[key]):
            continue
        points = tuple(f"{w[0]}:{w[2]}" for w in words if w[0] in HOOKS)
        live = [p for p in points if p.split(":")[1] in reached]
        kind = "at" if points else "always" if "always" in kinds else "stuck"
        why, fn = "", None
        try:
            fn = lo.lower(d)
        except SourceError as e:
            # A name that this program lacks: it does not apply. Anything else is a mistake in it.
            if e.code not in ("LP0201", "LP0202", "LP0206"):
                raise
            why = e.what
        if not why and points and not live:
            why = f"no {', '.join(p.split(':')[1] for p in points)} in this program"
        why = why or _lacking(meta[key].get("needs", ""), reached, lo.lay.defs)
        wants = sum(n not in GIVEN for n, _ in d.params)
        live = [p for p in live if wants <= len(reached[p.split(":")[1]].params)]
        if not why and points and not live:
            why = f"{', '.join(p.split(':')[1] for p in points)} has no such parameter"
        if not why and fn is not None:
            lo.follow(fn)
            for p in live:
                where, _, name = p.partition(":")
                hooks.setdefault((where, name), []).append(fn)
        if "property" in kinds:
            m = meta[key]
            name = d.name.replace("_", "-")
            prop = Property(
                name,
                " ".join(d.doc.split()),
                m.get("source", ""),
                m.get("twin", ""),
                kind,
                points,
                fn if not why else None,
                why,
                tuple(n.strip().replace("_", "-") for n in m.get("replaces", "").split(",") if n),
            )
            if name not in found or found[name].applies:
                found[name] = prop
    for name, sentence, source, twin in BUILTIN:
        found[name] = Property(name, sentence, source, twin, "builtin", (), None)
    for fns in hooks.values():
        fns.sort(key=lambda f: "property" in f.attrs)
    for (where, _), fns in hooks.items():
        if where == "at_exit":
            fns.sort(key=lambda f: "property" not in f.attrs)
    return hooks, sorted(found.values(), key=lambda p: p.name)


def _is_asked(lo: _Lowerer, meta: dict[str, str]) -> bool:
    """Whether some thread does what the hook is about, and a constant of its ``where`` is not 0.

    Else the program goes without the hook.
    """
    does, where = meta.get("does", ""), meta.get("where", "")
    spoken = not does or any(does in t.does for t in lo.scenario.tasks)
    named = [n.strip() for n in where.split(",")]
    return spoken and (not where or any(lo.decls.consts.get(n) for n in named))


def _may_forget(lo: _Lowerer, meta: dict[str, str]) -> bool:
    """Whether a value is dead as @forget says: while the bodies that make it so are in place."""
    if not lo.lay.choice.reduce:
        return False
    names = [n.strip() for n in meta.get("bodies", "").split(",")]
    origins = [w.strip() for w in meta.get("origin", "").split(",")]
    return all(n in lo.done and lo.done[n].origin in origins for n in names)


def _lacking(needs: str, reached: dict[str, o.Function], defs: Collection[str]) -> str:
    """Why a property that needs these functions, or fields that are written, does not apply.

    A function that is there and that nothing calls any more is no excuse.
    """
    written = {
        op.place.var
        for f in reached.values()
        for b in f.blocks
        for op in b.ops
        if isinstance(op, o.Store)
    }
    for name in [n.strip() for n in needs.split(",") if n.strip()]:
        if name not in (written if "." in name else defs):
            return f"nothing writes {name}" if "." in name else f"no {name} in this program"
    return ""
