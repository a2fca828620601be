"""The studio in a real Chromium: what is heard, what is seen, and whether everybody can use it.

make test-browser
STUDIO_PICTURES=docs/images make test-browser     # and take the pictures of the docs
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from server_site import Site, serving
from studio_page import (
    PICTURES,
    ask,
    by_id,
    choose,
    in_page,
    number,
    opened,
    picture,
    press,
    show,
    silent_after_ms,
    until,
    write,
)

from chromium import BROWSER_TEST, Browser
from ttsops.ops.quality.ratings import read_ratings, summarise
from ttsops.server.keys import KeyStore
from ttsops.settings import (
    AgentSettings,
    EngineSettings,
    LlmSettings,
    MonitorSettings,
    ServerSettings,
    Settings,
    StudioSettings,
    VoiceSettings,
)

pytestmark = BROWSER_TEST

VIEWS = ("speak", "talk", "voices", "compare", "operate")
GOLDEN_VOICE = Path(__file__).parents[1] / "golden" / "voices" / "en-Alice_woman.ogg"
LONG = "The harbour wakes before the town does, and men carry crates of ice along the quay. " * 12


def report(folder: Path) -> None:
    """What an operator would have here: the commands' own reports of the embedded engine."""

    def ttsops(*command: str, into: str = "") -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ttsops", *command], cwd=folder, capture_output=True, check=True
        )
        if into:
            (folder / into).write_bytes(done.stdout)

    ttsops("accept", "--engine", "espeak", "--json", into="accept.json")
    ttsops("golden", "record", "recorded", "--engine", "espeak")
    ttsops("golden", "check", "recorded", "--json", into="golden.json")
    for _ in range(8 if PICTURES else 2):
        ttsops("monitor", "run", "--engine", "espeak")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("studio")
    report(folder)
    settings = Settings(
        engine="espeak",
        engines={
            "espeak": EngineSettings(),
            "tone": EngineSettings(options={"rtf": 0.5}),
            "vibevoice": EngineSettings(
                options={"random_weights": "small", "max_positions": 1024, "threads": 1}
            ),
        },
        voices=VoiceSettings(folder=str(folder / "voices")),
        studio=StudioSettings(reports=str(folder)),
        monitor=MonitorSettings(history=str(folder / "monitor.jsonl")),
        agent=AgentSettings(enabled=True),
        llm=LlmSettings(provider="echo"),
    )
    (folder / "voices").mkdir()
    with serving(settings) as site:
        yield site


@pytest.fixture
def page(driver: Browser, site: Site) -> Iterator[Browser]:
    with opened(driver, site.url) as page:
        yield page


def heard(page: Browser) -> dict[str, Any]:
    """What the audio context puts out at this moment."""
    answer: dict[str, Any] = in_page(
        page,
        """
        const { player } = await import("/studio/js/speak.js");
        const samples = new Float32Array(player.analyser.fftSize);
        player.analyser.getFloatTimeDomainData(samples);
        return {
            state: player.context.state, time: player.context.currentTime,
            peak: samples.reduce((most, one) => Math.max(most, Math.abs(one)), 0),
        };
        """,
    )
    return answer


RECORD = """
    const { player } = await import("/studio/js/speak.js");
    await player.open();
    const sink = player.context.createMediaStreamDestination();
    player.analyser.connect(sink);
    const [track] = sink.stream.getAudioTracks();
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    window.putOut = [];
    void (async () => {
        for (;;) {
            const { done, value } = await reader.read();
            if (done) return;
            const part = new Float32Array(value.numberOfFrames);
            value.copyTo(part, { planeIndex: 0, format: "f32-planar" });
            window.putOut.push({ rate: value.sampleRate, part });
            value.close();
        }
    })();
"""
KEPT = """
    const base64 = (bytes) => new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result.split(",")[1]);
        reader.readAsDataURL(new Blob([bytes]));
    });
    const { all } = await import("/studio/js/history.js");
    const [latest] = await all();
    return {
        rates: [...new Set(window.putOut.map(({ rate }) => rate))],
        put_out: await base64(await new Blob(window.putOut.map(({ part }) => part)).arrayBuffer()),
        kept: await base64(await latest.audio.arrayBuffer()),
    };
"""


