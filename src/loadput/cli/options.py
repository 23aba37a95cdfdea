"""Options that several verbs share, and what they mean."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ..base import clock
from ..base.errors import OutputError
from ..base.output import STDOUT, check_output, say
from .interrupt import interrupted

if TYPE_CHECKING:
    from ..check.kept import Kept
    from ..check.verdict import Progress
    from ..link.program import Choice
    from ..run.exploration import Limits
    from ..run.reduce import Reduce


class OutputFile(click.ParamType):  # type: ignore[type-arg]
    """A file to write: that it can be is tried before the work, and that it is no other one's.

    :param stdout: whether ``-`` is standard output
    """

    name = "file"

    def __init__(self, *, stdout: bool = True) -> None:
        self.stdout = stdout

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value == STDOUT and not self.stdout:
            self.fail("- is standard output, which this cannot go to: name a file")
        check_output(value)
        if ctx is not None and value != STDOUT:
            _claim(ctx.meta.setdefault("loadput.outputs", {}), value, param)
        return value


def _claim(taken: dict[str, str], name: str, param: click.Parameter | None) -> None:
    option = param.opts[0] if param else name
    other = taken.setdefault(os.path.realpath(name), option)
    if other != option:
        raise OutputError(
            "LP0521",
            f"{other} and {option} name one file",
            where=name,
            got=name,
            expected="a file of its own for each",
            next=f"another name for {option}",
        )


def keep_inputs(outputs: Iterable[str | None], inputs: Iterable[str]) -> None:
    """Raise OutputError LP0521 where an output would be written over what is read."""
    read = {os.path.realpath(i): i for i in inputs}
    for name in outputs:
        if name and name != STDOUT and os.path.realpath(name) in read:
            raise OutputError(
                "LP0521",
                f"the output {name} would be written over an input",
                where=name,
                got=read[os.path.realpath(name)],
                expected="a file of its own",
                next="another name for the output",
            )


class Names(click.ParamType):  # type: ignore[type-arg]
    """A name that a shell can complete: an overlay's of a kind, a scenario's or a property's."""

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        return [CompletionItem(n) for n in self._known() if n.startswith(incomplete)]

    def _known(self) -> list[str]:
        if self.kind == "scenario":
            from ..link.scenario import list_scenarios

            return list_scenarios()
        if self.kind == "property":
            from ..api import all_properties

            return list(all_properties())
        from ..link.overlay import find_overlays

        found = find_overlays(self.kind)
        return sorted(n for n, v in found.items() if not v.abstract)


EXIT = {"holds": 0, "violated": 1, "not decided": 4}
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


overlays_option = click.option(
    "--overlays",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    help="a folder with overlays of your own; may be repeated",
)


def program_options(arch: str = "svm") -> Decorator:
    """--arch, --design, --release, --twin, --scenario, --overlays."""

    def add(f: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            overlays_option,
            click.option(
                "--scenario",
                default="default",
                show_default=True,
                type=Names("scenario"),
                help="a name or a TOML file",
            ),
            click.option(
                "--twin", default="", type=Names("twin"), help="a broken twin laid over the design"
            ),
            click.option("--release", default="", type=Names("release"), help="default: v7.3"),
            click.option(
                "--design", default="", type=Names("design"), help="default: the release's own"
            ),
            click.option(
                "--arch",
                default=arch,
                type=Names("arch"),
                show_default=arch or "svm; all for what you give",
            ),
        ):
            f = option(f)
        return f

    return add


def _end_in(context: click.Context, option: click.Parameter, seconds: float | None) -> float | None:
    clock.end_in(seconds)
    return seconds


max_time_option = click.option(
    "--max-time", type=click.FloatRange(min=0), callback=_end_in, help="seconds, of all of it"
)


no_cache_option = click.option(
    "--no-cache", is_flag=True, envvar="LOADPUT_NO_CACHE", show_envvar=True,
    help="work out what is kept again, and keep nothing",
)  # fmt: skip


def make_kept(opts: dict[str, Any]) -> Kept | None:
    """Where results are kept; None where they are not to be, or the engine is what is asked about.

    Where the user names no folder for it that can be, none is kept.
    """
    if opts["no_cache"] or opts.get("stats") or opts["engine"] != "native":
        return None
    from ..base.kept import Shelf
    from ..check.kept import RESULTS, Kept

    return Kept(Shelf(RESULTS))


