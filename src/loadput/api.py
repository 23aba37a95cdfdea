"""What the command line does, for Python: typed results, the same engines.

>>> r = check(Choice("riscv"), load_scenario("one"))
>>> r.verdict
'holds'
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .base.clock import untimed
from .base.errors import LoadputError
from .check.bounds import bounded
from .check.compare import compare
from .check.drift import TreeDrift, drift_of
from .check.follow import Followup, follow
from .check.judge import Run
from .check.judging import Judging, judge_patches
from .check.museum import entries
from .check.verdict import Result, check
from .ir.text import render_function
from .link.hooks import Property
from .link.overlay import expand_archs, find_overlays
from .link.program import Choice, Program, link
from .link.scenario import Scenario, load_scenario, make_scenario
from .machine.model import build_machine
from .run.exploration import Limits

if TYPE_CHECKING:
    from .lang.inputs import Patch
    from .reproduce import Reproduction
    from .trace import Trace

__all__ = [
    "Choice",
    "Followup",
    "Judged",
    "JudgedCommit",
    "Limits",
    "Program",
    "Property",
    "Result",
    "Scenario",
    "TreeDrift",
    "all_properties",
    "build_machine",
    "check",
    "compare",
    "drift",
    "follow",
    "judge",
    "judge_range",
    "link",
    "load_scenario",
    "make_scenario",
    "read_trace",
    "render_function",
    "reproduce",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a patch: ``judging`` has it typed, ``text`` and ``json`` as the verb gives it.

    :param command: the command that gives the same
    """

    judging: Judging
    command: str = ""

    @property
    def verdict(self) -> str:
        """The worst of all architectures and patches, as `Judging.verdict`."""
        return self.judging.verdict

    @property
    def exit_code(self) -> int:
        """That of the command."""
        return self.judging.exit_code

    def text(self, *, verbose: bool = False) -> str:
        """The report that ``loadput check`` prints."""
        from .report.judged import render_judging

        with untimed():
            return render_judging(self.judging, self.command, verbose=verbose)

    def json(self) -> dict[str, Any]:
        """What ``loadput check --json`` writes; docs/json.md."""
        from .report.json import judging

        with untimed():
            return judging(self.judging)


def judge(
    source: str | Path | Sequence[str | Path],
    *,
    tree: str | Path | None = None,
    arch: str = "all",
    scenario: str | Path = "",
    base: str = "",
    choice: Choice | None = None,
    decide: Run | None = None,
    at_once: int = 1,
    command: str = "",
) -> Judged:
    """Judge C of a patch, a mail, a series or a file by what it changes, as ``loadput check`` does.

    :param source: files or directories of patches, in order; ``-`` is standard input; or the text
        of one, where it has several lines
    :param tree: the kernel source tree that they are for
    :param arch: ``all``, or names with commas between
    :param scenario: a name or a TOML file; "": those that run what each patch changes
    :param base: ``RELEASE[:DESIGN]``; "": what the tree or the patch tells
    :param choice: design, twin and overlay folders
    :param decide: explores a program in a scenario with what is not modelled ``any``, ``low`` or
        ``high``, by at most so many states; default: `check` within `loadput.check.bounds`
    :raises LoadputError: nothing usable, or nothing that concerns ``arch``
    """
    from .lang.inputs import read_inputs, read_text

    if isinstance(source, str) and "\n" in source:
        patches = read_text(source, "text", tree)
    else:
        files = [source] if isinstance(source, str | Path) else list(source)
        patches = read_inputs(files, tree)
    return judge_read(
        patches,
        tree=tree,
        arch=arch,
        scenario=scenario,
        base=base,
        choice=choice,
        decide=decide,
        at_once=at_once,
        command=command,
    )


def judge_read(
    patches: Sequence[Patch],
    *,
    tree: str | Path | None = None,
    arch: str = "all",
    scenario: str | Path = "",
    base: str = "",
    choice: Choice | None = None,
    decide: Run | None = None,
    at_once: int = 1,
    command: str = "",
) -> Judged:
    """`judge` on patches that were read already; the same parameters."""
    choice = choice or Choice()
    done = judge_patches(
        patches,
        expand_archs(arch, *choice.search),
        load_scenario(str(scenario)) if scenario else None,
        choice=choice,
        decide=decide
        or (lambda c, s, how, most: check(c, s, opaque=how, limits=bounded(Limits(), most))),
        tree=Path(tree) if tree is not None else None,
        named=base,
        at_once=at_once,
    )
    return Judged(done, command)


