"""The studio's page as somebody sees it: Chromium is driven, and what its audio puts out is looked at."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chromium import Browser

PICTURES = os.environ.get("STUDIO_PICTURES", "")


@contextmanager
def opened(driver: Browser, url: str) -> Iterator[Browser]:
    """The page as somebody finds it; nothing was complained of when it is left."""
    driver.get("about:blank")
    driver.get(f"{url}/")
    until(lambda: len(driver.find_elements("css selector", "#voice option")) > 1, "no voices")
    driver.get_log("browser")
    yield driver
    complaints = [
        line["message"] for line in driver.get_log("browser") if line["level"] in ("SEVERE", "WARNING")
    ]
    assert [one for one in complaints if "the server responded with a status of 4" not in one] == []


def until(condition: Callable[[], Any], what: str, seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return found


def by_id(page: Browser, name: str) -> Any:
    return page.find_element("id", name)


def show(page: Browser, view: str) -> None:
    press(page, page.find_element("css selector", f'#tabs a[href="#{view}"]'))
    until(lambda: by_id(page, view).is_displayed(), f"{view} is not shown")


def press(page: Browser, element: Any) -> None:
    """A click, wherever on the page it is."""
    page.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    element.click()


def number(page: Browser, name: str) -> float:
    said = by_id(page, name).text.split()[0]
    return 0.0 if said == "–" else float(said)


def choose(page: Browser, name: str, value: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(by_id(page, name)).select_by_value(value)


def write(page: Browser, name: str, text: str) -> None:
    page.execute_script("arguments[0].value = arguments[1]", by_id(page, name), text)


def picture(page: Browser, name: str) -> None:
    if PICTURES:
        page.save_screenshot(str(Path(PICTURES) / f"studio_{name}.png"))


def in_page(page: Browser, script: str, *given: Any) -> Any:
    """What an `async` script of the page returns."""
    return page.execute_async_script(
        "const given = [...arguments], done = given.pop();"
        f"(async () => {{ {script} }})().then(done, (error) => done({{ failed: String(error) }}));",
        *given,
    )


def silent_after_ms(page: Browser, button: str, module: str) -> float:
    """Press `button` while something sounds; milliseconds until nothing does, and goes on not to."""
    answer = in_page(
        page,
        """
        const [button, module] = given;
        const { player } = await import(module);
        const samples = new Float32Array(256); // 11 ms
        const peak = () => {
            player.analyser.getFloatTimeDomainData(samples);
            return samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
        };
        const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        const begin = performance.now();
        while (peak() < 0.05) {
            if (performance.now() - begin > 5000) throw new Error("nothing sounds");
            await pause(1);
        }
        const pressed = performance.now();
        document.getElementById(button).click();
        let silent = null;
        while (performance.now() - pressed < 1000) {
            if (peak() > 1e-4) silent = null; else silent ??= performance.now() - pressed;
            await pause(1);
        }
        return silent;
        """,
        button,
        module,
    )
    assert isinstance(answer, float | int), f"it still sounds after a second: {answer}"
    return float(answer)


def ask(page: Browser, question: str) -> Any:
    """Ask; the answer's place in the conversation."""
    n_before = len(page.find_elements("css selector", "#turns li"))
    write(page, "question", question)
    press(page, page.find_element("css selector", "#talk-form .primary"))
    until(lambda: len(page.find_elements("css selector", "#turns li")) == n_before + 2, "no answer")
    until(lambda: by_id(page, "interrupt").is_enabled(), "nothing to interrupt")
    return page.find_elements("css selector", "#turns li")[-1]
