"""Linking: mainline, release, architecture, design and the user's C give one Program."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from ..base.clock import look
from ..base.errors import LinkError, SourceError
from ..ir import ops as o
from ..ir.decls import Decls, Signature
from ..ir.spec import verify
from ..lang import syntax as s
from ..lang.lower import Note, lower
from ..lang.pydecl import nearest
from .builtin import BUILTIN
from .layers import DEFAULT_RELEASE, Choice, Layers, Replaced, modules_of
from .overlay import (
    SPEC,
    Overlay,
    chain,
    find_overlays,
    get_broken,
    get_overlay,
    source_line,
)
from .refuse import (
    bad_scenario,
    check_atomic,
    check_called,
    check_declared,
    check_ghosts,
    check_hook,
    check_marks,
    check_overlay,
    check_parameters,
    check_pure,
    check_read,
    check_setting,
    check_threads,
    may_lack,
)
from .scenario import Scenario
from .user import check_callers, lay_user
from .written import written_places

__all__ = ["Choice", "Layers", "Program", "Property", "Replaced", "link", "specification"]
HOOKS = ("at_entry", "at_exit")
# Parameters of a hook that are none of its function's: what that returns, and which point it is.
GIVEN = ("ret", "entry")
AGAIN = "'"
"""Ends the name of a hook that another one, or a function, has too: no name is written with it."""
HOOK_KINDS = {"monitor", "property", "forget"}


@dataclass(frozen=True, slots=True)
class Property:
    """A property as written: a hook with a verdict, or a condition on states.

    :param kind: ``at`` (checked where it is hooked), ``always``, ``stuck`` or ``builtin``
    :param applies: "" where the program can be asked, else why not
    :param replaces: names of narrower ones whose place it has taken
    :param uncalled: it does not apply because nothing calls what it is hooked to
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
    uncalled: bool = False


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


def _refuse(
    choice: Choice, release: Overlay, design: Overlay, broken: Sequence[Overlay], *, own: bool
) -> None:
    """Raise LinkError LP0407 or LP0408 where the overlays are not written for each other."""
    name = design.name
    if design.arch and choice.arch not in design.archs:
        raise LinkError(
            "LP0407", f"design {name} is not written for {choice.arch}", available=design.arch
        )
    if release.arch and choice.arch not in release.archs:
        raise LinkError(
            "LP0407",
            f"release {release.name} is not written for {choice.arch}",
            available=release.arch,
            next=f"--arch {release.archs[0]}, or --release {DEFAULT_RELEASE}",
        )
    if wanted := [b.release for b in broken if b.release not in ("", choice.release)]:
        raise LinkError(
            "LP0407",
            f"{broken[-1].label} is not written for release {release.name}",
            available=wanted[0],
            next=f"--release {wanted[0]}",
        )
    if not own and release.design not in ("", "D"):
        raise LinkError(
            "LP0408",
            f"design {name} is not written for release {release.name}",
            available=f"{release.design} (its own); every design on v6.12 and v7.3",
            next=f"leave --design out, or choose --release {DEFAULT_RELEASE}",
        )


@dataclass(frozen=True, slots=True)
class _Age:
    """How new a body is.

    :param level: which of the releases, and which of the architectures there, counted in their
        order, changed it last
    :param stale: the design or twin that has brought an older one back
    """

    level: tuple[int, int] = (-1, -1)
    stale: Overlay | None = None

    def after(self, v: Overlay, level: tuple[int, int]) -> _Age:
        """As it is once ``v`` has replaced the body by one as new as ``level``."""
        return _Age(max(level, self.level), v if level < self.level else None)


