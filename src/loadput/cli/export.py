"""``loadput export``."""

from __future__ import annotations

from typing import Any

import click

from .options import OutputFile, keep_inputs, make_choice, program_options


@click.command("export")
@click.option("--to", "target", type=click.Choice(["promela", "murphi", "litmus"]), required=True)
@program_options()
@click.option("--no-fuse", is_flag=True, help="every access to memory is a step of its own")
@click.option("--checks", is_flag=True, help="with what violates a property, as assertions")
@click.option(
    "--from-counterexample", "file", type=click.Path(exists=True, dir_okay=False),
    help="for litmus: what check --memory tso (or weak) --json wrote; the program is its",
)  # fmt: skip
@click.option("--property", "name", default="", help="whose counterexample; the first by default")
@click.option("-o", "--output", default="-", type=OutputFile(), help="a file")
def command(target: str, no_fuse: bool, checks: bool, output: str, **opts: Any) -> None:
    """Write the program that `check` explores as a model for SPIN or rumur; or what is not
    sequentially consistent in a counterexample, as a litmus test in C.

    A model's reachable states are those of `loadput check --no-reduction`, one to one; see
    docs/exports.md. docs/memory.md has litmus tests.
    """
    from ..base.output import store

    file = opts.pop("file")
    keep_inputs((output,), (opts["scenario"], *([file] if file else [])))
    if (target == "litmus") != bool(file):
        raise click.UsageError("--to litmus and --from-counterexample FILE go together")
    if file:
        store(output, _litmus(file, opts["name"]).encode())
        return
    from ..export import export_murphi, export_promela
    from ..link.program import link
    from ..link.scenario import load_scenario
    from ..machine.model import build_machine

    machine = build_machine(
        link(make_choice(opts), load_scenario(opts["scenario"])), fusing=not no_fuse
    )
    render = export_promela if target == "promela" else export_murphi
    store(output, render(machine, checks=checks).encode())


def _litmus(file: str, name: str) -> str:
    """The litmus test of a counterexample."""
    from ..base.errors import InputError
    from ..check.accesses import accesses_of
    from ..check.cycle import find_circle
    from ..check.replayed import load_counterexample
    from ..link.program import link
    from ..machine.model import build_machine
    from ..report.litmus import render_litmus

    c = load_counterexample(file, name)
    m = build_machine(link(c.choice, c.scenario), fusing=c.fusing, told=True)
    found = find_circle(accesses_of(m, c.path))
    if found is None:
        raise InputError(
            "LP0507",
            f"the counterexample of {c.property} in {file} is sequentially consistent",
            got=f"memory {c.choice.memory}",
            expected="one that needs an access out of order",
            next="loadput check --memory tso (or weak) … --json FILE",
        )
    return render_litmus(m, found, c.title, c.property, len(c.path))
