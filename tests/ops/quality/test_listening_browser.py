"""The listening page in a real Chromium: `make test-browser`. Debian has `chromium` and `chromium-driver`."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import BROWSER_TEST, Browser, start_chromium
from ops.quality.listening import press, rate, start, state_of, text, until
from ops.quality.test_pairs import write
from ttsops.audio import write_atomically
from ttsops.ops.quality.page import listening_page
from ttsops.ops.quality.pairs import Clip, Pair, Session
from ttsops.ops.quality.ratings import read_ratings, summarise
from ttsops.ops.quality.serve import serve_page

pytestmark = BROWSER_TEST

NOTE = "random weights: speed is real, speech is not"
N_PAIRS = 3
SECONDS = {"nfe-7": 0.2, "nfe-32": 0.4}
"""Which recording is which is heard by its length."""


@pytest.fixture(scope="module")
def driver() -> Iterator[Browser]:
    browser = start_chromium()
    yield browser
    browser.quit()


@pytest.fixture
def session(tmp_path: Path) -> Session:
    pairs = []
    for number in range(1, N_PAIRS + 1):
        clips = tuple(Clip(name, tmp_path / name / f"t{number}.wav") for name in ("nfe-7", "nfe-32"))
        write(clips[0].path, 200 * number)
        write(clips[1].path, 300 * number, seconds=SECONDS["nfe-32"])
        pairs.append(Pair(f"p{number:02d}", f"t{number}, seed 1", f"Text number {number}.", clips))
    return Session("f5: settings against nfe-32", NOTE, tuple(pairs))


@pytest.fixture
def opened(driver: Browser, session: Session, tmp_path: Path) -> Iterator[Browser]:
    """The page from a file, begun with a known seed; afterwards there must be nothing in the console."""
    path = tmp_path / "listen.html"
    write_atomically(path, listening_page(session))
    start(driver, f"{path.as_uri()}#seed=7")
    yield driver
    assert driver.get_log("browser") == []


def test_recordings_load_and_play(opened: Browser) -> None:
    length = until(
        opened, lambda: opened.execute_script("return document.getElementById('audio-a').duration")
    )
    assert min(abs(length - one) for one in SECONDS.values()) < 0.01
    press(opened, "b")
    until(
        opened, lambda: opened.execute_script("return document.getElementById('audio-b').currentTime") > 0.05
    )
    assert opened.execute_script("return document.getElementById('audio-b').error") is None
    press(opened, "a")
    until(
        opened, lambda: opened.execute_script("return document.getElementById('audio-a').currentTime") > 0.05
    )


def test_a_pair_is_rated_with_the_keyboard_and_kept(opened: Browser) -> None:
    assert text(opened, "where") == f"Pair 1 of {N_PAIRS}"
    assert opened.switch_to.active_element.get_attribute("id") == "where"
    rate(opened, "4", "2", "a")
    until(opened, lambda: text(opened, "where") == f"Pair 2 of {N_PAIRS}")
    (kept,) = state_of(opened)["ratings"].values()
    assert (kept["a"], kept["b"], kept["preferred"], kept["plays"]) == (4, 2, "a", {"a": 1, "b": 1})
    press(opened, "p")
    assert text(opened, "where") == f"Pair 1 of {N_PAIRS}"
    assert opened.find_element("css selector", "input[name=grade-a][value='4']").is_selected()
    assert opened.find_element("css selector", "input[name=preferred][value=a]").is_selected()


def test_what_is_missing_is_said_and_gets_the_focus(opened: Browser) -> None:
    press(opened, "n")
    assert text(opened, "status") == "Play A first."
    assert opened.switch_to.active_element.get_attribute("id") == "audio-a"
    press(opened, "3")
    assert text(opened, "status") == "Play A or B first."
    rate(opened, "4", "2", "0")
    press(opened, "a")
    until(opened, lambda: "current" in opened.find_element("id", "side-a").get_attribute("class"))
    press(opened, "b")
    # A side counts as heard once it plays, which a busy machine does a little after the key.
    until(opened, lambda: "current" in opened.find_element("id", "side-b").get_attribute("class"))
    press(opened, "n")
    assert text(opened, "status") == "Rate A first."
    assert opened.switch_to.active_element.get_attribute("name") == "grade-a"


def test_keys_can_be_switched_off_and_are_letters_in_a_text_field(opened: Browser) -> None:
    opened.find_element("tag name", "summary").click()
    opened.find_element("id", "shortcuts").click()
    press(opened, "n")
    assert text(opened, "status") == ""


def test_the_mouse_does_as_well(opened: Browser) -> None:
    for side in "ab":
        opened.execute_script(f"document.getElementById('audio-{side}').play()")
        until(
            opened,
            lambda side=side: "current" in opened.find_element("id", f"side-{side}").get_attribute("class"),
        )
        opened.find_element("css selector", f"input[name=grade-{side}][value='3']").click()
    opened.find_element("css selector", "input[name=preferred][value=none]").click()
    opened.find_element("id", "next").click()
    assert text(opened, "where") == f"Pair 2 of {N_PAIRS}"


def test_which_is_which_is_told_at_the_end_and_not_before(opened: Browser) -> None:
    assert "nfe-7" not in opened.find_element("tag name", "body").text
    played = []
    for _ in range(N_PAIRS):
        assert "nfe-" not in opened.find_element("id", "trial").text
        lengths = [
            until(
                opened,
                lambda s=s: opened.execute_script(f"return document.getElementById('audio-{s}').duration"),
            )
            for s in "ab"
        ]
        played.append(["nfe-7" if one < 0.3 else "nfe-32" for one in lengths])
        rate(opened, "5", "1", "a")
    until(opened, lambda: text(opened, "end-heading") == "Thank you")
    assert opened.switch_to.active_element.get_attribute("id") == "end-heading"
    rows = opened.find_elements("css selector", "#results tr")
    assert len(rows) == N_PAIRS
    for row, sides in zip(rows, played, strict=True):
        cells = [cell.text for cell in row.find_elements("css selector", "th, td")]
        assert [cells[1], cells[3]] == sides
        assert (cells[2], cells[4], cells[5]) == ("5", "1", cells[1])


def test_the_download_is_what_the_summary_reads(opened: Browser, tmp_path: Path) -> None:
    for _ in range(N_PAIRS):
        rate(opened, "5", "1", "a")
    until(opened, lambda: text(opened, "end-heading") == "Thank you")
    opened.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path / "got")}
    )
    opened.find_element("id", "download").click()
    (path,) = until(opened, lambda: list((tmp_path / "got").glob("ratings-*.json")))
    ratings = read_ratings(path)
    assert len(ratings) == N_PAIRS
    assert {one.note for one in ratings} == {NOTE}
    assert all((one.a.rating, one.b.rating, one.preferred) == (5, 1, "a") for one in ratings)
    summary = summarise(ratings)
    n_first = sum(one.a.setting == "nfe-7" for one in ratings)
    assert {one.setting: one.mean for one in summary.opinions}["nfe-7"] == pytest.approx(
        (5 * n_first + N_PAIRS - n_first) / N_PAIRS
    )


def test_a_page_that_was_closed_goes_on_where_it_was(opened: Browser, tmp_path: Path) -> None:
    rate(opened, "4", "2", "a")
    session = state_of(opened)["session"]
    opened.get("about:blank")
    opened.get((tmp_path / "listen.html").as_uri())
    assert text(opened, "where") == f"Pair 2 of {N_PAIRS}"
    assert state_of(opened)["session"] == session


def test_the_order_and_the_sides_are_drawn_from_the_seed(
    driver: Browser, session: Session, tmp_path: Path
) -> None:
    path = tmp_path / "listen.html"
    write_atomically(path, listening_page(session))
    start(driver, path.as_uri())
    driver.execute_script("localStorage.clear()")
    orders = []
    for seed in (7, 7, *range(20)):
        driver.get("about:blank")
        driver.get(f"{path.as_uri()}#seed={seed}")
        orders.append(
            driver.execute_script("return trials.map((t) => [t.pair.id, t.clips.a, t.clips.b].join())")
        )
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) >= 10
    n_first = sum(one.startswith("p01,0") for order in orders for one in order)
    assert 4 <= n_first <= 18, "each is A about as often as it is B"


def test_it_fits_a_phone_is_dark_where_asked_and_names_what_it_has(opened: Browser) -> None:
    opened.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True},
    )
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 320
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = opened.execute_script(ground)
    media = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert opened.execute_script(ground) != light
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert text(opened, "note") == NOTE
    for control in opened.find_elements("css selector", "#trial input, #trial button, #trial audio"):
        if control.is_displayed():
            assert control.accessible_name, control.get_attribute("outerHTML")
    grades = opened.find_elements("css selector", "input[name=grade-a]")
    assert [one.accessible_name for one in grades] == ["1 Bad", "2 Poor", "3 Fair", "4 Good", "5 Excellent"]
    assert opened.find_element("id", "progress").accessible_name


@pytest.fixture
def served(session: Session, tmp_path: Path) -> Iterator[str]:
    """The address of the page, served by another thread."""
    ready = threading.Event()
    found: dict[str, Any] = {}

    async def serve() -> None:
        found["loop"], found["stop"] = asyncio.get_running_loop(), asyncio.Event()

        def on_ready(address: str) -> None:
            found["address"] = address
            ready.set()

        await serve_page(session, tmp_path / "ratings.jsonl", port=0, on_ready=on_ready, stop=found["stop"])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield found["address"]
    found["loop"].call_soon_threadsafe(found["stop"].set)
    thread.join(10)


def test_a_served_page_posts_each_rating_as_it_is_made(driver: Browser, served: str, tmp_path: Path) -> None:
    driver.get("about:blank")
    driver.get(f"{served}#seed=3")
    driver.find_element("id", "listener").send_keys("Ana")
    driver.find_element("id", "begin").click()
    rate(driver, "4", "2", "a")
    path = tmp_path / "ratings.jsonl"
    until(driver, path.exists)
    (first,) = until(driver, lambda: read_ratings(path))
    assert (first.listener, first.a.rating, first.b.rating, first.preferred) == ("Ana", 4, 2, "a")
    assert first.at.startswith("20")
    for _ in range(N_PAIRS - 1):
        rate(driver, "3", "3", "0")
    until(driver, lambda: "All were sent" in text(driver, "kept"))
    assert len(read_ratings(path)) == N_PAIRS
    assert driver.get_log("browser") == []
