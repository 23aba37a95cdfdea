"""loadput: an executable specification of how Linux KVM loads a vCPU and puts it back.

The public names are those of `loadput.api`; each is imported when it is first used.
"""

from __future__ import annotations

from typing import Any

NAMES = (
    *("Choice", "Limits", "Program", "Property", "Result", "Scenario", "all_properties"),
    *("build_machine", "check", "compare", "link", "load_scenario", "make_scenario"),
    *("Followup", "Judged", "JudgedCommit", "follow", "judge", "judge_range"),
    *("read_trace", "render_function"),
)


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module 'loadput' has no attribute '{name}'")
    import importlib

    if name == "read_trace":
        return importlib.import_module("loadput.trace").read_trace
    api = importlib.import_module("loadput.api")
    # `check` is a package too, and importing it has put it here: what is asked for is the function.
    globals().update({n: getattr(api, n) for n in NAMES if n != "read_trace"})
    return globals()[name]
