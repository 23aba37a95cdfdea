"""Plain-text mail: which lines are the author's own, and the C among them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..cfront import CFunction, Line, find_c_functions

_QUOTE = re.compile(r"\s?(?:>|\w{1,3}> )")
_ATTRIBUTION = re.compile(r"(?:On\b.*|.*@.*|.*\d{4}.*|.* )\bwrote:\s*$|.*\bwrites:\s*$")
_FOOTER = re.compile(
    r"_{20,}\s*$|More information about the .* mailing list|To unsubscribe from this list|"
    r".* mailing list\s*$|https?://\S*(?:mailman|listinfo)\S*\s*$"
)
_DASH = re.compile(r"-- ?$")
_LINK = re.compile(r"<?https?://\S+>?\s*$")


@dataclass(frozen=True, slots=True)
class OwnText:
    """A mail's lines with what is not the author's own blanked, so that places stay."""

    lines: tuple[Line, ...]
    own: tuple[str, ...]
    quoted: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """The author's own text, same lines."""
        return "\n".join(self.own)


def split_mail(lines: list[Line]) -> OwnText:
    """Separate the author's own lines from quotes, attributions, signature and list footer."""
    own, quoted = [ln.text[ln.shift :] for ln in lines], [""] * len(lines)
    quotes = attributions = 0
    for i, text in enumerate(own):
        if _QUOTE.match(text):
            own[i], quoted[i] = "", re.sub(r"^(?:\s?>)+ ?", "", text)
            quotes += 1
        elif text[:1] not in "+- \t*" and _ATTRIBUTION.match(text) and len(text) < 200:
            own[i] = ""
            attributions += 1
    notes = []
    end = _signature_at(own)
    if end < len(own):
        notes.append(f"signature from line {lines[end].number} is not code")
        own[end:] = [""] * (len(own) - end)
    foot = _footer_at(own)
    if foot < len(own):
        notes.append(f"list footer from line {lines[foot].number} is not code")
        own[foot:] = [""] * (len(own) - foot)
    if quotes:
        what = "line is" if quotes == 1 else "lines are"
        notes.insert(0, f"{quotes} quoted {what} not code")
    return OwnText(tuple(lines), tuple(own), tuple(quoted), tuple(notes))


def _signature_at(own: list[str]) -> int:
    """Index of the ``-- `` that opens the signature; only the last one, with no code after it."""
    for i in range(len(own) - 1, -1, -1):
        if _DASH.match(own[i]):
            rest = [t for t in own[i + 1 :] if t.strip()]
            return (
                i
                if not any(re.match(r"[{}]|diff --git|@@ -|--- a/", t) for t in rest)
                else len(own)
            )
    return len(own)


def _footer_at(own: list[str]) -> int:
    """Index of the first line of a list footer at the end, or the number of lines."""
    at = len(own)
    for i in range(len(own) - 1, -1, -1):
        text = own[i].strip()
        if _FOOTER.match(text):
            at = i
        elif text and not _LINK.match(text):
            break
    return at


def find_in_mail(mail: OwnText, own: str | None = None) -> list[CFunction]:
    """The C functions that the author wrote; raises SourceError where one is cut off."""
    return find_c_functions(mail.text if own is None else own, mail.lines, prose=True)


def find_quoted(mail: OwnText) -> list[CFunction]:
    """The C functions that stand in quoted text: never used, named in the error."""
    text = "\n".join(mail.quoted)
    return find_c_functions(text, mail.lines, prose=True, whole_only=True)
