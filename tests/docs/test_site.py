"""The site of the docs: no link is dead, nothing is fetched, and its search finds things."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from explore.browser import Page, make_driver, needs_browser

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None, reason="no mkdocs: pip install -e '.[dev]'"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    at = tmp_path_factory.mktemp("site") / "site"
    made = subprocess.run(
        [sys.executable, ROOT / "tools" / "site.py", at],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return at


def test_every_page_is_there_and_fetches_nothing(site: Path) -> None:
    pages = {p.relative_to(ROOT / "docs").with_suffix(".html") for p in ROOT.glob("docs/**/*.md")}
    assert {p for p in pages if p.name != "README.html" and not (site / p).exists()} == set()
    for page in site.rglob("*.html"):
        text = page.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*\ssrc=\"?([^\" >]+)", text)
        loaded += re.findall(r"<link[^>]*rel=\"?stylesheet\"?[^>]*href=\"?([^\" >]+)", text)
        assert [a for a in loaded if "://" in a or a.startswith("//")] == []


@needs_browser
def test_its_search_works_from_files(site: Path) -> None:
    driver = make_driver()
    try:
        page = Page(driver)
        driver.get((site / "index.html").as_uri())
        page.js("document.querySelector('[data-md-toggle=search]').click()")
        field = driver.find_element("css selector", "[data-md-component=search-query]")
        page.until(field.is_displayed)
        field.send_keys("skip-iii")
        page.until(lambda: "matching document" in page.text(".md-search-result__meta"))
    finally:
        driver.quit()
