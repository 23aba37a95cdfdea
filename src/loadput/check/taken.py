"""What one architecture takes from a user's patches: functions, removals, fields, and the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..base.errors import LoadputError, SourceError
from ..lang.carry.bind import Bindings
from ..lang.carry.terms import calling
from ..lang.cfront import CFunction, parse_function
from ..lang.cfront.config import DEFAULT_CONFIG
from ..lang.cfront.unit import other_arms
from ..lang.guess import walk
from ..lang.inputs import Patch
from ..lang.syntax import Def, Invoke
from ..lang.vocab import INTRINSICS, NO_EFFECT
from ..link.bindings import bindings_of
from ..link.program import Choice, Program, specification
from ..link.scenario import Scenario
from .mirrors import mirrored, mirrors_of
from .scenes import program_of
from .scope import for_arch, scope_of, scope_of_path

REARMED = "the #if that it stands under is another"
MISFIT = "its hunk does not apply, and is left out"


@dataclass(slots=True)
class Taken:
    """One patch as one architecture takes it.

    :param before: the functions as they were before the patch, where the input tells
    :param paths: per function, the file of a kernel tree that it is in, where the input tells
    :param failed: functions that cannot be read as C, and why
    :param raw: per function, its C before and after, before the binding table
    :param texts: per function, its C before and after, without comments
    :param c: per function, it as the input has it before and after
    :param arms: functions that it changes under an ``#if`` that is not chosen here
    :param fixed: values that the binding table fixed, each with its reason
    :param own: functions that it brings, by the name that they have here
    :param called: what calls the helpers that it changes, once somebody asked
    :param notes: what of the patch has no effect here, and why, a sentence each
    """

    patch: Patch
    defs: list[Def] = field(default_factory=list)
    before: list[Def] = field(default_factory=list)
    removed: tuple[str, ...] = ()
    hints: tuple[tuple[str, str, str], ...] = ()
    notes: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    raw: dict[str, tuple[Def, Def]] = field(default_factory=dict)
    texts: dict[str, tuple[str, str]] = field(default_factory=dict)
    c: dict[str, tuple[CFunction, CFunction]] = field(default_factory=dict)
    arms: set[str] = field(default_factory=set)
    own: dict[str, str] = field(default_factory=dict)
    called: Any = None

    @property
    def changes(self) -> bool:
        """Whether this architecture has anything of the patch."""
        return bool(self.defs or self.removed or self.failed)


def take(patch: Patch, arch: str, program: Program, paths: frozenset[str]) -> Taken:
    """Return what ``arch`` has of ``patch``, parsed.

    A function that does not parse is an error only where something calls it.

    :param program: of that architecture: its structs and functions
    :param paths: the files of a kernel tree that the program is modelled after
    :raises LoadputError: a file that counts here and could not be read; C that does not parse
    """
    out = Taken(patch)
    known = _known(program)
    for u in patch.unread:
        if not scope_of_path(u.path).covers(arch):
            continue
        if u.function and u.function not in known:
            out.failed[u.function], out.paths[u.function] = MISFIT, u.path
            continue
        if u.function or u.path in paths:
            raise u.error
        out.notes.append(f"{u.path}: not read ({u.error.what}), and not modelled here")
    structs = set(program.decls.structs)
    mine = for_arch(patch.functions, arch)
    names = {f.name for f in mine}
    out.paths |= {f.name: f.path for f in mine}
    bindings = bindings_of(arch, *program.choice.search)
    out.removed = tuple(
        f.name
        for f in for_arch(patch.removed, arch)
        if f.name not in names and _is_ours(f, program)
    )
    was = [f for f in patch.before if f.name in names or f.name in out.removed]
    old = {f.name: f for f in for_arch(was, arch)}
    out.c = {f.name: (old[f.name], f) for f in mine if f.name in old}
    for told in (lambda f: _but_directives(other_arms(f)), _guessed):
        out.arms |= _others(old, mine, told)
    out.texts = {n: (b.text, a.text) for n, (b, a) in out.c.items()}
    out.before, lost = _parse(for_arch(was, arch), f"{patch.origin}-before", structs)
    out.defs, failed = _parse(mine, patch.origin, structs)
    out.own = _own_names([f for f in mine if f.name not in old], known, bindings)
    out.defs = [replace(calling(d, out.own), name=out.own.get(d.name, d.name)) for d in out.defs]
    called = {c.fn for d in out.defs for c in walk(d.body) if isinstance(c, Invoke)}
    has_before = {f.name for f in was}
    for name, error in failed.items():
        if name in has_before:
            out.failed[name] = f"{error.span}: {error.what}"
        elif name in program.functions or name in called:
            raise error
        else:
            out.notes.append(f"{name}: nothing calls it here; it was not lowered ({error.what})")
    out.failed.update({n: f"{e.span}: {e.what}" for n, e in lost.items() if n in names})
    if patch.rearmed:
        for f in for_arch([f for f in patch.rearmed if f.name in known], arch):
            out.failed[f.name], out.paths[f.name] = REARMED, f.path
    plain = {d.name: d for d in out.before}
    out.raw = {d.name: (plain[d.name], d) for d in out.defs if d.name in plain}
    out.defs = [_bind(bindings, d, out) for d in out.defs if d.name not in out.failed]
    out.before = [_bind(bindings, d, out) for d in out.before]
    out.hints = tuple((f.struct, f.name, f.ctype) for f in patch.fields)
    return out


def _known(p: Program) -> set[str]:
    """The functions that the specification has, by its names and by the kernel's."""
    ours = specification(p.choice)[0]
    return {*ours, *mirrors_of(ours)}


