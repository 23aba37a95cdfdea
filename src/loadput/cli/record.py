"""``loadput record``: record the loads and puts of this host's vCPUs into one file."""

from __future__ import annotations

import os
import signal

import click

from ..record import BUFFER_KB, SECONDS, render_paste, render_script


@click.command("record", context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--seconds", default=SECONDS, show_default=True, type=click.IntRange(1, 86_400),
              help="How long, where no COMMAND is given.")  # fmt: skip
@click.option("-o", "--out", default="loadput.dat", show_default=True, help="The file to write.")
@click.option("--buffer-kb", default=BUFFER_KB, show_default=True,
              type=click.IntRange(64, 1 << 20), help="Buffer per CPU.")  # fmt: skip
@click.option("--print", "is_printed", is_flag=True, help="Print the commands, run nothing.")
def command(
    command: tuple[str, ...], seconds: int, out: str, buffer_kb: int, is_printed: bool
) -> None:
    """Record for some seconds, or while COMMAND runs, what `trace` and `conform` read.

    Root, on the host to be looked at, with its kernel as it is. Finds the fields of struct kvm_vcpu
    in the kernel's BTF, places kprobes, records into an ftrace instance of its own, takes both away
    again, whatever happens, and writes a trace.dat. --print shows the shell commands that do it, to
    be read, and pasted on a host without Python. Without BTF or kprobes it says what is left.
    """
    script = render_script(out=out, seconds=seconds, buffer_kb=buffer_kb)
    if is_printed:
        click.echo(render_paste(script, command), nl=False)
        return
    from ..base.errors import TraceError
    from ..base.output import check_output

    if os.geteuid() != 0:
        raise TraceError(
            "LP0613", "recording needs root", got=f"user {os.geteuid()}",
            expected="the administrator, who may trace",
            next="run it as root, or `loadput record --print` and have it run",
        )  # fmt: skip
    check_output(out)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and so would the script
    # The shell takes our place: there is one process to stop, and it cleans up.
    os.execvp("sh", ["sh", "-c", script, "record", *command])
