"""``loadput export``."""

from __future__ import annotations

import click


@click.command("export")
@click.option("--to", "target", type=click.Choice(["promela", "murphi"]), required=True)
@click.option("--arch", default="svm", show_default=True)
@click.option("--design", default="", help="default: the release's own")
@click.option("--release", default="v6.12", show_default=True)
@click.option("--twin", default="", help="lay a broken twin over the design")
@click.option("--scenario", default="default", show_default=True, help="a name or a TOML file")
@click.option("--no-fuse", is_flag=True, help="every access to memory is a step of its own")
@click.option("--checks", is_flag=True, help="with what violates a property, as assertions")
@click.option("-o", "--output", default="-", type=click.Path(dir_okay=False), help="a file")
def command(
    target: str,
    arch: str,
    design: str,
    release: str,
    twin: str,
    scenario: str,
    no_fuse: bool,
    checks: bool,
    output: str,
) -> None:
    """Write the program that `check` explores as a model for SPIN or rumur.

    Its reachable states are those of `loadput check --no-reduction`, one to one; see
    docs/exports.md.
    """
    from ..export import export_murphi, export_promela
    from ..link.program import Choice, link
    from ..link.scenario import load_scenario
    from ..machine.model import build_machine

    program = link(Choice(arch, design, release, twin), load_scenario(scenario))
    machine = build_machine(program, fusing=not no_fuse)
    render = export_promela if target == "promela" else export_murphi
    text = render(machine, checks=checks)
    with click.open_file(output, "w", encoding="utf-8") as out:
        out.write(text)