def say_kept(found: int, asked: int) -> None:
    """What of the results was there already, where any was."""
    if found:
        say(f"kept: {found} of {asked} results were there already; loadput cache")


def engine_options(f: Callable[..., Any]) -> Callable[..., Any]:
    """What the engine does: threads, what is left out, where it ends."""
    for option in (
        max_time_option,
        click.option("--max-memory", type=click.IntRange(min=1), help="MiB"),
        click.option("--max-states", type=click.IntRange(min=1)),
        click.option("--stop-at-first", is_flag=True, help="end at the first violation"),
        click.option(
            "--no-reduction", is_flag=True, help="neither symmetry nor partial order reduction"
        ),
        click.option(
            "--por/--no-por", default=False, help="partial order reduction; default: without"
        ),
        click.option(
            "--symmetry/--no-symmetry",
            default=True,
            help="CPUs, tasks and vCPUs that are alike count as one; default: with",
        ),
        click.option("--no-forget", is_flag=True, help="keep what a @forget hook calls dead"),
        click.option("--no-fuse", is_flag=True, help="every access to memory is a step of its own"),
        click.option(
            "--threads", type=click.IntRange(min=0), default=0, help="default: every core"
        ),
        click.option("--engine", type=click.Choice(["native", "interp"]), default="native"),
        no_cache_option,
    ):
        f = option(f)
    return f


def make_limits(opts: dict[str, Any]) -> Limits:
    """The limits that the engine options ask for."""
    from ..run.exploration import Limits

    memory = opts["max_memory"]
    return Limits(
        opts["max_states"],
        memory << 20 if memory else None,
        opts["max_time"],
        opts["stop_at_first"],
        opts["threads"],
        opts.get("at_once", 1),
        interrupted,
    )


def share_cores(opts: dict[str, Any], jobs: int) -> dict[str, Any]:
    """The options of each of ``jobs`` searches, ``at_once`` of which run at the same time.

    Two searches at once by a thread each take less time than one after the other by two. Where
    --max-memory bounds the memory, it bounds that of all, so that there is one at a time.
    """
    cores = opts["threads"] or len(os.sched_getaffinity(0))
    at_once = 1 if opts["max_memory"] else max(1, min(cores, jobs))
    return {**opts, "threads": cores // at_once, "at_once": at_once}


def make_reduce(opts: dict[str, Any]) -> Reduce:
    """The reductions that the engine options ask for."""
    from ..run.reduce import NOTHING, Reduce

    return NOTHING if opts["no_reduction"] else Reduce(opts["symmetry"], opts["por"])


def reduction_words(opts: dict[str, Any]) -> list[str]:
    """The options that ask for the same reductions again."""
    if opts["no_reduction"]:
        return ["--no-reduction"]
    words = [] if opts["symmetry"] else ["--no-symmetry"]
    return words + (["--por"] if opts["por"] else [])


def make_choice(opts: dict[str, Any], arch: str | None = None) -> Choice:
    """The program that the program options name."""
    from ..link.program import Choice

    return Choice(
        arch or opts["arch"],
        opts["design"],
        opts["release"] or Choice().release,
        opts["twin"],
        search=overlay_folders(opts),
        memory=opts.get("memory", "sc"),
    )


def program_words(verb: str, choice: Choice, scenario: str, *more: str) -> str:
    """The command with which ``verb`` comes to a program."""
    from ..link.program import Choice

    words = ["loadput", verb, *more, "--arch", choice.arch]
    for key in ("design", "release", "twin"):
        if getattr(choice, key) and getattr(choice, key) != getattr(Choice(), key):
            words += [f"--{key}", getattr(choice, key)]
    for folder in choice.search:
        words += ["--overlays", str(folder)]
    return shlex.join([*words, "--scenario", scenario])


def overlay_folders(opts: dict[str, Any]) -> tuple[Path, ...]:
    """The folders that --overlays names."""
    from ..link.overlay import check_folders

    folders = tuple(Path(p) for p in opts["overlays"])
    check_folders(folders)
    return folders


def progress_for(title: str) -> Progress | None:
    """A progress line on a terminal; None elsewhere."""
    if not sys.stderr.isatty():
        return None

    def show(states: int, depth: int, frontier: int, seconds: float) -> None:
        rate = states / seconds if seconds else 0
        line = f"{title}: {states:,} states, depth {depth}, {rate:,.0f}/s, {seconds:.0f} s"
        sys.stderr.write(f"\r{line[:78]:78s}\r")
        sys.stderr.flush()

    return show
