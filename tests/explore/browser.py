"""A headless browser of this machine's own, for the pages."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

CHROMIUM = next((p for n in ("chromium", "google-chrome") if (p := shutil.which(n))), None)
DRIVER = shutil.which("chromedriver")
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None  # type: ignore[assignment]

WHY_NOT = (
    "no selenium: pip install -e '.[dev]'"
    if webdriver is None
    else "no chromium with its chromedriver: apt-get install chromium chromium-driver"
    if CHROMIUM is None or DRIVER is None
    else ""
)
needs_browser = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "there")


class Page:
    """One page in the browser, by what a person sees and does."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get(address)
        self.until(lambda: self.js("return window.ready === true"))

    def js(self, code: str, *args: Any) -> Any:
        return self.driver.execute_script(code, *args)

    def until(self, is_so: Any) -> None:
        WebDriverWait(self.driver, 60, 0.02).until(lambda _: is_so())

    def acts(self, do: Any) -> None:
        """Do something, and wait until the page is drawn again or has said something."""
        before = self.drawn
        do()
        self.until(lambda: self.drawn != before)

    @property
    def drawn(self) -> Any:
        return self.js("return [window.drawn, document.getElementById('say').textContent].join()")

    def text(self, css: str) -> str:
        return str(self.js("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def texts(self, css: str) -> list[str]:
        code = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
        return list(self.js(code, css))

    def click(self, css: str) -> None:
        self.acts(lambda: self.js("document.querySelector(arguments[0]).click()", css))

    def press(self, key: str) -> None:
        keys = {"left": Keys.ARROW_LEFT, "right": Keys.ARROW_RIGHT, "home": Keys.HOME}
        body = self.driver.find_element(By.TAG_NAME, "body")
        self.acts(lambda: body.send_keys(keys.get(key, key)))

    def search(self, kind: str, name: str) -> None:
        self.js("document.getElementById('kind').value = arguments[0]", kind)
        self.js("document.getElementById('what').value = arguments[0]", name)
        self.js("document.getElementById('go').click()")
        self.until(lambda: self.text("#say") not in ("", "searching …"))

    @property
    def where(self) -> str:
        return self.text("#where")

    @property
    def problems(self) -> list[str]:
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] == "SEVERE"]


def make_driver() -> Any:
    """A browser without a window, that resolves no name and so fetches nothing."""
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (
        *("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"),
        *("window-size=1366,768", "host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"),
        *("disable-background-networking", "disable-component-update", "no-first-run"),
    ):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))
