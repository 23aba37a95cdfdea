"""The entry point: verbs are imported only when they are used."""

from __future__ import annotations

import importlib
import sys

import click

VERBS = {
    "run": "one random schedule, as an interleaving",
    "check": "every interleaving: what holds, what is violated, by which schedule",
    "compare": "designs against architectures",
    "museum": "real bugs, found again where their fix is taken out",
    "diff": "what an overlay replaces",
    "dump": "any stage of a program: ast, ir, nodes, machine",
    "explain": "a property or an error code",
    "list": "architectures, designs, scenarios, properties; what one may name",
    "replay": "a counterexample, step by step",
    "export": "the same program for SPIN or rumur",
    "trace": "account for every load and put of a recording",
    "conform": "hold a recording of a real kernel against the specification",
}
INTERNAL = "LP0999"


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
    """Run; exit codes: 0 holds, 1 finding, 2 bad input, 3 internal, 4 not decided."""
    from ..base.errors import InternalError, LoadputError

    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as e:
        sys.exit(e.exit_code)
    except click.ClickException as e:
        e.show()
        sys.exit(2)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except LoadputError as e:
        if e.line_text is None and e.span is not None and e.span.line > 0:
            from ..link.overlay import source_line

            e.line_text = source_line(e.span)
        click.echo(e.render(), err=True)
        sys.exit(e.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    except Exception as e:
        _crash(e)
        sys.exit(InternalError.exit_code)


def _crash(e: Exception) -> None:
    """Our bug: leave a folder from which it can be repeated, and say where."""
    import shlex
    import tempfile
    import traceback
    from pathlib import Path

    folder = Path(tempfile.mkdtemp(prefix="loadput-repro-", dir="."))
    (folder / "command.txt").write_text(shlex.join(sys.argv) + "\n")
    (folder / "traceback.txt").write_text("".join(traceback.format_exception(e)))
    click.echo(f"error[{INTERNAL}]: internal error: {type(e).__name__}: {e}", err=True)
    click.echo(f"  next:     please report it with the folder {folder.name}", err=True)