def _refuse_stale(lay: Layers, releases: Sequence[Overlay], age: Mapping[str, _Age]) -> None:
    """Raise LinkError LP0407 or LP0408 where a body of another release would come back."""
    names = [r.name for r in releases]
    name, found = next(((n, a) for n, a in age.items() if a.stale is not None), ("", _Age()))
    v = found.stale
    if v is None:
        return
    known = find_overlays("release").values()
    forms = [r.name for r in known if (v.folder / "release" / r.folder.name).is_dir()]
    raise LinkError(
        "LP0408" if v.kind == "design" else "LP0407",
        f"{v.kind} {v.name} is not written for release {lay.choice.release}",
        got=f"another {name}, which {names[found.level[0]]} has changed",
        available=", ".join(["v6.12", *forms]),
        next=f"--release v6.12; or an overlay of your own, with {name} as {lay.choice.release}"
        " has it",
    )


class _Stack:
    """Puts overlays on, and knows how new each body is."""

    def __init__(
        self, lay: Layers, releases: Sequence[Overlay], arches: Sequence[Overlay], *, own: bool
    ) -> None:
        self.lay, self.releases, self.arches, self.own = lay, releases, arches, own
        self.age: dict[str, _Age] = {}

    def put(self, overlay: Overlay, part: str = "", release: int = -1, arch: int = -1) -> None:
        """A folder of an overlay's: its bodies are of that release, and of that architecture."""
        folder = overlay.folder / part
        if folder.is_dir():
            mods, _ = modules_of(folder, overlay.label, folder.parent.name == "arch")
            check_marks(self.lay, mods, overlay.label)
            self.lay.lay(mods, overlay.label, replace(overlay, removes=()) if part else overlay)
            for d in (d for m in mods for d in m.defs):
                before = _Age() if overlay.kind == "arch" else self.age.get(d.name, _Age())
                self.age[d.name] = before.after(overlay, (release, arch))

    def put_archs(self, overlay: Overlay, part: str = "", release: int = -1) -> None:
        """What it has for the architecture and its parents."""
        for i, a in enumerate(self.arches):
            self.put(overlay, f"{part}arch/{a.name}", release, i)

    def put_all(self, overlay: Overlay, *, top: bool = True) -> None:
        """What an overlay has, and over that its form for each of the releases.

        Shipped ones that name no release are written for v6.12.
        """
        ours = overlay.folder.is_relative_to(SPEC) and not overlay.release
        newest = -1 if ours and not (self.own and overlay.kind == "design") else len(self.releases)
        # One for some architectures has theirs at its top.
        last = len(self.arches) if overlay.arch else -1
        if top:
            self.put(overlay, "", newest, last)
        self.put_archs(overlay, "", newest)
        for i, r in enumerate(self.releases):
            part = f"release/{r.folder.name}"
            self.put(overlay, part, i, last)
            self.put_archs(overlay, f"{part}/", i)


def _stack(choice: Choice) -> Layers:
    """Lay the overlays in their order: mainline, release, arch, design, twin, properties."""
    more = choice.search
    release = get_overlay("release", choice.release, *more)
    arches = chain(get_overlay("arch", choice.arch, *more), *more) if choice.arch else []
    name = choice.design or release.design or "D"
    designs = chain(get_overlay("design", name, *more), *more)
    broken = chain(get_broken(choice.twin, *more), *more) if choice.twin else []
    own = name == (release.design or "D")
    for v in (release, *arches, *designs, *broken):
        check_overlay(v, *more)
    _refuse(choice, release, designs[-1], broken, own=own)
    lay, releases = Layers(choice), chain(release, *more)
    on = _Stack(lay, releases, arches, own=own)

    lay.lay(modules_of(SPEC / "mainline", "mainline", True)[0], "mainline")
    if own:
        for d in designs:
            on.put(d)
    for i, r in enumerate(releases):
        on.put(r, "", i)
    for a in arches:
        on.put(a)
    for i, r in enumerate([] if own else releases):
        on.put_archs(r, "", i)
    for d in designs:
        on.put_all(d, top=not own)
    for i, r in enumerate(releases if own else []):
        on.put(r, "", i)
        on.put_archs(r, "", i)
    for t in broken:
        on.put_all(t)
    _refuse_stale(lay, releases, on.age)
    return lay


