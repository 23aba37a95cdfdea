"""The kernel's C beside the specification: which line of it stands for which of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import InputError
from ..check.mirrors import find_in_tree, mirrored

_WORD = re.compile(r"[A-Za-z_]\w+")
# Words that say nothing of which statement it is.
COMMON = frozenset(
    (
        *("if", "else", "while", "for", "return", "and", "or", "not", "vcpu", "addr"),
        *("True", "False", "NULL", "true", "false"),
    )
)
LEAST = 0.34


@dataclass(frozen=True, slots=True)
class KernelText:
    """A kernel source tree whose functions are shown beside ours."""

    tree: Path

    def beside(self, functions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Per function of the specification the C that it mirrors, with the line of it for ours.

        :raises InputError: LP0235, the tree is none, or has none of them
        """
        wanted, ours = {}, {}
        for name, f in functions.items():
            docs = mirrored(f["text"])
            if docs:
                c = name if name in docs else next(iter(docs))
                wanted[c], ours[name] = docs[c], c
        found = find_in_tree(self.tree, wanted)
        out = {}
        for name, c in ours.items():
            if c in found:
                # As it stands in the file, comments and all.
                text = "\n".join(ln.text for ln in found[c].lines)
                first = found[c].lines[0].number
                out[name] = {"path": found[c].path, "first": first, "text": text}
                out[name]["map"] = line_map(functions[name], text, first)
        if not out:
            raise InputError(
                "LP0235",
                f"no function of the program in {self.tree}",
                expected="a Linux source tree",
            )
        return out


def line_map(ours: Mapping[str, Any], text: str, first: int) -> dict[int, int]:
    """Per line of ours the line of the C that says most of the same words, in order."""
    rows = [frozenset(_WORD.findall(r)) - COMMON for r in text.split("\n")]
    out, at, doc = {}, 0, False
    for k, row in enumerate(ours["text"].split("\n")):
        quotes = row.count('"""')
        if doc or quotes:
            doc = doc if quotes != 1 else not doc
            continue
        words = frozenset(_WORD.findall(row)) - COMMON
        if not words or not k:
            continue
        scores = [
            (len(words & r) / len(words | r) if r else 0.0, -abs(i - at))
            for i, r in enumerate(rows)
        ]
        best = max(range(len(rows)), key=lambda i: scores[i])
        if scores[best][0] >= LEAST:
            out[ours["first"] + k] = first + best
            at = best
    return out
