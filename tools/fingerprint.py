"""Write the fingerprints of the C that the specification mirrors, as one kernel tree has it.

python tools/fingerprint.py TREE RELEASE [SINCE]

SINCE is the release that RELEASE's specification comes from: a function that has changed in the
kernel since, and that nothing of ours says to mirror as of RELEASE, keeps the fingerprint it had.
"""

from __future__ import annotations

import sys
from pathlib import Path

from loadput.check.fingerprint import FOLDER, render
from loadput.check.follow import take
from loadput.check.judge import known_archs


def main() -> None:
    """Write spec/fingerprints/RELEASE.txt."""
    tree, release, since = Path(sys.argv[1]), sys.argv[2], "".join(sys.argv[3:4])
    found = take(tree, release, known_archs(), since)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{release}.txt").write_text(render(tree.name.replace("_", " "), found))
    print(f"{len(found)} functions: {FOLDER / f'{release}.txt'}")


if __name__ == "__main__":
    main()
