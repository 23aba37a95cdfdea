"""The entry point: verbs are imported only when they are used."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Callable

import click

from ..base import clock

VERBS = {
    "run": "one random schedule, as an interleaving",
    "check": "every interleaving: what holds, what is violated, by which schedule",
    "compare": "designs against architectures",
    "sweep": "a matrix of programs, patches or recordings, here or on a cluster",
    "explore": "step through a program's states in a page",
    "museum": "real bugs, found again where their fix is taken out",
    "drift": "what of the C that is mirrored a kernel tree has otherwise",
    "diff": "what an overlay replaces",
    "dump": "any stage of a program: ast, ir, nodes, machine",
    "explain": "a property or an error code",
    "list": "architectures, designs, scenarios, properties; what one may name",
    "replay": "a counterexample, step by step",
    "reproduce": "a program that forces a counterexample's schedule on a real kernel",
    "export": "the same program for SPIN or rumur",
    "record": "record the loads and puts of this host's vCPUs",
    "trace": "account for every load and put of a recording",
    "conform": "hold a recording of a real kernel against the specification",
    "cache": "what is kept from one command to the next, and an end to it",
    "doctor": "what this machine has for each verb, and what is missing",
}
INTERNAL = "LP0999"
CLOSED = 141
"""Of one whose reader went away, SIGPIPE: what it found was not said, so it is no 0 and no 1."""


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module(f"loadput.cli.{name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="loadput", prog_name="loadput")
def cli() -> None:
    """An executable specification of how Linux KVM loads a vCPU and puts it back."""


def main() -> None:
    """Run; exit codes: 0 holds, 1 finding, 2 bad input or output, 3 internal, 4 not decided,
    130 interrupted.
    """
    from ..base.errors import OutputError
    from ..base.output import ReaderGone, guard_streams, say

    code = _guarded(guard_streams) or _guarded(_verb)
    try:
        sys.stdout.flush()
    except OutputError as e:
        say(e.render())
        code = e.exit_code
    except ReaderGone:
        code = CLOSED
    if clock.has_left_something():
        os._exit(code)
    sys.exit(code)


def _verb() -> None:
    # A machine is a million objects that live as long as it: counting them all finds no garbage.
    gc.set_threshold(100_000, 50, 100)
    # A search comes back to Python every 20 ms; where several run at once it is not to wait as
    # long as that for one that is building its machine.
    sys.setswitchinterval(0.0005)
    cli.main(standalone_mode=False, prog_name="loadput")


def _guarded(run: Callable[[], None]) -> int:
    """The exit code of ``run``; what is wrong is said on standard error."""
    from ..base.errors import InternalError, LoadputError, TimeUp
    from ..base.output import ReaderGone, say
    from .interrupt import INTERRUPTED

    try:
        run()
    except SystemExit as e:
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except click.exceptions.Exit as e:
        return e.exit_code
    except click.ClickException as e:
        e.show()
        return 2
    except (click.Abort, KeyboardInterrupt) as e:
        if isinstance(e.__cause__, EOFError):  # click takes it for a user who leaves a prompt
            _crash(e.__cause__)
            return InternalError.exit_code
        if isinstance(e.__cause__ or e, TimeUp):
            say("not decided: the time of --max-time was up before anything was")
            return 4
        say("interrupted")
        return INTERRUPTED
    except LoadputError as e:
        if e.line_text is None and e.span is not None and e.span.line > 0:
            from ..link.overlay import source_line

            e.line_text = source_line(e.span)
        say(e.render())
        return e.exit_code
    except ReaderGone:
        return CLOSED
    except Exception as e:
        _crash(e)
        return InternalError.exit_code
    return 0


def _crash(e: Exception) -> None:
    """Our bug: leave a folder from which it can be repeated, and say where."""
    import shlex
    import traceback

    from ..base.output import make_folder, say

    told = "".join(traceback.format_exception(e))
    say(f"error[{INTERNAL}]: internal error: {type(e).__name__}: {e}")
    folder = make_folder("loadput-repro-")
    try:
        if folder is None:
            raise OSError
        (folder / "command.txt").write_text(shlex.join(sys.argv) + "\n", "utf-8", "replace")
        (folder / "traceback.txt").write_text(told, "utf-8", "replace")
        say(f"  next:     please report it with the folder {folder}")
    except OSError:
        say(f"{told}  next:     please report it with these lines")