@dataclass(frozen=True, slots=True)
class JudgedCommit:
    """One commit of a range; ``judged`` is None where ``error`` says why it has no verdict."""

    sha: str
    subject: str
    judged: Judged | None
    error: LoadputError | None = None

    @property
    def verdict(self) -> str:
        """That of its patch; ``no verdict`` where it could not be read or laid on."""
        return self.judged.verdict if self.judged else "no verdict"

    @property
    def exit_code(self) -> int:
        """As that of the command on this commit alone."""
        return self.judged.exit_code if self.judged else 2

    def json(self) -> dict[str, Any]:
        """The commit, its verdict, and what `Judged.json` has."""
        return {
            "commit": self.sha,
            "subject": self.subject,
            "verdict": self.verdict,
            "error": self.error.render() if self.error else None,
            "judged": self.judged.json() if self.judged else None,
        }


def judge_range(
    repo: str | Path, revs: Sequence[str], *, arch: str = "all", **options: Any
) -> Iterator[JudgedCommit]:
    """Judge each commit of ``A..B`` (or one) that touches the path, by itself, on its parent.

    Read from git's objects; nothing is checked out.

    :param options: those of `judge`, but ``tree``
    :raises InputError: LP0237, no such repository or range
    """
    from .check.mirrors import watched_paths
    from .lang.inputs import read_range

    paths = watched_paths(expand_archs(arch))
    for span in revs:
        for commit in read_range(repo, span, paths):
            try:
                patches = commit.read()
                judged = judge_read(patches, arch=arch, **options) if patches else None
                yield JudgedCommit(commit.sha, commit.subject, judged)
            except LoadputError as e:
                yield JudgedCommit(commit.sha, commit.subject, None, e)


def drift(
    tree: str | Path, *, release: str = "", arch: str = "all", search: tuple[Path, ...] = ()
) -> TreeDrift:
    """What of the C that the specification mirrors a kernel tree has otherwise.

    :param release: "": for each architecture the one nearest to the tree
    :param arch: ``all``, or names with commas between
    :param search: further folders with overlays
    :raises LoadputError: no kernel tree, or no such release or architecture
    """
    return drift_of(Path(tree), expand_archs(arch, *search), release, search)


def all_properties() -> dict[str, Property]:
    """Every property by name, as the first architecture and design that it applies to has it."""
    out: dict[str, Property] = {}

    def ask(choice: Choice, scenario: str) -> None:
        for p in link(choice, load_scenario(scenario)).properties:
            if p.name not in out or (out[p.name].applies and not p.applies):
                out[p.name] = p

    for arch in [n for n, v in find_overlays("arch").items() if not v.abstract]:
        for design in ("D", "B"):
            ask(Choice(arch, design), "one")
    # The others need an older release, or what a scenario has: so does what breaks them.
    for twin, v in find_overlays("twin").items():
        arch = (v.archs or (Choice().arch,))[0]
        for name in v.breaks.replace("_", "-").split(", "):
            if name not in out or out[name].applies:
                ask(Choice(arch, "", v.release or Choice().release, twin), v.scenario or "one")
    museum = entries()
    for e in museum.values():
        if e.property not in out or out[e.property].applies:
            ask(Choice(e.arch, release=e.release), e.scenario)
    for e in [museum[p.twin] for p in out.values() if p.applies and p.twin in museum]:
        ask(Choice(e.arch, release=e.release), e.scenario)
    return dict(sorted(out.items()))


def reproduce(source: str | Path, *, property: str = "") -> Reproduction:
    """Plan how to bring a counterexample about on a real kernel, as ``loadput reproduce`` does.

    Its ``files`` have the program, the module and the page; `Reproduction.write` makes the folder.

    :param source: a file that ``check --json`` wrote, or the name of a finding
    :param property: which counterexample of a file; "": the first
    :raises InputError: LP0507, the file has none; LP0540, no such finding
    """
    from .check.replayed import explore_finding, load_counterexample
    from .reproduce import reproduce as plan

    file = Path(source)
    words = f"loadput reproduce {source}" + (f" --property {property}" if property else "")
    is_file = file.is_file()
    found = load_counterexample(file, property) if is_file else explore_finding(str(source))
    return plan(found, command=words)


def read_trace(path: str | Path) -> Trace:
    """Open a recording; see `loadput.trace.read_trace`."""
    from .trace import read_trace as read

    return read(path)
