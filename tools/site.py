"""The pages of docs/ as a site that needs no network: ``make site``.

The README is its front page. A link that leads nowhere, or an anchor that is not there, ends it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHIM = "https://unpkg.com/iframe-worker/shim"
CONFIG = """
site_name: loadput
docs_dir: {docs}
site_dir: {site}
use_directory_urls: false
theme:
  name: material
  font: false
  features: [navigation.instant.preview, content.code.copy, search.highlight]
  palette:
    - media: "(prefers-color-scheme: light)"
      scheme: default
      toggle: {{icon: material/weather-night, name: dark}}
    - media: "(prefers-color-scheme: dark)"
      scheme: slate
      toggle: {{icon: material/weather-sunny, name: light}}
plugins: [search, offline]
markdown_extensions: [tables, toc, pymdownx.superfences]
validation:
  omitted_files: ignore
  absolute_links: warn
  unrecognized_links: warn
  anchors: warn
"""


def page(name: str) -> str:
    """A page of the repository's root, with its links as they are from docs/."""
    return re.sub(r"\]\(docs/", "](", (ROOT / name).read_text("utf-8"))


def build(site: Path) -> int:
    """Build the site into ``site``; returns mkdocs' exit code, not 0 where a link is dead."""
    with tempfile.TemporaryDirectory(prefix="loadput-site-") as at:
        docs = Path(at) / "docs"
        shutil.copytree(ROOT / "docs", docs)
        (docs / "index.md").write_text(page("README.md"), "utf-8")
        for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"):
            (docs / name).write_text(page(name), "utf-8")
        config = Path(at) / "mkdocs.yml"
        config.write_text(CONFIG.format(docs=docs, site=site.resolve()), "utf-8")
        words = ["-m", "mkdocs", "build", "--strict", "--quiet", "-f", str(config)]
        env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        return subprocess.run([sys.executable, *words], env=env, check=False).returncode


def bring_shim(site: Path) -> None:
    """Put beside the pages the one script that the theme would fetch: search needs it in files."""
    own = ROOT / "tools" / "site" / "iframe-worker.js"
    shutil.copy(own, site / "assets")
    for page in site.rglob("*.html"):
        up = "../" * (len(page.relative_to(site).parts) - 1)
        text = page.read_text("utf-8").replace(SHIM, f"{up}assets/{own.name}")
        page.write_text(text, "utf-8")


def main() -> None:
    """Build into the folder named on the command line, or build/site."""
    site = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "site")
    code = build(site)
    if not code:
        bring_shim(site)
        print(f"{site / 'index.html'}")
    sys.exit(code)


if __name__ == "__main__":
    main()
