"""``loadput check``."""

from __future__ import annotations

import click


@click.command("check")
@click.argument("inputs", nargs=-1, type=click.Path(dir_okay=False))
@click.option("--arch", default="svm", show_default=True, help="one, several with commas, or all")
@click.option("--design", default="", help="default: the release's own")
@click.option("--release", default="v6.12", show_default=True)
@click.option("--twin", default="", help="lay a broken twin over the design")
@click.option("--scenario", default="default", show_default=True, help="a name or a TOML file")
@click.option("--property", "props", multiple=True, help="report only this one; may be repeated")
@click.option("--engine", type=click.Choice(["native", "interp"]), default="native")
@click.option("--no-fuse", is_flag=True, help="every access to memory is a step of its own")
@click.option("--stop-at-first", is_flag=True)
@click.option("--max-states", type=int)
@click.option("--max-time", type=float, help="seconds")
@click.option("--stats", is_flag=True)
def command(
    inputs: tuple[str, ...],
    arch: str,
    design: str,
    release: str,
    twin: str,
    scenario: str,
    props: tuple[str, ...],
    engine: str,
    no_fuse: bool,
    stop_at_first: bool,
    max_states: int | None,
    max_time: float | None,
    stats: bool,
) -> None:
    """Decide every property over every interleaving."""
    import sys

    from ..check.verdict import check
    from ..link.program import Choice
    from ..link.scenario import load_scenario
    from ..report.text import render_result
    from ..run.explore import Limits

    limits = Limits(max_states, None, max_time, stop_at_first)
    choice = Choice(arch, design, release, twin)
    r = check(
        choice, load_scenario(scenario), properties=props, engine=engine, limits=limits, fusing=not no_fuse
    )
    click.echo(render_result(r), nl=False)
    if stats:
        click.echo(f"bits {r.machine.bits} build+search {r.seconds:.2f} s search {r.exploration.search_s:.2f} s")
    sys.exit({"holds": 0, "violated": 1, "not decided": 4}[r.verdict])
