"""One patch: the functions and fields that a diff brings, with a kernel tree or without."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ...base.errors import InputError, LoadputError
from ...base.source import Span
from ..cfront import CFunction, Line, find_c_functions
from ..cfront.unit import other_arms
from ..guess import PER_CPU_TYPE
from .brought import Brought, read_in_place
from .diff import (
    FileDiff,
    Hunk,
    Text,
    apply_hunks,
    named_in,
    new_image,
    old_image,
    only_declares,
    reversed_hunks,
)
from .patch import FieldHint, Near, Unread
from .renamed import moved_fields, renamed_constants, renamed_functions, under_old_names

_FIELD = re.compile(
    r"\s+((?:struct |enum |unsigned |const )*\w+(?: \w+)*?\s*\**)(\w+)\s*;\s*(?:/|$)"
)
_CALLBACK = re.compile(r"\s+((?:\w+ )*\w+\s*\**\(\*)(\w+)(\)\(.*\));")
_VARIABLE = re.compile(
    r"(?:static )?(?:DEFINE|DECLARE)_PER_CPU\w*\((?P<percpu>[\w ]+\**), (?P<its>\w+)\);"
    r"|static (?P<plain>(?:bool|int|struct \w+ \*))\s*(?P<name>\w+)(?: = (?:0|false|NULL))?;"
)
_HEADING_FN = re.compile(r"(\w+)\(")


class Tree:
    """A kernel tree read lazily; patches of a series apply on top of each other in memory."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise InputError(
                "LP0235", f"--tree {root}: no such directory", expected="a kernel tree"
            )
        self.root = root
        self.files: dict[str, Text] = {}
        self.renamed: dict[str, str] = {}
        self.brought = Brought()
        self._rooms: dict[str, dict[str, str]] = {}

    def holding(self, word: str, rooms: Sequence[str]) -> dict[str, str]:
        """The C files below ``rooms`` that speak of ``word``, each with its text."""
        out: dict[str, str] = {}
        for room in rooms:
            if room not in self._rooms:
                files = sorted(f for f in (self.root / room).rglob("*.[ch]") if f.is_file())
                self._rooms[room] = {
                    str(f.relative_to(self.root)): f.read_text("utf-8", "replace") for f in files
                }
            held = self._rooms[room].items()
            out |= {p: t for p, t in held if word in t and re.search(rf"\b{word}\b", t)}
        return out

    def text(self, path: str, hunk: Hunk) -> Text:
        """The file as the patches before left it; raises InputError LP0235 where it is not."""
        if path not in self.files:
            at = (self.root / path).resolve()
            if not at.is_file() or not at.is_relative_to(self.root.resolve()):
                raise InputError(
                    "LP0235",
                    f"{path} is not in the tree {self.root}",
                    span=Span(hunk.at.file, hunk.at.number),
                    line_text=hunk.at.text,
                    expected="the tree that the patch was made for",
                )
            c = at.read_text("utf-8", "replace").split("\n")
            self.files[path] = Text(c, [Line(path, i, t) for i, t in enumerate(c, 1)])
        return self.files[path]


Key = tuple[str, str]