def _is_ours(f: CFunction, p: Program) -> bool:
    """Whether the program's function of that name, if any, may be the one that stands there."""
    mine = p.functions.get(f.name)
    told = mirrored(mine.doc).get(f.name, ()) if mine is not None else ()
    return not f.path or not told or _part(f.path) in map(_part, told)


def _part(path: str) -> str:
    """``arch/x86`` or ``virt``: where in the kernel a file stands."""
    words = path.split("/")
    return "/".join(words[: 2 if words[0] == "arch" else 1])


_DIRECTIVE = re.compile(r"#\s*(?:if|ifdef|ifndef|elif|else|endif)\b(?: [\w()!&|]+)*?(?= #|$)")


def _others(
    old: Mapping[str, CFunction], mine: Sequence[CFunction], told: Callable[[CFunction], object]
) -> set[str]:
    """Functions of which something else is told now; none where it only moved among them."""
    was, now = {n: told(f) for n, f in old.items()}, {f.name: told(f) for f in mine}
    if Counter(filter(None, was.values())) == Counter(filter(None, now.values())):
        return set()
    return {n for n in was if n in now and was[n] != now[n]}


def _guessed(f: CFunction) -> frozenset[str]:
    """The symbols that its arms ask for and that no table knows: they are taken for unset.

    `#ifndef` of one leaves what it is put around, but only here.
    """
    return frozenset(a.partition("=")[0] for a in f.assumed).difference(DEFAULT_CONFIG)


def _but_directives(text: str) -> str:
    """What no arm that is chosen has, without the directives that begin and end arms."""
    return " ".join(_DIRECTIVE.sub("", text).split())


def _bind(bindings: Bindings, d: Def, out: Taken) -> Def:
    """``d`` in the model's terms."""
    bound, rules = bindings.lay(d)
    out.fixed.update({r.text: r.why for r in rules if r.why})
    return bound


def _own_names(
    new: Iterable[CFunction], known: Collection[str], bindings: Bindings
) -> dict[str, str]:
    """Other names for those of a patch's ``new`` functions whose name says what they do.

    A later kernel's function, one that only traces: of what the patch itself has, its body counts.
    But who gives C without a diff may give the kernel's own, which is ``known``.
    """
    return {
        f.name: f"{f.name}'"
        for f in new
        if (f.path or f.name not in known)
        and (f.name in INTRINSICS or NO_EFFECT.match(f.name) or bindings.speaks_of(f.name))
    }


def _parse(
    functions: Sequence[CFunction], origin: str, structs: set[str]
) -> tuple[list[Def], dict[str, SourceError]]:
    defs: list[Def] = []
    failed: dict[str, SourceError] = {}
    for f in functions:
        try:
            defs.append(parse_function(f, origin, structs, lenient=True))
        except SourceError as e:
            failed[f.name] = e
    return defs, failed


def twice(patch: Patch) -> list[str]:
    """Functions that a patch without paths defines twice for one architecture: the later counts."""
    seen: dict[tuple[str, object], str] = {}
    out = []
    for f in patch.functions:
        key = (f.name, scope_of(f))
        if key in seen and not f.path:
            out.append(f"{f.name} is there twice; the one at {f.place} is used")
        seen[key] = f.place
    return out


def first_seen(taken: Sequence[Taken]) -> dict[str, Def]:
    """Each function as the series met it: as it was, or the first new body where nobody tells."""
    out: dict[str, Def] = {}
    for t in taken:
        before = {d.name: d for d in t.before}
        for d in (*t.defs, *t.before):
            out.setdefault(d.name, before.get(d.name, d))
    return out


def as_it_was(taken: Sequence[Taken]) -> tuple[Def, ...]:
    """The functions that the series changes, as they were before all of it."""
    met: set[str] = set()
    out: list[Def] = []
    for t in taken:
        out += [d for d in t.before if d.name not in met]
        met |= {d.name for d in (*t.defs, *t.before)}
    return tuple(out)


def lay(choice: Choice, t: Taken, label: str) -> Choice:
    """``choice`` with one more patch on top."""
    new = {d.name for d in t.defs}
    kept = [d for d in choice.user if d.name not in new and d.name not in t.removed]
    gone = tuple(n for n in (*choice.removed, *t.removed) if n not in new)
    hints = tuple(dict.fromkeys((*choice.hints, *t.hints)))
    return replace(
        choice,
        user=(*kept, *t.defs),
        removed=tuple(dict.fromkeys(gone)),
        hints=hints,
        user_label=label,
    )


def take_all(
    patches: Sequence[Patch],
    archs: Sequence[str],
    choices: Mapping[str, Choice],
    scenario: Scenario,
) -> tuple[dict[str, list[Taken]], dict[str, LoadputError]]:
    """Per architecture, the patches as it takes them; or why it cannot."""
    out: dict[str, list[Taken]] = {}
    failed: dict[str, LoadputError] = {}
    for arch in archs:
        try:
            program = program_of(choices[arch], scenario)
            paths = frozenset(p for ps in tree_paths(program).values() for p in ps)
            out[arch] = [take(p, arch, program, paths) for p in patches]
        except LoadputError as e:
            failed[arch] = e
    return out, failed


_PATH = re.compile(r"\b((?:virt|arch|kernel|include)/[\w./-]+?\.[ch])\b")


def tree_paths(p: Program) -> dict[str, list[str]]:
    """Per function of the program, the paths in a kernel tree that its ``Mirrors:`` line names."""
    out: dict[str, list[str]] = {}
    for name, fn in p.functions.items():
        paths = list(dict.fromkeys(_PATH.findall(fn.doc)))
        if paths:
            out[name] = paths
    return out
