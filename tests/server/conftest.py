from collections.abc import Iterator

import httpx
import pytest
from server_site import Site, client_of, serving, tone_settings

from chromium import Browser, start_chromium


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """The test signal at no cost."""
    with serving(tone_settings()) as site:
        yield site


@pytest.fixture(scope="module")
def live_site() -> Iterator[Site]:
    """The test signal at half of real time: an utterance of many words lasts seconds."""
    with serving(tone_settings(rtf=0.5)) as site:
        yield site


@pytest.fixture
def http(site: Site) -> Iterator[httpx.Client]:
    with client_of(site) as client:
        yield client


@pytest.fixture(scope="module")
def driver() -> Iterator[Browser]:
    """One Chromium for a file of tests."""
    driver = start_chromium()
    yield driver
    driver.quit()
