"""The shell script that records what ``trace`` and ``conform`` read, with its settings."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from importlib import resources

# Per CPU. A vCPU that goes and comes writes about 1 KB; the script takes less of a small memory.
BUFFER_KB = 8192
SECONDS = 5
# What closes the script where it is pasted; no line of it is that.
END = "LOADPUT"


def render_script(*, out: str, seconds: int = SECONDS, buffer_kb: int = BUFFER_KB) -> str:
    """Return the script with its settings in front, for ``sh -c SCRIPT name [COMMAND...]``.

    :param out: the trace.dat to write
    :param seconds: how long, where no command is given
    :param buffer_kb: KB of buffer per CPU; what is overwritten in it is counted
    """
    script = resources.files(__package__).joinpath("record.sh").read_text(encoding="utf-8")
    return f"seconds={seconds} buffer_kb={buffer_kb} out={shlex.quote(out)}\n{script}"


def render_paste(script: str, command: Sequence[str] = ()) -> str:
    """Return ``script`` as one command of a shell, which may be pasted into a terminal."""
    words = shlex.join(["sh", "-s", *(["--", *command] if command else [])])
    return f"{words} <<'{END}'\n{script}{END}\n"
