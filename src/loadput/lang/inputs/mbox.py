"""Messages of an mbox or a saved mail: headers read, transfer encodings undone."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from email.message import EmailMessage

from ..cfront import Line
from .diff import has_diff

_FROM = re.compile(r"^From \S+.*\d{4}\s*$")
_HEADER = re.compile(
    r"^(From|To|Cc|Subject|Date|Message-I[dD]|Return-Path|Received|MIME-Version): ?"
)
_NUMBER = re.compile(r"\[[^\]]*?\b(\d+)/(\d+)\s*\]")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its subject and the lines of its text, with their places.

    :param number: n of ``[PATCH n/m]``, -1 where there is none
    """

    subject: str
    lines: tuple[Line, ...]
    number: int
    is_reply: bool


def is_mbox(text: str) -> bool:
    """Whether the text starts as an mbox does."""
    return bool(_FROM.match(text.split("\n", 1)[0])) or text.startswith("From mboxrd@")


def is_message(text: str) -> bool:
    """Whether the text starts with mail headers."""
    head = text.split("\n\n", 1)[0].split("\n")[:80]
    return sum(bool(_HEADER.match(ln)) for ln in head) >= 2 and ":" in head[0]


def read_messages(text: str, file: str) -> list[Message]:
    """Every message, patches of a series in their order."""
    rows = text.split("\n")
    starts = [
        i for i, t in enumerate(rows) if _FROM.match(t) and (i == 0 or not rows[i - 1].strip())
    ]
    if not starts:
        starts = [0]
    out = []
    for n, at in enumerate(starts):
        end = starts[n + 1] if n + 1 < len(starts) else len(rows)
        head = at + 1 if _FROM.match(rows[at]) else at
        out.append(_message(rows[head:end], head, file, n + 1))
    return sorted(out, key=lambda m: (m.number < 0, m.number))


def _message(rows: list[str], offset: int, file: str, count: int) -> Message:
    raw = "\n".join(rows)
    parsed = email.message_from_bytes(raw.encode("utf-8", "replace"), policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    subject = _header(parsed, "subject") or f"message {count}"
    m = _NUMBER.search(subject)
    lines = tuple(_body_lines(parsed, rows, offset, file, count))
    number = int(m[1]) if m else -1
    return Message(subject, lines, number, bool(re.match(r"(?i)re:", subject)))


def _header(parsed: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(parsed.get(name, "")).split())
    except Exception:  # a header that the email package cannot parse: no subject
        return ""


def _body_lines(
    parsed: EmailMessage, rows: list[str], offset: int, file: str, count: int
) -> list[Line]:
    out: list[Line] = []
    for part in parsed.walk():
        if part.is_multipart() or part.get_content_subtype() == "html":
            continue
        data = part.get_payload(decode=True)
        body = data.decode("utf-8", "replace") if isinstance(data, bytes) else ""
        if part.get_content_maintype() != "text" and not has_diff(body):
            continue
        body = body.replace("\r\n", "\n").rstrip("\n")
        lines = body.split("\n")
        at = _locate(lines, rows)
        decoded = f"{file}[message {count}, decoded]"
        for i, t in enumerate(lines):
            number, name = (offset + at + i + 1, file) if at >= 0 else (i + 1, decoded)
            out.append(Line(name, number, t))
    return out


def _locate(lines: list[str], rows: list[str]) -> int:
    """Index of the body in the raw message, or -1 where an encoding changed it."""
    key = [t.rstrip() for t in lines]
    for i in range(len(rows) - len(key) + 1):
        if rows[i].rstrip() == key[0] and [t.rstrip() for t in rows[i : i + len(key)]] == key:
            if i > 0:  # never the header block itself
                return i
    return -1
