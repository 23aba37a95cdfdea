"""`read_input`: one file of the user's to the patches in it."""

from __future__ import annotations

import email.utils
import itertools
import re
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...base.errors import InputError
from ..cfront import Line, find_c_functions
from ..cfront.found import lines_of
from .diff import has_diff, parse_diff
from .mail import OwnText, find_in_mail, find_quoted, split_mail
from .mbox import Message, is_mbox, is_message, read_messages
from .patch import Patch
from .series import Changes, Tree

PATCHES = (".patch", ".eml", ".mbox", ".diff")
MAX_BYTES = 10 << 20  # a kernel source file or a thread's mbox is far below this
MAX_LINES = 300_000
MAX_LINE = 20_000  # no source line and no mail line is; a binary file's are
_COMMIT = re.compile(r"commit [0-9a-f]{7,40}\b")
_FILE = re.compile(r"diff --git \S+ (\S+)$")
_IN_TREE = re.compile(r"(?:^|/)((?:arch|include|kernel|virt)/(?:[\w.-]+/)*[\w.-]+\.[ch])$")


def read_input(path: str | Path, tree: str | Path | Tree | None = None) -> list[Patch]:
    """Return what the file holds, patch by patch; at least one, each with functions.

    :param path: a mail as plain text, an mbox, a unified diff, a .c or .h file; ``-`` is stdin
    :param tree: a kernel source tree that diffs apply to, in memory
    :raises InputError: LP023x, nothing usable in it
    :raises SourceError: LP0220 to LP0224, C that is cut off or broken
    """
    name = str(path)
    try:
        if name == "-":
            name, data = "standard input", sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with open(path, "rb") as f:
                data = f.read(MAX_BYTES + 1)
    except OSError as e:
        raise InputError(
            "LP0230",
            f"cannot read {name}: {e.strerror or e}",
            expected="a mail, an mbox, a unified diff or a C file; --tree takes a kernel tree",
        ) from None
    return read_text(_decode(data, name), name, tree)


def read_inputs(paths: Sequence[str | Path], tree: str | Path | None = None) -> list[Patch]:
    """The patches of several files, in order, each on what those before it left.

    A directory stands for its patches, sorted by name, as ``git am`` takes them.
    :raises InputError: LP0230, a directory without patches; and as `read_input`
    """
    base = Tree(Path(tree)) if tree is not None else None
    files = _files(paths)
    out: list[Patch] = []
    idle: list[InputError] = []
    for f in files:
        try:
            out += read_input(f, base)
        except InputError as e:
            if e.code != "LP0230" or len(files) == 1 or Path(f).suffix in (".c", ".h"):
                raise
            idle.append(e)  # a cover letter among patches
    if not out and idle:
        raise idle[0]
    if idle:
        skipped = tuple(f"skipped: {e.what}" for e in idle)
        out[0] = replace(out[0], notes=(*skipped, *out[0].notes))
    return out


def _files(paths: Sequence[str | Path]) -> list[str | Path]:
    out: list[str | Path] = []
    for path in paths:
        if str(path) == "-" or not Path(path).is_dir():
            out.append(path)
            continue
        inside = sorted(f for f in Path(path).iterdir() if f.suffix in PATCHES and f.is_file())
        if not inside:
            raise InputError(
                "LP0230",
                f"the directory {path} holds no patch",
                expected=f"files that end in {', '.join(PATCHES)}",
                next="--tree takes a kernel tree",
            )
        out += inside
    return out


def _decode(data: bytes, name: str) -> str:
    """The file as text; raises InputError (LP0230, LP0231) where it is none."""
    if data[:2] == b"\x1f\x8b":
        unpack = zlib.decompressobj(31)
        try:
            data = unpack.decompress(data, MAX_BYTES + 1)
        except zlib.error:
            raise InputError("LP0231", f"{name}: broken gzip file") from None
        if not unpack.eof and len(data) <= MAX_BYTES:
            raise InputError("LP0231", f"{name}: truncated gzip file")
    if len(data) > MAX_BYTES:
        raise InputError("LP0231", f"{name} is larger than {MAX_BYTES >> 20} MB")
    expected = "a mail, an mbox, a unified diff or a C file, as text"
    if not data.strip():
        raise InputError("LP0230", f"{name} is empty", expected=expected)
    zeros = data.count(0)
    if zeros:
        what = "holds nothing but NUL bytes" if zeros == len(data) else "is a binary file"
        raise InputError("LP0231", f"{name} {what}", got=f"{zeros} NUL bytes", expected=expected)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    odd = sum(data.count(bytes([c])) for c in (*range(1, 9), *range(14, 27), 127))
    if odd > 8 and odd * 100 > len(data):
        raise InputError("LP0231", f"{name} is a binary file", expected=expected)
    text = re.sub(r"\r\n?", "\n", text)
    lines = text.count("\n") + 1
    if lines > MAX_LINES:
        raise InputError("LP0231", f"{name} has {lines} lines", expected=f"at most {MAX_LINES}")
    long = max(map(len, text.split("\n")))
    if long > MAX_LINE:
        raise InputError("LP0231", f"{name} has a line of {long} characters", expected=expected)
    return text