# ---- speak ---------------------------------------------------------------------------------


def test_what_is_put_out_is_the_speech_sample_by_sample(page: Browser) -> None:
    in_page(page, RECORD)
    write(page, "text", "Not one sample of this is missing, and none is silent between.")
    press(page, by_id(page, "play"))
    until(lambda: by_id(page, "cancel").is_enabled(), "it does not begin")
    until(lambda: not by_id(page, "cancel").is_enabled(), "it does not end")
    until(lambda: "Not one sample" in by_id(page, "history").text, "it is not kept")
    time.sleep(0.5)
    given = in_page(page, KEPT)
    assert given["rates"] == [24_000]
    put_out = np.frombuffer(base64.b64decode(given["put_out"]), dtype="<f4")
    kept = np.frombuffer(base64.b64decode(given["kept"])[44:], dtype="<i2") / 32767
    assert len(kept) > 2 * 24_000
    assert np.sqrt(np.mean(kept**2)) > 0.02, "silence is played"
    begin = int(np.argmax(np.correlate(put_out, kept[: 24_000 // 2], "valid")))
    played = put_out[begin : begin + len(kept)]
    assert len(played) == len(kept), "its end was not played"
    assert np.max(np.abs(played - kept)) < 1e-3


def test_audio_plays_at_once_and_words_are_followed(page: Browser) -> None:
    press(page, by_id(page, "play"))
    until(lambda: number(page, "f-played") > 0.3, "nothing is played")
    before = heard(page)
    peaks, words = [before["peak"]], set()
    for _ in range(20):
        peaks.append(heard(page)["peak"])
        words.add(page.execute_script("return document.querySelector('#words .now')?.textContent ?? ''"))
        time.sleep(0.05)
    after = heard(page)
    assert before["state"] == after["state"] == "running"
    assert after["time"] > before["time"] + 0.5, "the clock of what is heard stands still"
    assert max(peaks) > 0.05, "silence is played"
    assert len(words - {""}) >= 2, "no word is followed"
    picture(page, "speak")
    until(lambda: not by_id(page, "cancel").is_enabled(), "it does not end")
    assert number(page, "f-underruns") == 0
    assert number(page, "f-rtf") < 1
    assert 0 < number(page, "f-first") < 2000
    assert number(page, "f-played") > 3, "some of it was not played"
    assert len(page.find_elements("css selector", "#downloads button")) == 5


def test_a_second_utterance_is_counted_from_its_own_start(page: Browser) -> None:
    for text in ("The first one is said to its end.", "Short."):
        write(page, "text", text)
        press(page, by_id(page, "play"))
        until(lambda: by_id(page, "cancel").is_enabled(), "it does not begin")
        until(lambda: not by_id(page, "cancel").is_enabled(), "it does not end")
        until(lambda text=text: text in by_id(page, "history").text, "it is not in the history")  # type: ignore[misc]
        played = number(page, "f-played")
        audio = page.find_element("css selector", "#history audio")
        page.execute_script("arguments[0].preload = 'metadata'; arguments[0].load()", audio)
        until(lambda audio=audio: audio.get_property("duration"), "its length is unknown")
        assert abs(played - audio.get_property("duration")) < 0.1, text


def test_stopping_is_silence_within_a_fifth_of_a_second(page: Browser, site: Site) -> None:
    write(page, "text", LONG)
    press(page, by_id(page, "play"))
    until(lambda: number(page, "f-played") > 0.3, "nothing is played")
    assert silent_after_ms(page, "cancel", "/studio/js/speak.js") < 200
    until(lambda: site.runtime.n_live == 0, "the engine still speaks", seconds=5.0)


def test_what_was_spoken_is_kept_and_spoken_again_alike(page: Browser) -> None:
    press(page, by_id(page, "forget"))
    until(lambda: by_id(page, "history").text == "Nothing yet.", "it is not forgotten")
    write(page, "text", "Kept in this browser.")
    press(page, by_id(page, "play"))
    until(lambda: "Kept in this browser." in by_id(page, "history").text, "it is not kept")
    until(lambda: not by_id(page, "cancel").is_enabled(), "it does not end")
    write(page, "text", "Something else.")
    press(page, page.find_element("css selector", "#history button"))
    until(lambda: by_id(page, "text").get_attribute("value") == "Kept in this browser.", "not used again")
    assert by_id(page, "seed").get_attribute("value") != ""
    audio = page.find_element("css selector", "#history audio")
    page.execute_script("arguments[0].play()", audio)
    until(lambda: audio.get_property("currentTime") > 0.1, "it is not replayed")


def test_addresses_of_audio_are_given_back(page: Browser) -> None:
    page.execute_script("""
        window.addresses = 0;
        const { createObjectURL, revokeObjectURL } = URL;
        URL.createObjectURL = (blob) => { window.addresses += 1; return createObjectURL.call(URL, blob); };
        URL.revokeObjectURL = (address) => { window.addresses -= 1; revokeObjectURL.call(URL, address); };
    """)
    press(page, by_id(page, "forget"))
    until(lambda: by_id(page, "history").text == "Nothing yet.", "it is not forgotten")
    n_before = page.execute_script("return window.addresses")
    for text in ("One.", "Two.", "Three."):
        write(page, "text", text)
        press(page, by_id(page, "play"))
        until(lambda text=text: text in by_id(page, "history").text, "it is not kept")  # type: ignore[misc]
    assert page.execute_script("return window.addresses") == n_before + 3
    press(page, by_id(page, "forget"))
    until(lambda: by_id(page, "history").text == "Nothing yet.", "it is not forgotten")
    assert page.execute_script("return window.addresses") == n_before


def test_without_a_place_to_keep_things_the_page_still_speaks(driver: Browser, site: Site) -> None:
    script = driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument",
        {"source": "Object.defineProperty(window, 'indexedDB', { value: undefined })"},
    )
    try:
        with opened(driver, site.url) as page:
            assert "keeps nothing" in by_id(page, "history").text
            press(page, by_id(page, "play"))
            until(lambda: number(page, "f-played") > 0.3, "nothing is played")
            show(page, "operate")
            until(lambda: by_id(page, "health").text, "Operate is empty")
    finally:
        driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_a_mistake_is_told_in_words(page: Browser) -> None:
    write(page, "text", "   ")
    page.execute_script("document.getElementById('text').required = false")
    press(page, by_id(page, "play"))
    said = until(lambda: by_id(page, "error").text, "nothing is said")
    assert "empty" in said.lower()
    assert by_id(page, "error").get_attribute("role") == "alert"


def test_options_of_an_engine_are_a_form(page: Browser) -> None:
    choose(page, "engine", "vibevoice")
    until(lambda: page.find_elements("css selector", '[data-option="cfg_scale"]'), "no options")
    press(page, page.find_element("css selector", "#speak details summary"))
    steps = page.find_element("css selector", '[data-option="steps"]')
    assert (steps.get_attribute("min"), steps.get_attribute("max")) == ("1", "50")
    write(page, "text", "Noise, of random weights.")
    press(page, by_id(page, "play"))
    until(lambda: number(page, "f-played") > 0.2, "nothing is played")
    press(page, by_id(page, "cancel"))


# ---- talk ----------------------------------------------------------------------------------


QUESTION = "Good morning. It is a fine day to speak of many things, one after the other. " * 6


def test_an_answer_is_heard_and_can_be_interrupted(page: Browser) -> None:
    show(page, "talk")
    answer = ask(page, QUESTION)
    until(lambda: "fine day" in answer.text, "it does not answer")
    time.sleep(1.0)
    picture(page, "talk")
    assert silent_after_ms(page, "interrupt", "/studio/js/talk.js") < 200
    until(lambda: answer.text.endswith("…"), "what was heard is not told")
    assert 0 < len(answer.text) < 300, "more is remembered than was heard"


def test_a_second_answer_is_counted_from_its_own_start(page: Browser) -> None:
    page.execute_script("""
        window.said = [];
        const { send } = WebSocket.prototype;
        WebSocket.prototype.send = function (data) {
            window.said.push(JSON.parse(data));
            send.call(this, data);
        };
    """)
    show(page, "talk")
    first = ask(page, "This first question is long enough for some seconds of speech, and then it ends.")
    begin = time.monotonic()
    until(lambda: not by_id(page, "interrupt").is_enabled(), "the first answer does not end")
    first_seconds = time.monotonic() - begin
    assert first_seconds > 3
    assert first.text.endswith("then it ends."), "it was heard whole"
    answer = ask(page, QUESTION)
    begin = time.monotonic()
    time.sleep(1.5)
    assert by_id(page, "interrupt").is_enabled(), "the second answer cannot be interrupted"
    press(page, by_id(page, "interrupt"))
    at_most = time.monotonic() - begin + 0.5
    until(lambda: answer.text.endswith("…"), "what was heard is not told")
    (told,) = [
        one["played_seconds"]
        for one in page.execute_script("return window.said")
        if one["type"] == "interrupt"
    ]
    assert 0.5 < told < at_most < first_seconds + 1.5


# ---- voices --------------------------------------------------------------------------------


def test_a_voice_is_made_from_a_recording_heard_replaced_and_restored(page: Browser) -> None:
    show(page, "voices")
    choose(page, "voices-engine", "vibevoice")
    until(lambda: by_id(page, "import-form").is_displayed(), "no form")
    by_id(page, "import-file").send_keys(str(GOLDEN_VOICE))
    for name, value in (
        ("name", "en-Alice_woman"),
        ("transcript", "what she says in it"),
        ("consent", "Alice agreed on 2026-11-01"),
    ):
        write(page, f"import-{name}", value)
    press(page, by_id(page, "import-agreed"))
    press(page, page.find_element("css selector", "#import-form .primary"))
    until(lambda: "can speak now" in by_id(page, "import-done").text or by_id(page, "error").text, "not made")
    assert by_id(page, "error").text == ""
    item = until(
        lambda: next(
            (one for one in page.find_elements("css selector", "#voice-list li") if "Alice" in one.text), None
        ),
        "it is not listed",
    )
    press(page, item.find_element("xpath", './/button[text()="Listen"]'))
    audio = until(lambda: item.find_elements("css selector", "audio"), "nothing to hear")[0]
    until(lambda: audio.get_property("currentTime") > 0.05, "it is not heard")
    press(page, item.find_element("xpath", './/button[text()="Its recording"]'))
    until(lambda: item.find_elements("css selector", "canvas"), "no picture of the recording")
    assert "Alice agreed" in item.text
    facts = item.find_element("css selector", ".facts")
    facts.find_element("css selector", "input[type=file]").send_keys(
        str(GOLDEN_VOICE.with_name("en-Frank_man.ogg"))
    )
    texts = facts.find_elements("css selector", "input:not([type=file])")
    texts[0].send_keys("something else")
    texts[1].send_keys("Frank agreed on 2026-11-02")
    press(page, facts.find_element("xpath", './/button[text()="Speak from this one"]'))
    until(
        lambda: "from its other recording: 11.0 s" in item.text or by_id(page, "error").text,
        f"not replaced: {item.text}",
    )
    assert by_id(page, "error").text == ""
    assert "Frank agreed" in item.text
    press(page, item.find_element("xpath", './/button[text()="Restore its own"]'))
    until(lambda: "from its own recording: 8.9 s" in item.text, "not restored")
    assert "Alice agreed" in item.text
    picture(page, "voices")


def test_a_recording_nobody_agreed_to_is_not_taken(page: Browser) -> None:
    show(page, "voices")
    choose(page, "voices-engine", "vibevoice")
    until(lambda: by_id(page, "import-form").is_displayed(), "no form")
    by_id(page, "import-file").send_keys(str(GOLDEN_VOICE))
    write(page, "import-name", "en-Nobody_woman")
    write(page, "import-consent", "nobody was asked")
    press(page, page.find_element("css selector", "#import-form .primary"))
    time.sleep(0.3)
    assert by_id(page, "import-done").text == ""
    assert not page.execute_script("return document.getElementById('import-form').checkValidity()")


def test_the_microphone_records(page: Browser) -> None:
    show(page, "voices")
    choose(page, "voices-engine", "vibevoice")
    until(lambda: by_id(page, "record").is_displayed(), "no form")
    press(page, by_id(page, "record"))
    until(lambda: by_id(page, "record-state").text == "Recording…", "it does not record")
    time.sleep(0.7)
    press(page, by_id(page, "record"))
    until(lambda: by_id(page, "record-state").text.startswith("Recorded"), "nothing was recorded")


def test_of_a_file_and_the_microphone_the_last_one_is_sent(page: Browser) -> None:
    show(page, "voices")
    choose(page, "voices-engine", "vibevoice")
    until(lambda: by_id(page, "import-form").is_displayed(), "no form")
    by_id(page, "import-file").send_keys(str(GOLDEN_VOICE))
    press(page, by_id(page, "record"))
    until(lambda: by_id(page, "record-state").text == "Recording…", "it does not record")
    time.sleep(1.0)
    press(page, by_id(page, "record"))
    until(lambda: by_id(page, "record-state").text.startswith("Recorded"), "nothing was recorded")
    assert by_id(page, "import-file").get_attribute("value") == ""
    by_id(page, "import-file").send_keys(str(GOLDEN_VOICE))
    assert by_id(page, "record-state").text == ""


# ---- compare, operate ----------------------------------------------------------------------


def test_a_blind_pair_is_rated_and_summed_up(page: Browser, tmp_path: Path) -> None:
    downloads = tmp_path
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    page.execute_script("localStorage.clear()")
    show(page, "compare")
    until(lambda: page.find_elements("css selector", "#other-voice option"), "no voices")
    press(page, page.find_element("css selector", "#compare-form .primary"))
    until(lambda: by_id(page, "pair").is_displayed(), "no pair")
    assert "espeak" not in by_id(page, "pair").text, "it is blind"
    press(page, page.find_element("css selector", '[data-choice="a"]'))
    revealed = until(lambda: by_id(page, "revealed").text, "not revealed")
    is_other = revealed.split(", B was")[0].endswith("speed 1.2")
    cells = [cell.text for cell in page.find_elements("css selector", "#ratings td")]
    assert cells[2:] == (["0", "0", "1"] if is_other else ["1", "0", "0"])
    picture(page, "compare")
    press(page, by_id(page, "ratings-save"))
    saved = until(lambda: next(downloads.glob("ratings*.json"), None), "it is not saved")
    (duel,) = summarise(read_ratings(saved)).duels
    assert (duel.n_one + duel.n_other, duel.n_none) == (1, 0)
    preferred = duel.one if duel.n_one else duel.other
    assert preferred.endswith("speed 1.2") == is_other


def test_the_operator_sees_who_is_spoken_to_and_how_checks_ended(page: Browser, site: Site) -> None:
    import threading

    import httpx

    def listen() -> None:
        body = {"model": "tone", "input": "a word " * 60, "response_format": "pcm"}
        with httpx.stream("POST", f"{site.url}/v1/audio/speech", json=body, timeout=30) as answer:
            for _ in answer.iter_raw():
                pass

    speaking = threading.Thread(target=listen)
    speaking.start()
    show(page, "operate")
    until(lambda: "tone" in by_id(page, "streams").text, "the stream is not shown")
    until(lambda: by_id(page, "streams").text.count("0.0 s") < 3, "nobody hears anything")
    picture(page, "operate")
    assert "passed" in by_id(page, "accept").text
    assert "gates asked" in by_id(page, "accept").text
    assert "passed" in by_id(page, "golden").text
    assert "8 runs" in by_id(page, "monitor").text if PICTURES else "2 runs" in by_id(page, "monitor").text
    assert len(page.find_elements("css selector", "svg.trend polyline")) == 3
    assert "VibeVoice-1.5B" in by_id(page, "models").text
    speaking.join()
    until(lambda: "Nobody is spoken to." in by_id(page, "streams").text, "the stream is still shown")
    assert "a word" not in by_id(page, "log").text


def test_the_operator_sees_what_failed(page: Browser, site: Site) -> None:
    path = Path(site.settings.studio.reports) / "accept.json"
    kept = path.read_bytes()
    said = json.loads(kept)
    said["ok"] = said["engines"][0]["ok"] = False
    said["engines"][0]["gates"][-1] |= {"outcome": "failed", "detail": "too few words were heard"}
    path.write_text(json.dumps(said))
    try:
        show(page, "operate")
        until(lambda: "FAILED" in by_id(page, "accept").text, "the failure is not shown")
        assert "too few words were heard" in by_id(page, "accept").text
    finally:
        path.write_bytes(kept)


def test_operate_is_asked_only_while_it_is_shown(page: Browser) -> None:
    page.execute_script("""
        window.asked = 0;
        const { fetch } = window;
        window.fetch = (...given) => {
            window.asked += String(given[0]).includes("operate");
            return fetch(...given);
        };
        location.hash = "#operate";
        setTimeout(() => { location.hash = "#speak"; }, 5);
    """)
    time.sleep(0.5)
    until(lambda: by_id(page, "speak").is_displayed(), "the view did not change")
    n_asked = page.execute_script("return window.asked")
    write(page, "text", "   ")
    page.execute_script("document.getElementById('text').required = false")
    press(page, by_id(page, "play"))
    time.sleep(2.5)
    assert page.execute_script("return window.asked") == n_asked
    assert "empty" in by_id(page, "error").text, "what was told is gone"


# ---- keys ----------------------------------------------------------------------------------


def test_with_keys_the_page_asks_and_then_speaks_and_talks(driver: Browser, tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.json")
    secret = store.add("page")
    settings = Settings(
        engine="espeak",
        engines={"espeak": EngineSettings()},
        server=ServerSettings(keys_file=str(store.path)),
        agent=AgentSettings(enabled=True),
        llm=LlmSettings(provider="echo"),
    )
    with serving(settings) as site:
        driver.get(f"{site.url}/")
        until(lambda: by_id(driver, "key-form").is_displayed(), "it does not ask for a key")
        assert "key is needed" in by_id(driver, "error").text
        for key in ("sk-wrong", secret):
            write(driver, "key", key)
            press(driver, driver.find_element("css selector", "#key-form button"))
            if key != secret:
                until(lambda: "not valid" in by_id(driver, "error").text, "a wrong key is taken")
        until(lambda: not by_id(driver, "key-form").is_displayed(), "the right key is not taken")
        press(driver, by_id(driver, "play"))
        until(lambda: number(driver, "f-played") > 0.3, "nothing is played")
        until(lambda: driver.find_elements("css selector", "#words .now"), "no word is followed")
        press(driver, by_id(driver, "cancel"))
        show(driver, "talk")
        answer = ask(driver, "Are you there?")
        until(lambda: "Are you there?" in answer.text, "it does not answer")
        press(driver, by_id(driver, "interrupt"))
        driver.get("about:blank")
    driver.get_log("browser")


# ---- everybody -----------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", VIEWS)
def test_nobody_is_left_out(page: Browser, view: str, scheme: str) -> None:
    from axe_core_python.selenium import Axe

    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    try:
        show(page, view)
        time.sleep(0.3)
        found = Axe().run(page)["violations"]
        assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
        if scheme == "dark" and view == "speak":
            picture(page, "dark")
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.parametrize("view", VIEWS)
def test_it_fits_a_phone(page: Browser, view: str) -> None:
    page.set_window_size(500, 850)
    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        show(page, view)
        assert page.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        if view == "speak":
            picture(page, "phone")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.set_window_size(1280, 900)


def test_a_keyboard_is_enough(page: Browser) -> None:
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    write(page, "text", "By hand.")
    press(page, by_id(page, "text"))
    for _ in range(12):
        ActionChains(page).send_keys(Keys.TAB).perform()
        if page.switch_to.active_element.get_attribute("id") == "play":
            break
    assert page.switch_to.active_element.get_attribute("id") == "play"
    ActionChains(page).send_keys(Keys.ENTER).perform()
    until(lambda: number(page, "f-played") > 0.1, "nothing is played")
