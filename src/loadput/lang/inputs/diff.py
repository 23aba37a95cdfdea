"""Unified diffs: read from a mail, applied to a tree in memory, or read for whole functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...base.errors import InputError
from ...base.source import Span
from ..cfront import Line

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)")
_START = re.compile(r"diff --git \S+ \S+|--- (?:\S+/\S+|/dev/null)|@@ -\d+(?:,\d+)? \+\d+")


@dataclass(slots=True)
class Hunk:
    """One hunk: ``body`` holds (``+``, ``-`` or space; the C text; where it stands)."""

    at: Line
    old_start: int
    heading: str
    body: list[tuple[str, str, Line]] = field(default_factory=list)

    @property
    def old(self) -> list[str]:
        """The lines it expects to find."""
        return [t for k, t, _ in self.body if k != "+"]


@dataclass(slots=True)
class FileDiff:
    """The hunks for one file; ``old`` is "" for a new file, ``new`` "" for a deleted one."""

    old: str
    new: str
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path in the tree."""
        return self.new or self.old


def has_diff(text: str) -> bool:
    """Whether some line starts a diff."""
    return any(_START.match(t) for t in text.split("\n"))


def _bad(code: str, what: str, line: Line, **more: str) -> InputError:
    span = Span(line.file, line.number, 1, max(1, len(line.text)))
    return InputError(code, what, span=span, line_text=line.text, **more)


def parse_diff(own: list[str], lines: list[Line]) -> tuple[list[FileDiff], list[str]]:
    """Return the file diffs, and the text with their lines blanked.

    :param own: the text of each line; :param lines: where it stands
    :raises InputError: LP0232 truncated hunk, LP0233 broken hunk
    """
    out: list[FileDiff] = []
    rest = list(own)
    i = 0
    while i < len(own):
        text = own[i]
        m = _HUNK.match(text)
        if m:
            if not out:
                out.append(FileDiff("", ""))
            hunk, end = _parse_hunk(own, lines, i, m, out[-1].path)
            out[-1].hunks.append(hunk)
        elif text.startswith("--- ") and i + 1 < len(own) and own[i + 1].startswith("+++ "):
            out.append(FileDiff(_path(text), _path(own[i + 1])))
            end = i + 2
        elif re.match(r"diff --git |index [0-9a-f]+\.\.|(new|deleted) file mode|similarity ", text):
            end = i + 1
        else:
            i += 1
            continue
        rest[i:end] = [""] * (end - i)
        i = end
    cut = next((f for f in out if not f.hunks), None)
    moved = any(t.startswith("rename from ") for t in own)  # a file alone: no line is another
    if cut is not None or (not out and has_diff("\n".join(own)) and not moved):
        last = next((ln for ln in reversed(lines) if ln.text.strip()), lines[-1])
        name = f" for {cut.path}" if cut else ""
        raise _bad("LP0232", f"truncated diff: no hunk{name}", last, expected="@@ -a,b +c,d @@")
    return out, rest


# What stands at the top of a kernel tree: tells how many parts of a path are in front of it.
_TOP = """
    arch block crypto drivers fs include init io_uring ipc kernel lib mm net rust samples scripts
    security sound tools usr virt Documentation
"""
TOP = frozenset(_TOP.split())


def _path(text: str) -> str:
    """The path in the tree: without ``a/``, ``linux.orig/`` and the like, with any ``-p``."""
    name = text[4:].split("\t")[0].strip().strip('"')
    if name == "/dev/null":
        return ""
    parts = name.lstrip("/").split("/")
    for i, part in enumerate(parts[:-1]):
        if part in TOP:
            return "/".join(parts[i:])
    return re.sub(r"^[abciw]/", "", name)