class Changes:
    """What the file diffs of one patch bring; `read` fills it. Keys are (path, function)."""

    def __init__(self, tree: Tree | None) -> None:
        self.tree = tree
        self.functions: dict[Key, CFunction] = {}
        self.before: dict[Key, CFunction] = {}
        self.removed: dict[Key, CFunction] = {}
        self.fields: list[FieldHint] = []
        self.notes: list[str] = []
        self.unread: list[Unread] = []
        self.only_comments = False
        self.rearmed: list[CFunction] = []
        self._gone: list[FieldHint] = []
        self._callbacks: tuple[list[FieldHint], list[FieldHint]] = ([], [])
        self._near: tuple[list[CFunction], list[CFunction]] = ([], [])
        self._partial: list[tuple[FileDiff, Hunk]] = []

    def read(self, diffs: list[FileDiff]) -> None:
        """Raises InputError (LP0234, LP0235, LP0236) where a hunk cannot be placed.

        A file below ``arch/`` that cannot be read goes to ``unread``: the rest still counts.
        """
        for d in diffs:
            self._fields(d)
            if d.path and not d.path.endswith((".c", ".h")):
                self.notes.append(f"{d.path}: not C, not read")
                continue
            try:
                self._file(d)
            except LoadputError as e:
                if not d.path.startswith("arch/"):
                    raise
                self.unread.append(Unread(d.path, e))
        if any(not d.path.startswith("arch/") for d, _ in self._partial):
            raise self._needs_tree(self._partial)
        for path in dict.fromkeys(d.path for d, _ in self._partial):
            mine = [(d, h) for d, h in self._partial if d.path == path]
            self.unread.append(Unread(path, self._needs_tree(mine)))
        # A deletion beside a function, and a function that only moved, change no function.
        same = {
            k for k, f in self.functions.items() if k in self.before and _same(f, self.before[k])
        }
        self.only_comments = bool(same) and len(same) == len(self.functions)
        self.only_comments &= not (self.rearmed or self.unread)
        self.functions = {k: f for k, f in self.functions.items() if k not in same}
        self.removed = {k: f for k, f in self.removed.items() if k not in {*self.functions, *same}}
        constants = renamed_constants(diffs)
        self._read_in_place(diffs, constants)
        self._call_as_before(constants | self._moved(diffs))
        self.before = {k: f for k, f in self.before.items() if k in self.functions}

    def _moved(self, diffs: list[FileDiff]) -> dict[str, str]:
        """Fields that stand in a struct within theirs now."""
        moved = moved_fields(diffs)
        self.fields = [f for f in self.fields if f.name not in moved.values()]
        self._gone = [f for f in self._gone if f.name not in moved.values()]
        self.notes += [f"{new} is the field {old}" for new, old in moved.items()]
        return moved

    def _read_in_place(self, diffs: list[FileDiff], constants: dict[str, str]) -> None:
        """Macros and static keys that the patch brings, or an earlier one of the series."""
        earlier = self.tree.brought if self.tree is not None else Brought()
        every = earlier.more(diffs, constants)
        if self.tree is not None:
            self.tree.brought = every
        if not every:
            return
        fresh = {k: place for k, place in every.keys.items() if k not in earlier.keys}
        self.fields += [FieldHint("", k, "bool", place) for k, place in fresh.items()]
        before, after = self._near
        for rows, brought in ((self.functions, every), (self.before, earlier)):
            rows |= {k: read_in_place(f, brought) for k, f in rows.items()}
        self._near = (
            [read_in_place(f, earlier) for f in before],
            [read_in_place(f, every) for f in after],
        )

    def _call_as_before(self, constants: dict[str, str]) -> None:
        """What has another name now, or since an earlier patch of the series, has its first one."""
        fresh = [f for k, f in self.functions.items() if k not in self.before]
        functions = renamed_functions(self.removed.values(), fresh, *self._near)
        self.notes += [f"{new}() is {old}() under another name" for new, old in functions.items()]
        earlier = dict(self.tree.renamed) if self.tree is not None else {}
        new = {n: earlier.get(o, o) for n, o in (functions | constants).items()}
        every = earlier | new
        if not every:
            return
        if self.tree is not None:
            self.tree.renamed = every

        def named(rows: dict[Key, CFunction], names: dict[str, str]) -> dict[Key, CFunction]:
            return {(p, names.get(n, n)): under_old_names(f, names) for (p, n), f in rows.items()}

        self.functions = named(self.functions, every)
        self.before, self.removed = named(self.before, earlier), named(self.removed, earlier)
        for key in self.removed.keys() & self.functions.keys():
            del self.removed[key]
        before, after = self._near
        self._near = (
            [under_old_names(f, earlier) for f in before],
            [under_old_names(f, every) for f in after],
        )

    @property
    def near(self) -> Near:
        """What stands in the files of the patch; helpers are found there."""
        renamed = {}
        gone = [*self._gone, *self._callbacks[0]]
        for f in (*self.fields, *self._callbacks[1]):
            same = [g for g in gone if (g.struct, g.ctype) == (f.struct, f.ctype)]
            if len(same) == 1 and f.name != same[0].name:
                renamed[f.name] = same[0].name
        left = {*(f.name for f in self.fields), *renamed.values()}
        out = tuple(f"{f.struct}.{f.name}" for f in self._gone if f.name not in left)
        return Near(tuple(self._near[0]), tuple(self._near[1]), renamed, out, self.tree)

    def _file(self, d: FileDiff) -> None:
        if not d.old and d.new:
            self._new_file(d)
        elif self.tree is not None and d.path:
            self._apply(d)
        else:
            self._alone(d)

    def _new_file(self, d: FileDiff) -> None:
        for h in d.hunks:
            text, changed = new_image(h)
            self._take(d.path, text, changed)
            if self.tree is not None:
                self.tree.files[d.path] = text

    def _apply(self, d: FileDiff) -> None:
        assert self.tree is not None
        base = self.tree.text(d.old or d.path, d.hunks[0])
        changed: set[int] = set()
        try:
            after = apply_hunks(d, base, changed, self.notes)
        except InputError:
            base, after, changed = self._taken_back(d, base)
        before = find_c_functions("\n".join(base.c), base.at)
        self.tree.files[d.path] = after
        self._near[0].extend(before)
        known = len(self._near[1])
        self._was(d.path, before, self._take(d.path, after, changed))
        found = self._near[1][known:]
        was, now = _arms(base, before), _arms(after, found)
        other = [f for f in found if was.get(f.name, now[f.name]) != now[f.name]]
        self.rearmed += [replace(f, path=d.path) for f in other]
        if other:
            names = ", ".join(f"{f.name}()" for f in other)
            self.notes.append(f"{d.path}: the #if around {names} is another: not judged")

    def _taken_back(self, d: FileDiff, base: Text) -> tuple[Text, Text, set[int]]:
        """A file that has the patch already: as it was before it, and as it is.

        Where it has not, as it is with the hunks that apply; raises InputError LP0234 where one
        that does not has no place of its own.
        """
        try:
            old = apply_hunks(reversed_hunks(d), base, set())
        except InputError:
            return self._what_applies(d, base)
        changed: set[int] = set()
        after = apply_hunks(d, old, changed)
        self.notes.append(
            f"{d.path}: the tree has this change already; it is judged against the file without it"
        )
        return old, after, changed

    def _what_applies(self, d: FileDiff, base: Text) -> tuple[Text, Text, set[int]]:
        """The file without the hunks that do not apply; each is of a function, or declares some.

        Raises InputError LP0234 where there is another, or where none applies.
        """
        left: list[tuple[Hunk, InputError]] = []
        changed: set[int] = set()
        after = apply_hunks(d, base, changed, self.notes, left)
        for hunk, error in left:
            named = named_in(hunk)
            if d.path.endswith(".h") and only_declares(hunk):
                self.notes.append(f"{error.what}; it only declares functions, and is left out")
            elif named and len(left) < len(d.hunks):
                self.unread.append(Unread(d.path, error, named[1]))
            else:
                raise error
        return base, after, changed

    def _was(self, path: str, before: list[CFunction], now: set[str]) -> None:
        """Enter the functions as they were; those that are not there any more are removed."""
        for f in before:
            key = (path, f.name)
            self.before.setdefault(key, replace(f, path=path))  # a file may be there twice
            if f.name not in now:
                self.removed[key] = self.before[key]

    def _take(self, path: str, text: Text, changed: set[int], whole_only: bool = False) -> set[str]:
        """Enter the functions with a changed line; return the names of all that are there."""
        found = find_c_functions("\n".join(text.c), text.at, whole_only=whole_only)
        self._near[1].extend(found)
        index = {id(ln): i for i, ln in enumerate(text.at)}
        for f in found:
            first, last = index[id(f.lines[0])], index[id(f.lines[-1])]
            if any(first <= i <= last for i in changed):
                self.functions[path, f.name] = replace(f, path=path)
                changed -= set(range(first, last + 1))
        return {f.name for f in found}

    def _alone(self, d: FileDiff) -> None:
        """Without a tree: only functions that stand whole in a hunk; the rest needs the tree."""
        for h in d.hunks:
            text, changed = new_image(h)
            old = old_image(h)
            was = find_c_functions("\n".join(old.c), old.at, whole_only=True)
            self._near[0].extend(was)
            self._was(d.path, was, self._take(d.path, text, changed, whole_only=True))
            left = [i for i in changed if i < len(text.c) and text.c[i].strip()]
            gone = [i for i in changed if i >= len(text.c)]
            if not left and not gone:
                continue
            if d.path.endswith(".h") or not (_inside_function(h, text, min(changed))):
                line = h.at.number
                self.notes.append(f"{d.path}: hunk at line {line} changes no function body")
            else:
                self._partial.append((d, h))

    def _needs_tree(self, partial: list[tuple[FileDiff, Hunk]]) -> InputError:
        d, h = partial[0]
        many = len(partial)
        name = _HEADING_FN.search(h.heading)
        return InputError(
            "LP0236",
            f"{many} hunk{'s' if many > 1 else ''} hold only a part of a function"
            if many > 1
            else "1 hunk holds only a part of a function",
            span=Span(h.at.file, h.at.number, 1, len(h.at.text)),
            line_text=h.at.text,
            got=f"a part of {name[1]} in {d.path}" if name else f"a part of {d.path or 'a file'}",
            expected="whole functions, or the kernel tree that the patch is for",
            next="add --tree DIR, the kernel source tree that the patch applies to; or make the"
            " patch with git format-patch -W, which shows whole functions and needs no tree",
        )

    def _struct_at(self, d: FileDiff, h: Hunk) -> str:
        """The struct in which a hunk begins: by its heading; where it has none, by the tree."""
        lines = [h.heading]
        if not h.heading and self.tree is not None and d.old:
            try:
                lines = self.tree.text(d.old, h).c[: h.old_start]
            except InputError:
                return ""
        opened = (re.match(r"struct (\w+) \{|\}", text) for text in reversed(lines))
        last = next((m for m in opened if m), None)
        return (last[1] or "") if last else ""

    def _fields(self, d: FileDiff) -> None:
        """Note ``+ type name;`` lines inside a struct, and variables of a whole file."""
        for h in d.hunks:
            name = self._struct_at(d, h)
            for kind, text, where in h.body:
                v = _VARIABLE.match(text) if kind == "+" else None
                if v:
                    ctype = PER_CPU_TYPE + v["percpu"] if v["its"] else v["plain"]
                    place = f"{where.file}:{where.number}"
                    self.fields.append(FieldHint("", v["its"] or v["name"], ctype, place))
                opened = re.match(r"struct (\w+) \{", text)
                if opened:
                    name = opened[1]
                elif text.startswith("}"):
                    name = ""
                c = _CALLBACK.match(text) if kind in "+-" and name else None
                if c:
                    hint = FieldHint(name, c[2], c[1] + c[3], f"{where.file}:{where.number}")
                    self._callbacks[kind == "+"].append(hint)
                m = _FIELD.match(text) if kind in "+-" and name else None
                if m and m[1].split()[0] not in ("return", "goto"):
                    place = f"{where.file}:{where.number}"
                    into = self.fields if kind == "+" else self._gone
                    into.append(FieldHint(name, m[2], " ".join(m[1].split()), place))


_IF = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")


def _arms(text: Text, functions: Sequence[CFunction]) -> dict[str, tuple[str, ...]]:
    """Per function, the arms of an ``#if`` that it stands in."""
    names = {id(f.lines[0]): f.name for f in functions}
    out: dict[str, tuple[str, ...]] = {}
    arms: list[str] = []
    for t, ln in zip(text.c, text.at, strict=True):
        m = _IF.match(t)
        said = " ".join(t.split())
        if m and m[1].startswith("if"):
            arms.append(said)
        elif m and arms:
            top = arms.pop()
            arms += [] if m[1] == "endif" else [f"{top} {said}"]
        if id(ln) in names:
            out[names[id(ln)]] = tuple(arms)
    return out


def _same(a: CFunction, b: CFunction) -> bool:
    return a.text.split() == b.text.split() and other_arms(a) == other_arms(b)


def _inside_function(h: Hunk, text: Text, at: int) -> bool:
    """Whether a change at line ``at`` of a hunk may be inside a function's body."""
    for t in reversed(text.c[:at]):
        if t.startswith("{"):
            return True
        if t.startswith("}"):
            return False
    if _HEADING_FN.search(h.heading):
        return True
    return not h.heading