def read_text(text: str, name: str, tree: str | Path | Tree | None = None) -> list[Patch]:
    """`read_input` on text that is in memory; ``name`` is what places show."""
    base = tree if isinstance(tree, Tree) or tree is None else Tree(Path(tree))
    if name.endswith((".c", ".h")) and not is_mbox(text):
        return [_c_file(text, name)]
    if is_mbox(text) or is_message(text):
        return _mbox(text, name, base)
    lines = lines_of(text, name)
    if _looks_like_c(text):
        return [_c_file(text, name)]
    found = []
    for part, title in _parts(lines):
        patch = _one(part, name, title or _title(text, name), base)
        if patch is not None:
            found.append(patch)
    if not found:
        raise _no_code(split_mail(lines), name)
    return found


def _parts(lines: list[Line]) -> list[tuple[list[Line], str]]:
    """The patches of a text without mail headers, each with its title; several in `git log -p`.

    A file that is changed twice begins another patch. `git log` shows the newest first.
    """
    starts = [i for i, ln in enumerate(lines) if _COMMIT.match(ln.text)]
    if starts:
        spans = list(itertools.pairwise([*starts, len(lines)]))
        parts = [_blank(lines, a, b) for a, b in spans]
        titles = [_subject(lines[a:b]) for a, b in spans]
        dates = [_date(p) for p in parts]
        order = list(zip(parts, titles, strict=True))
        known = None not in dates
        oldest_first = known and dates == sorted(d for d in dates if d is not None)
        return order if oldest_first and len(set(dates)) > 1 else order[::-1]
    seen: set[str] = set()
    cuts = [0]
    for i, path in _files_of(lines):
        if path in seen:
            cuts.append(i)
            seen.clear()
        seen.add(path)
    if len(cuts) == 1:
        return [(lines, "")]
    ends = [*cuts[1:], len(lines)]
    return [
        (_blank(lines, a, b), f"part {n} of {len(cuts)}")
        for n, (a, b) in enumerate(zip(cuts, ends, strict=True), 1)
    ]


def _files_of(lines: list[Line]) -> Iterator[tuple[int, str]]:
    """Where the diff of each file begins, and the file: ``diff --git``, else its ``---`` line."""
    git = False
    for i, ln in enumerate(lines):
        m = _FILE.match(ln.text)
        if m:
            git = True
            yield i, m[1]
        elif ln.text.startswith("--- ") and _is_head(lines[i + 1 : i + 3]):
            if not git:
                yield i, lines[i + 1].text[4:].partition("\t")[0].strip()
            git = False


def _is_head(after: list[Line]) -> bool:
    return [ln.text[:3] for ln in after] == ["+++", "@@ "]


def _blank(lines: list[Line], low: int, high: int) -> list[Line]:
    """The lines with all but ``low`` to ``high`` blanked, so that places stay."""
    return [ln if low <= i < high else replace(ln, text="", shift=0) for i, ln in enumerate(lines)]


def _subject(lines: list[Line]) -> str:
    return next((ln.text.strip() for ln in lines if ln.text.startswith("    ")), "")[:200]


def _date(lines: list[Line]) -> float | None:
    """The date that a commit of `git log` has."""
    text = next((ln.text[5:] for ln in lines if ln.text.startswith("Date:")), "")
    parsed = email.utils.parsedate_tz(text)
    return email.utils.mktime_tz(parsed) if parsed else None


def _looks_like_c(text: str) -> bool:
    return bool(re.match(r"\s*(?:/\*|//|#include\b|#define\b)", text)) and not has_diff(text)