def _parse_hunk(
    own: list[str], lines: list[Line], at: int, m: re.Match[str], path: str
) -> tuple[Hunk, int]:
    old, new = int(m[2] or 1), int(m[4] or 1)
    hunk = Hunk(lines[at], int(m[1]), m[5].strip())
    i = at + 1
    end = len(own)
    while end > i and not own[end - 1].strip(" \t"):
        end -= 1  # blank lines at the very end are no context lines
    while old > 0 or new > 0:
        blank = (
            old == new <= len(own) - 1 - end and not lines[i].text.strip()
            if i < len(own)
            else False
        )
        text = own[i] if i < end or blank else None
        if text == "" and lines[i].text.strip():
            text = None  # a signature or a quote, blanked
        kind = " " if text == "" else (text or "?")[0]
        if text is None or _START.match(text) or re.match(r"-- ?$", text):
            last = next((ln for ln in reversed(lines[:i]) if ln.text.strip()), lines[at])
            raise _bad(
                "LP0232",
                f"truncated diff: hunk '@@ -{m[1]}' of {path or 'an unnamed file'}",
                last,
                got=f"the end, with {max(old, new)} of its lines missing",
                expected="every line that the '@@' line counts",
                next="save the whole patch (b4 am, git format-patch)",
            )
        if kind == "\\":
            i += 1
            continue
        if kind not in "+- ":
            raise _bad(
                "LP0233",
                f"line in a hunk that is no part of a diff, in {path or 'an unnamed file'}",
                lines[i],
                expected="'+', '-' or a space in front (a mailer that wraps breaks diffs)",
                next="save the patch as it was sent (b4 am, git format-patch)",
            )
        old -= kind in "- "
        new -= kind in "+ "
        shift = lines[i].shift + (1 if text else 0)
        where = Line(lines[i].file, lines[i].number, lines[i].text, shift)
        hunk.body.append((kind, text[1:], where))
        i += 1
    if old < 0 or new < 0 or (i < len(own) and re.match(r"\+(?!\+\+ )|-(?!-)", own[i])):
        raise _bad(
            "LP0233",
            f"hunk '@@ -{m[1]}' of {path or 'an unnamed file'} has more lines than it counts",
            hunk.at,
            expected="as many lines as the '@@' line says",
        )
    return hunk, i


@dataclass(slots=True)
class Text:
    """A file's lines: the C text of each, and where it stands."""

    c: list[str]
    at: list[Line]


def reversed_hunks(diff: FileDiff) -> FileDiff:
    """The diff that takes ``diff`` back."""
    swap = {"+": "-", "-": "+", " ": " "}
    out = FileDiff(diff.new, diff.old)
    for h in diff.hunks:
        out.hunks.append(
            Hunk(h.at, h.old_start, h.heading, [(swap[k], t, w) for k, t, w in h.body])
        )
    return out


def apply_hunks(
    diff: FileDiff,
    base: Text,
    changed: set[int],
    notes: list[str] | None = None,
    left: list[tuple[Hunk, InputError]] | None = None,
) -> Text:
    """Return ``base`` with the hunks applied; fills ``changed`` with new line indexes.

    A hunk may stand some lines away from where it says, have up to two lines of context that are
    others by now, or spaces for tabs, as with patch(1); each goes to ``notes``. One that does not
    apply is left out where there is a list for it.
    :raises InputError: LP0234, a hunk that does not apply
    """
    out = Text([], [])
    done = 0
    offset = 0
    for number, hunk in enumerate(diff.hunks, 1):
        at, hunk, how = _place(hunk, base.c, done, offset)
        if at < 0:
            error = _misfit(diff, diff.hunks[number - 1], number, base)
            if left is None:
                raise error
            left.append((diff.hunks[number - 1], error))
            continue
        away = at - (hunk.old_start - 1 + offset)
        if away and hunk.old and not how:
            how = f"{abs(away)} lines {'below' if away > 0 else 'above'} where it says"
        if how and notes is not None:
            notes.append(f"{diff.path}: hunk {number} applies {how}")
        offset = at - (hunk.old_start - 1)
        out.c += base.c[done:at]
        out.at += base.at[done:at]
        done = at
        for kind, text, where in hunk.body:
            if kind == "+":
                changed.add(len(out.c))
                out.c.append(text)
                out.at.append(where)
            elif kind == "-":
                changed.add(len(out.c))
                done += 1
            else:
                out.c.append(base.c[done])
                out.at.append(base.at[done])
                done += 1
    out.c += base.c[done:]
    out.at += base.at[done:]
    return out


def _place(hunk: Hunk, have: list[str], done: int, offset: int) -> tuple[int, Hunk, str]:
    """Where a hunk applies (-1: nowhere), the hunk as it does, and what had to be overlooked."""
    near = hunk.old_start - 1 + offset
    at = _find(have, hunk.old, done, near)
    if at >= 0:
        return at, hunk, ""
    plain = [re.sub(r"\s+", " ", t).strip() for t in have]
    at = _find(plain, [re.sub(r"\s+", " ", t).strip() for t in hunk.old], done, near)
    if at >= 0:
        return at, hunk, "with blanks that are not the tree's (tabs turned to spaces)"
    for fuzz in (1, 2):
        less, cut = _without_context(hunk, fuzz)
        at = _near_by(hunk, less, have, _places(have, less.old, done), near + cut)
        if at >= 0:
            return at, less, f"with fuzz {fuzz}: context around it is another by now"
    return -1, hunk, ""


