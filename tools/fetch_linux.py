"""Fetch the Debian kernel sources that `make test-tree` reads, and say where they are.

For every package of linux_sources.toml: the unpacked tree that its environment variable names, or
the one in the cache, or a download by `apt-get download`. A newer point release is taken, with a
note on standard error. Prints `VARIABLE=PATH` lines for the shell.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "loadput"


def fetch(package: str, version: str, sha256: str) -> Path:
    """Return the unpacked tree of ``package``; RuntimeError where it cannot be had."""
    kept = CACHE / f"{package}_{version}"
    if (kept / "virt/kvm/kvm_main.c").is_file():
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
        # apt's own download user may not write here; it then works as ours, with a warning.
        os.chmod(tmp, 0o755)
        wanted = [f"{package}={version}", package]
        for name in wanted:
            done = subprocess.run(
                ["apt-get", "download", "-q", name], cwd=tmp, capture_output=True, text=True
            )
            if done.returncode == 0:
                break
            print(f"fetch_linux: no {name}: {done.stderr.strip()[:200]}", file=sys.stderr)
        debs = list(Path(tmp).glob("*.deb"))
        if not debs:
            raise RuntimeError(
                f"{package} cannot be downloaded; on Debian 12: apt-get update,"
                " or name an unpacked tree in the environment (see tools/linux_sources.toml)"
            )
        found = hashlib.sha256(debs[0].read_bytes()).hexdigest()
        got = debs[0].name.split("_")[1].replace("%3a", ":")
        if got == version and found != sha256:
            raise RuntimeError(f"{debs[0].name}: sha256 {found}, expected {sha256}")
        if got != version:
            print(
                f"fetch_linux: NOTE: {package} {got} (sha256 {found}) in place of {version}:"
                " put it into tools/linux_sources.toml and look at tests/tree again",
                file=sys.stderr,
            )
            kept = CACHE / f"{package}_{got}"
        subprocess.run(["dpkg-deb", "-x", str(debs[0]), f"{tmp}/x"], check=True)
        (packed,) = Path(tmp, "x/usr/src").glob("linux-source-*.tar.xz")
        with tarfile.open(packed) as tar:
            tar.extractall(Path(tmp, "tree"), filter="data")
        (tree,) = Path(tmp, "tree").iterdir()
        if not kept.exists():
            tree.rename(kept)
    return kept


def main() -> None:
    """Print a `VARIABLE=PATH` line for each source."""
    for s in tomllib.loads((HERE / "linux_sources.toml").read_text())["source"]:
        given = os.environ.get(s["env"], "")
        tree = Path(given) if given else fetch(s["package"], s["version"], s["sha256"])
        if not (tree / "virt/kvm/kvm_main.c").is_file():
            raise SystemExit(f"{s['env']}={tree}: not a kernel source tree")
        print(f"{s['env']}={shlex.quote(str(tree))}")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as e:
        raise SystemExit(f"fetch_linux: {e}") from None