def link(choice: Choice, scenario: Scenario, *, asked: bool = True) -> Program:
    """Return the program: every function that ``scenario`` can reach, lowered and verified.

    :param asked: with the properties and their monitors, which who only runs it does not need

    Raises LinkError (LP04xx), SourceError (LP02xx), ScenarioError (LP05xx).
    """
    look()
    lay = _stack(choice)
    decls = lay.decls
    mods = modules_of(SPEC / "properties", "properties", True)[0] if asked else []
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
    check_declared(lay)
    _set_constants(lay, scenario)
    lo = _Lowerer(lay, decls, scenario)
    entries = _entries(lay, scenario)
    check_threads(lay, scenario)
    check_callers(lay, entries)
    for name in entries:
        lo.need(name)
    lo.run()
    decls.written = written_places(lo.done, entries, decls.consts)
    if asked and (choice.user or choice.removed):
        # A register that only the shipped bodies load is one that the guest lacks now.
        decls.written |= _written_before(replace(choice, **_NOBODYS), scenario)
    hooks, properties = _hooks(lo, hooks_at, property_meta)
    lo.run()
    p = Program(
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
    _check(lay, p, entries, hooks_at, property_meta, asked=asked)
    return replace(p, hooks=_own_names(p))


_NOBODYS: dict[str, Any] = dict.fromkeys(("user", "removed", "hints", "fields"), ())


@lru_cache(64)
def _written_before(choice: Choice, scenario: Scenario) -> frozenset[str]:
    """What the program writes without the user's C."""
    return link(choice, scenario, asked=False).decls.written


def _check(
    lay: Layers, p: Program, entries: Sequence[str], hooks_at: dict[str, s.Def],
    meta: dict[str, dict[str, str]], *, asked: bool,
) -> None:  # fmt: skip
    """Raise LinkError (LP042x) or ScenarioError LP0503 for what means nothing in this program."""
    live = {f.name: f for fns in p.hooks.values() for f in fns}
    live |= {q.fn.name: q.fn for q in p.properties if q.fn is not None}
    check_atomic(p.functions)
    check_pure(p.decls, p.functions, live.values())
    check_ghosts(p.decls, p.functions, entries, live)
    check_called(lay, hooks_at.values())
    if asked:
        where: dict[str, bool] = {}
        for key, d in hooks_at.items():
            for n in meta[key].get("where", "").replace(",", " ").split():
                where[n] = where.get(n, False) or d.name in live
        check_read(lay, p.scenario, (*p.functions.values(), *live.values()), where)


def specification(choice: Choice) -> tuple[dict[str, s.Def], Decls]:
    """The bodies of ``choice`` as written, by name, and its declarations; no C of the user's."""
    lay = _stack(replace(choice, user=(), removed=()))
    lay.decls.consts.update(NR_CPUS=2, NR_TASKS=2, NR_VCPUS=2, NR_VMS=1)
    for struct, f in choice.fields:
        (lay.decls.structs[struct].fields if struct else lay.decls.globals)[f.name] = f
    mine = {d.name: d for d in choice.user if d.lang != "c"}
    return {n: mine.get(n, d) for n, d in lay.defs.items() if not is_hook(d)}, lay.decls


def is_hook(d: s.Def) -> bool:
    """Whether ``d`` is a monitor, a property or a @forget: asked, never called."""
    return bool(HOOK_KINDS & {a.split(":")[0] for a in d.attrs})


def _set_constants(lay: Layers, scenario: Scenario) -> None:
    for name, value in scenario.constants:
        check_setting(lay, scenario, name, value)
        lay.decls.consts[name] = int(value)
    z = scenario.sizes
    lay.decls.consts.update(NR_CPUS=z.cpu, NR_TASKS=z.task, NR_VCPUS=z.vcpu, NR_VMS=z.vm)


def _entries(lay: Layers, scenario: Scenario) -> list[str]:
    actors = sorted(n for n, d in lay.defs.items() if "task" in d.attrs and "idle" not in d.attrs)
    out = ["idle"]
    for i, t in enumerate(scenario.tasks):
        if t.runs not in actors:
            e = bad_scenario(
                scenario, "LP0504", f"no actor '{t.runs}'", "a function marked @task"
                + nearest(t.runs, actors), "runs", table="task", nth=i,
            )  # fmt: skip
            e.available = ", ".join(actors)
            raise e
        out.append(t.runs)
    roles = {"irq", "preempt"}
    out += [n for n, d in lay.defs.items() if roles & set(d.attrs)]
    return out


class _Lowerer:
    """Lowers what is called, and what that calls."""

    def __init__(self, lay: Layers, decls: Decls, scenario: Scenario) -> None:
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
            look()
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
    written = _written(reached.values())
    for key, d in hooks_at.items():
        words = [a.partition(":") for a in d.attrs]
        kinds = {w[0] for w in words}
        check_hook(lo.lay, d, meta[key])
        dropped = "forget" in kinds and not _may_forget(lo, meta[key])
        if dropped or not kinds & HOOK_KINDS or not _is_asked(lo, meta[key]):
            continue
        points = tuple(f"{w[0]}:{w[2]}" for w in words if w[0] in HOOKS)
        live = [p for p in points if p.split(":")[1] in reached]
        kind = "at" if points else "always" if "always" in kinds else "stuck"
        fn, why = _lower_hook(lo, d)
        uncalled = not why and bool(points) and not live
        if uncalled:
            why = f"no {', '.join(p.split(':')[1] for p in points)} in this program"
        why = why or _lacking(meta[key].get("needs", ""), written, lo.lay.defs)
        wants = sum(n not in GIVEN for n, _ in d.params)
        live = [p for p in live if wants <= len(reached[p.split(":")[1]].params)]
        if not why and points and not live:
            why = f"{', '.join(p.split(':')[1] for p in points)} has no such parameter"
        if not why and fn is not None:
            lo.follow(fn)
            for p in live:
                where, _, name = p.partition(":")
                check_parameters(d, p.partition(":")[0], reached[name])
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
                uncalled,
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


def _own_names(p: Program) -> dict[tuple[str, str], list[o.Function]]:
    """The hooks under names that are nobody else's: a function of the program, or a hook of another
    file, may have the one that is written. Who looks for what a hook does finds it by its name.
    """
    taken = set(p.functions)
    names: dict[int, str] = {}
    for h in (h for hs in p.hooks.values() for h in hs):
        if id(h) not in names:
            names[id(h)] = h.name
            while names[id(h)] in taken:
                names[id(h)] += AGAIN
            taken.add(names[id(h)])
    return {at: [replace(h, name=names[id(h)]) for h in hs] for at, hs in p.hooks.items()}


def property_of(hook: o.Function) -> str:
    """The name of the property that a hook asks."""
    return hook.name.rstrip(AGAIN).replace("_", "-")


def _lower_hook(lo: _Lowerer, d: s.Def) -> tuple[o.Function | None, str]:
    """A hook, and "" or why it does not apply: a name that this program lacks.

    Anything else is a mistake in it.
    """
    try:
        return lo.lower(d), ""
    except SourceError as e:
        if e.code not in ("LP0201", "LP0202", "LP0206"):
            raise
        may_lack(lo.lay, d, e)
        return None, e.what


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


def _written(reached: Iterable[o.Function]) -> set[str]:
    """Every field and variable that these functions store to."""
    ops = (op for f in reached for b in f.blocks for op in b.ops)
    return {op.place.var for op in ops if isinstance(op, o.Store)}


def _lacking(needs: str, written: Collection[str], defs: Collection[str]) -> str:
    """Why a property that needs these functions, or fields that are written, does not apply.

    A function that is there and that nothing calls any more is no excuse.
    """
    for name in [n.strip() for n in needs.split(",") if n.strip()]:
        if name not in (written if "." in name else defs):
            return f"nothing writes {name}" if "." in name else f"no {name} in this program"
    return ""
