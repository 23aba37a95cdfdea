"""``loadput replay``: a counterexample from a JSON file, step by step."""

from __future__ import annotations

from typing import Any

import click

from .options import make_choice, program_options


@click.command("replay")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--property", "name", default="", help="which counterexample; the first by default")
@click.option("--step", type=int, help="stop there and show the whole state")
@click.option("--schedule", default="", help="one that the page of explore wrote, without a FILE")
@click.option("--no-fuse", is_flag=True, help="of the schedule's program: as explore had it")
@program_options()
def command(file: str | None, name: str, step: int | None, schedule: str, **opts: Any) -> None:
    """Follow a counterexample that ``check --json FILE`` wrote, on the interpreter; or the
    --schedule of a page of ``explore``, with the options of its program.
    """
    from ..check.replayed import load_counterexample
    from ..check.story import Teller, show_value, variable_name
    from ..report.text import render_story

    if bool(file) == bool(schedule):
        raise click.UsageError("either a FILE or --schedule")
    if file:
        c = load_counterexample(file, name)
        found, machine, path, prop = c.title, c.build(), c.path, c.property
    else:
        found, machine, path, prop = _follow(schedule, opts)
    teller = Teller(machine)
    story = teller.follow(path[:step] if step else path)
    click.echo(f"{found}: {prop}, {len(path)} steps")
    for line in render_story(story, machine.cpus, verbose=True):
        click.echo(line)
    if step:
        state = teller.state_after(path[:step])
        users = len(machine.program.scenario.tasks)
        for var, at in machine.var_at.items():
            v = machine.values.vars[var]
            for i in range(v.count * v.length):
                value = show_value(v.type, state[at + i], users)
                click.echo(f"  {variable_name(machine, var, i):40s} {value}")


def _follow(schedule: str, opts: dict[str, Any]) -> tuple[str, Any, list[Any], str]:
    """The program, its machine, the actions of a schedule, and what the last of them violates."""
    from ..explore.prepare import find_actions
    from ..link.scenario import load_scenario

    choice = make_choice(opts)
    scenario = load_scenario(opts["scenario"])
    machine, path, bad = find_actions(choice, scenario, schedule, fusing=not opts["no_fuse"])
    return choice.title, machine, path, ", ".join(bad) or "violates nothing"