def _near_by(hunk: Hunk, less: Hunk, have: list[str], places: list[int], near: int) -> int:
    """Where a hunk without some of its context belongs; -1 where nothing tells.

    That is where lines say so that do not stand in every other function, or the one place in the
    function that the hunk names.
    """
    if len(less.old) <= 1:
        return -1
    inside = [at for at in places if _is_in_its_function(hunk, less, have, at)]
    if sum(not _ANYWHERE.match(t) for t in less.old) > 1:
        inside = inside or places
    elif named_in(hunk) and len(inside) > 1:
        return -1
    return min(inside, key=lambda i: abs(i - near), default=-1)


_ANYWHERE = re.compile(r"\s*(?:[{}]|return\b[^;]*;|break;|continue;|\w+:|else|[*/]|#|$)")
"""A line that stands in every other function, and says nothing of where a hunk belongs."""


_HEAD = re.compile(r"[A-Za-z_].*?(\w+)\(")


def _is_in_its_function(hunk: Hunk, less: Hunk, have: list[str], at: int) -> bool:
    """Whether what a hunk changes first is in the function that it says: that of its ``@@`` line,
    or the last one that begins in its own context, or with what it changes.

    :param less: the hunk without some of its context, which is found at ``at``
    """
    named = named_in(hunk)
    if named is None:
        return not all(map(_ANYWHERE.match, less.old))
    there = at + next(i for i, (k, _, _) in enumerate(less.body) if k != " ")
    heads = (m for t in reversed(have[: there + 1]) if (m := _HEAD.match(t)))
    head = next(heads, None)
    if head is None:
        return False
    is_declared = head.string.rstrip().endswith(";")  # of those there are many in a row
    return is_declared or head[1] == named[1]


def named_in(hunk: Hunk) -> re.Match[str] | None:
    """The function that a hunk says it is in; its name is the first group."""
    first = next((i for i, (k, _, _) in enumerate(hunk.body) if k != " "), len(hunk.body))
    own = [m for k, t, _ in hunk.body[: first + 1] if k != "+" and (m := _HEAD.match(t))]
    return own[-1] if own else re.search(r"(\w+)\(", hunk.heading)


def _without_context(hunk: Hunk, fuzz: int) -> tuple[Hunk, int]:
    """The hunk without up to ``fuzz`` lines of context at each end, and how many at its start."""
    first = next((i for i, (k, _, _) in enumerate(hunk.body) if k != " "), 0)
    last = next((i for i, (k, _, _) in enumerate(reversed(hunk.body)) if k != " "), 0)
    low, high = min(fuzz, first), min(fuzz, last)
    body = hunk.body[low : len(hunk.body) - high]
    return Hunk(hunk.at, hunk.old_start + low, hunk.heading, body), low


def _find(have: list[str], want: list[str], low: int, near: int) -> int:
    if not want:
        return max(low, min(near + 1, len(have)))
    return min(_places(have, want, low), key=lambda i: abs(i - near), default=-1)


def _places(have: list[str], want: list[str], low: int) -> list[int]:
    """Where the lines stand."""
    key = [t.rstrip() for t in want]
    return [
        i
        for i in range(low, len(have) - len(want) + 1)
        if have[i].rstrip() == key[0]
        and all(a.rstrip() == b for a, b in zip(have[i : i + len(key)], key, strict=True))
    ]


def _misfit(diff: FileDiff, hunk: Hunk, number: int, base: Text) -> InputError:
    """The error for a hunk that does not apply: names its first line that the file lacks."""
    have = {t.rstrip() for t in base.c}
    lost = next((w for k, t, w in hunk.body if k != "+" and t.rstrip() not in have), hunk.at)
    return _bad(
        "LP0234",
        f"hunk {number} of {diff.path} does not apply",
        lost,
        got="a line that is not in that file" if lost is not hunk.at else "lines in another order",
        expected="the tree that the patch was made for",
        next="check out the base commit of the series, or give another --tree",
    )


_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DECLARES = re.compile(r"\n*(?:[A-Za-z_]\w*[ *][\w *]*\w\([^{};()]*\);\s*?\n+)+")


def only_declares(hunk: Hunk) -> bool:
    """Whether all that a hunk changes is declarations of functions."""
    told = "".join(f"{t}\n" for k, t, _ in hunk.body if k != " ")
    return bool(_DECLARES.fullmatch(_COMMENT.sub("", told)))


def old_image(hunk: Hunk) -> Text:
    """The lines before the hunk."""
    rows = [(c, where) for kind, c, where in hunk.body if kind != "+"]
    return Text([c for c, _ in rows], [w for _, w in rows])


def new_image(hunk: Hunk) -> tuple[Text, set[int]]:
    """The lines after the hunk, and which of them it changed."""
    text, changed = Text([], []), set[int]()
    for kind, c, where in hunk.body:
        if kind != " ":
            changed.add(len(text.c))
        if kind != "-":
            text.c.append(c)
            text.at.append(where)
    return text, changed
