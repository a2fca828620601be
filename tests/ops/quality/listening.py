"""What a person does in a browser, for tests of pages."""

import json
from collections.abc import Callable
from typing import Any

from chromium import Browser


def start(driver: Browser, address: str) -> None:
    driver.get(address)
    driver.execute_script("localStorage.clear()")  # what the test before rated: the page is the same
    driver.get("about:blank")
    driver.get(address)
    driver.find_element("id", "begin").click()


def press(driver: Browser, keys: str, *, shift: bool = False) -> None:
    """At whatever has the focus, as a keyboard does."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    for key in keys:
        chain = ActionChains(driver)
        if shift:
            chain.key_down(Keys.SHIFT)
        chain.send_keys(key)
        if shift:
            chain.key_up(Keys.SHIFT)
        chain.perform()


def until(driver: Browser, condition: Callable[[], Any]) -> Any:
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(driver, 10, poll_frequency=0.02).until(lambda _: condition())


def state_of(driver: Browser) -> dict[str, Any]:
    kept = driver.execute_script(
        "return Object.entries(localStorage).filter(([k]) => k === `ttsops-listening-${data.id}`)[0]?.[1]"
    )
    loaded: dict[str, Any] = json.loads(kept)
    return loaded


def text(driver: Browser, element: str) -> str:
    return str(driver.find_element("id", element).text)


def rate(driver: Browser, a: str, b: str, preferred: str) -> None:
    """A whole pair with the keyboard alone."""
    for side, grade in (("a", a), ("b", b)):
        press(driver, side)
        until(
            driver,
            lambda side=side: "current" in driver.find_element("id", f"side-{side}").get_attribute("class"),
        )
        press(driver, grade)
    if preferred == "0":
        press(driver, "0")
    else:
        press(driver, preferred, shift=True)
    press(driver, "n")
