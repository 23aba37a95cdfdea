"""``loadput run``: one random schedule."""

from __future__ import annotations

from typing import Any

import click

from .options import make_choice, program_options


@click.command("run")
@program_options()
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--steps", type=click.IntRange(1, 100_000), default=60, show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="every step and the machine's own variables")
def command(seed: int, steps: int, verbose: bool, **opts: Any) -> None:
    """One random schedule, a column per CPU; flags and ownership as they change."""
    from ..check.simulate import simulate
    from ..link.program import link
    from ..link.scenario import load_scenario
    from ..machine.model import build_machine
    from ..report.text import EDGE, render_story, wrap

    choice = make_choice(opts)
    scenario = load_scenario(opts["scenario"])
    story = simulate(build_machine(link(choice, scenario)), seed=seed, steps=steps)
    out = [*wrap("program", choice.title), *wrap("scenario", f"{scenario.name}: {scenario.title}")]
    out += [*wrap("seed", str(seed)), "", *render_story(story, scenario.cpus, verbose=verbose), ""]
    bad = sorted({p for s in story for p in s.violates})
    out += wrap("violated", ", ".join(bad)) if bad else []
    out += wrap("not covered", f"one schedule of many; {EDGE}")
    words = [
        f"--{k} {opts[k]}" for k in ("arch", "design", "release", "twin", "scenario") if opts[k]
    ]
    words += [f"--overlays {folder}" for folder in opts["overlays"]]
    out += wrap("again", f"loadput run {' '.join(words)} --seed {seed} --steps {steps}")
    click.echo("\n".join(out))
    raise SystemExit(1 if bad else 0)