def _title(text: str, name: str) -> str:
    first = next((t.strip() for t in text.split("\n") if t.strip()), name)
    return Path(name).name if has_diff(first) or first.startswith(("diff ", "---")) else first[:200]


def _c_file(text: str, name: str) -> Patch:
    lines = lines_of(text, name)
    found = find_c_functions(text, lines)
    if not found:
        raise InputError(
            "LP0230",
            f"{name} defines no function",
            expected="at least one C function with its body",
        )
    at = _IN_TREE.search(name)
    path = at[1] if at else ""
    return Patch(Path(name).name, "c", name, tuple(replace(f, path=path) for f in found))


def _one(
    lines: list[Line], name: str, title: str, tree: Tree | None, *, in_series: bool = False
) -> Patch | None:
    """The patch in one message's text, or None where there is no code.

    :param in_series: a diff that changes no function is a patch without functions, no error
    """
    mail = split_mail(lines)
    changes = Changes(tree)
    own = list(mail.own)
    kind = "mail"
    if has_diff(mail.text):
        diffs, own = parse_diff(own, lines)
        changes.read(diffs)
        pure = not any(t.strip() for t in own[: _first_diff(mail)])
        kind = "diff" if pure else "mail"
    prose = find_in_mail(mail, "\n".join(own))
    functions = list(changes.functions.values())
    named = {f.name for f in functions}
    functions += [f for f in prose if f.name not in named]
    if not functions and not changes.removed:
        if changes.unread and not in_series:
            raise changes.unread[0].error
        if has_diff(mail.text):
            return Patch(
                title, kind, name, (), (), tuple(changes.fields), tuple(changes.notes), (),
                tuple(changes.unread), changes.only_comments,
            )  # fmt: skip
        return None
    notes = (*mail.notes, *changes.notes)
    return Patch(
        title, kind, name, tuple(functions), tuple(changes.removed.values()),
        tuple(changes.fields), notes, tuple(changes.before.values()), tuple(changes.unread),
        near=changes.near, rearmed=tuple(changes.rearmed),
    )  # fmt: skip


def _first_diff(mail: OwnText) -> int:
    return next((i for i, t in enumerate(mail.own) if has_diff(t)), len(mail.own))


def _no_code(mail: OwnText, name: str) -> InputError:
    if has_diff("\n".join(mail.quoted)):
        return InputError(
            "LP0230",
            f"{name} quotes a patch and holds no code of its own: a reply",
            expected="the patch itself, not in quoted (>) lines",
            next="give the message that it replies to",
        )
    quoted = find_quoted(mail)
    names = ", ".join(f"{f.name} (line {f.lines[0].number})" for f in quoted[:4])
    return InputError(
        "LP0230",
        f"{name} holds no C function of its own",
        got=f"only in quoted text: {names}" if quoted else "text without a function definition",
        expected="a function with its body, not in quoted (>) lines, or a diff",
        next="remove the '> ' in front of the code that you mean" if quoted else None,
    )


def _mbox(text: str, name: str, tree: Tree | None) -> list[Patch]:
    messages = read_messages(text, name)
    out: list[Patch] = []
    skipped: list[str] = []
    idle: list[Patch] = []  # patches that change no function: the next one carries their fields
    several = len(messages) > 1
    for m in messages:
        patch = _one(list(m.lines), name, m.subject, tree, in_series=several) if m.lines else None
        if patch is None:
            skipped.append(_skip_note(m))
            continue
        if several and not patch.functions and not patch.removed and not patch.unread:
            skipped.append(f"changes no function, not judged alone: {m.subject}")
            idle.append(patch)
            continue
        kind = "mbox patch" if has_diff("\n".join(ln.text for ln in m.lines)) else "mail"
        fields = tuple(f for p in (*idle, patch) for f in p.fields)
        out.append(replace(patch, title=m.subject, kind=kind, fields=fields))
        idle.clear()
    if not out and len(messages) == 1:
        raise _no_code(split_mail(list(messages[0].lines)), name)
    if not out:
        raise InputError(
            "LP0230",
            f"none of the {len(messages)} messages in {name} holds C code of its own",
            expected="a patch, or a function with its body",
        )
    if skipped:
        out[0] = replace(out[0], notes=(*skipped, *out[0].notes))
    return out


def _skip_note(m: Message) -> str:
    what = "cover letter" if m.number == 0 else "reply" if m.is_reply else "message"
    return f"{what} without code skipped: {m.subject}"
