"""A range of commits, each a patch on its parent: from git's objects, with nothing checked out."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...base.errors import InputError
from ...base.source import Span
from ..cfront import Line
from .diff import Hunk, Text
from .patch import Patch
from .read import read_text
from .series import Tree


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the range that touches the paths asked for."""

    repo: Path
    sha: str
    subject: str

    def read(self) -> list[Patch]:
        """Its patch, on its parent's tree; none where it changes no file.

        :raises LoadputError: C that is cut off, or a file that the parent does not have
        """
        words = ("diff-tree", "-p", "--no-color", "--no-renames", f"{self.sha}^", self.sha)
        text = git(self.repo, *words)
        if not text.strip():
            return []
        read = read_text(text, self.sha[:12], _Parent(self.repo, self.sha))
        return [replace(p, title=self.subject) for p in read]


class _Parent(Tree):
    """The tree of a commit's parent, file by file."""

    def __init__(self, repo: Path, sha: str) -> None:
        super().__init__(repo)
        self.repo, self.sha = repo, sha

    def holding(self, word: str, rooms: Sequence[str]) -> dict[str, str]:
        try:
            at = f"{self.sha}^"
            found = git(self.repo, "grep", "-l", "-w", "-F", word, at, "--", *rooms)
            paths = [ln.partition(":")[2] for ln in found.split() if ln.endswith((".c", ".h"))]
            return {p: git(self.repo, "show", f"{at}:{p}") for p in paths[:8]}
        except InputError:
            return {}

    def text(self, path: str, hunk: Hunk) -> Text:
        if path not in self.files:
            try:
                c = git(self.repo, "show", f"{self.sha}^:{path}").split("\n")
            except InputError:
                raise InputError(
                    "LP0235",
                    f"{path} is not in the parent of {self.sha[:12]}",
                    span=Span(hunk.at.file, hunk.at.number),
                    line_text=hunk.at.text,
                ) from None
            self.files[path] = Text(c, [Line(path, i, t) for i, t in enumerate(c, 1)])
        return self.files[path]


def git(repo: Path, *words: str) -> str:
    """What git prints; raises InputError LP0237 with its message."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repo), "--no-pager", *words],
            capture_output=True,
            check=False,
            timeout=600,
        )
    except (OSError, subprocess.TimeoutExpired) as e:
        raise InputError("LP0237", f"git cannot be run: {e}") from None
    if done.returncode:
        told = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise InputError(
            "LP0237",
            f"git {words[0]} in {repo}: {told[:200]}",
            expected="a git repository, and a range of commits such as v6.12..v6.13",
        )
    return done.stdout.decode("utf-8", "replace")


def read_range(repo: str | Path, revs: str, paths: Sequence[str]) -> Iterator[Commit]:
    """Each commit of ``revs`` (``A..B``, or one commit) that touches ``paths``, oldest first.

    :raises InputError: LP0237, no repository or no such commits
    """
    top = Path(repo)
    span = revs if ".." in revs else f"{revs}^!"
    shas = git(top, "rev-list", "--reverse", "--no-merges", span, "--", *paths).split()
    for sha in shas:
        yield Commit(top, sha, git(top, "show", "-s", "--format=%s", sha).strip())
