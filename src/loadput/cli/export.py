"""``loadput export``."""

from __future__ import annotations

from typing import Any

import click

from .options import OutputFile, keep_inputs, make_choice, program_options


@click.command("export")
@click.option("--to", "target", type=click.Choice(["promela", "murphi"]), required=True)
@program_options()
@click.option("--no-fuse", is_flag=True, help="every access to memory is a step of its own")
@click.option("--checks", is_flag=True, help="with what violates a property, as assertions")
@click.option("-o", "--output", default="-", type=OutputFile(), help="a file")
def command(target: str, no_fuse: bool, checks: bool, output: str, **opts: Any) -> None:
    """Write the program that `check` explores as a model for SPIN or rumur.

    Its reachable states are those of `loadput check --no-reduction`, one to one; see
    docs/exports.md.
    """
    from ..base.output import store
    from ..export import export_murphi, export_promela
    from ..link.program import link
    from ..link.scenario import load_scenario
    from ..machine.model import build_machine

    keep_inputs((output,), (opts["scenario"],))
    machine = build_machine(
        link(make_choice(opts), load_scenario(opts["scenario"])), fusing=not no_fuse
    )
    render = export_promela if target == "promela" else export_murphi
    text = render(machine, checks=checks)
    store(output, text.encode())
