import json
import shutil
from pathlib import Path

import pytest

from ttsops.errors import ConfigError, InvalidValue, NotFound, RateLimited
from ttsops.server.keys import KEY_PREFIX, ApiKey, KeyStore
from ttsops.server.quota import Quota, Quotas
from ttsops.testing.clock import VirtualClock

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def store(tmp_path: Path, clock: VirtualClock) -> KeyStore:
    return KeyStore(tmp_path / "keys.json", clock=clock)


def test_a_key_opens_until_it_is_removed(store: KeyStore, clock: VirtualClock) -> None:
    secret = store.add("website", max_concurrency=4, rate_per_minute=60)
    store.load()
    found = store.find(secret)
    assert found is not None
    assert (found.name, found.max_concurrency, found.rate_per_minute) == ("website", 4, 60)
    assert store.find(secret + "x") is None
    assert store.find("") is None
    store.remove("website")
    clock.advance(2)
    assert store.find(secret) is None


def test_the_file_holds_no_secret_and_is_its_owners(store: KeyStore) -> None:
    secret = store.add("website")
    assert secret.startswith(KEY_PREFIX)
    assert len(secret) >= len(KEY_PREFIX) + 43, "256 bits"
    assert secret not in store.path.read_text()
    assert store.path.stat().st_mode & 0o077 == 0


def test_a_server_sees_a_key_added_while_it_runs(
    store: KeyStore, clock: VirtualClock, tmp_path: Path
) -> None:
    store.add("first")
    store.load()
    secret = KeyStore(tmp_path / "keys.json").add("second")
    clock.advance(2)
    found = store.find(secret)
    assert found is not None
    assert found.name == "second"


@pytest.mark.parametrize("content", ["{", '{"keys": [{"name": "x"}]}', '{"keyz": []}', ""])
def test_a_file_that_goes_bad_leaves_the_keys_as_they_were(
    store: KeyStore, clock: VirtualClock, content: str
) -> None:
    secret = store.add("website")
    store.load()
    store.path.write_text(content)
    clock.advance(2)
    assert store.find(secret) is not None
    assert store.find("sk-ttsops-guess") is None
    store.path.unlink()
    clock.advance(2)
    assert store.find(secret) is not None


def test_a_file_that_kubernetes_swaps_is_read_again(tmp_path: Path, clock: VirtualClock) -> None:
    """A Secret is a folder of links to a folder that is replaced: the file's own link never changes."""
    first = KeyStore(tmp_path / "1" / "keys.json")
    first.path.parent.mkdir()
    first.add("website")
    (tmp_path / "..data").symlink_to("1")
    (tmp_path / "keys.json").symlink_to("..data/keys.json")
    store = KeyStore(tmp_path / "keys.json", clock=clock)
    store.load()
    shutil.copytree(tmp_path / "1", tmp_path / "2")
    secret = KeyStore(tmp_path / "2" / "keys.json").add("partner")
    (tmp_path / "..tmp").symlink_to("2")
    (tmp_path / "..tmp").replace(tmp_path / "..data")
    clock.advance(2)
    assert store.find(secret) is not None


def test_a_server_does_not_start_without_its_key_file(store: KeyStore) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        store.load()


def test_a_name_is_used_once(store: KeyStore) -> None:
    store.add("website")
    with pytest.raises(InvalidValue, match="already"):
        store.add("website")
    with pytest.raises(NotFound):
        store.remove("web")
    assert [key.name for key in store.list()] == ["website"]


def test_two_keys_of_one_name_are_a_mistake_in_the_file(store: KeyStore) -> None:
    store.add("website")
    content = json.loads(store.path.read_text())
    store.path.write_text(json.dumps({"keys": content["keys"] * 2}))
    with pytest.raises(ConfigError, match="website"):
        store.list()


@pytest.mark.parametrize(
    "limits", [{"max_concurrency": 0}, {"rate_per_minute": 0.0}, {"rate_per_minute": -1.0}]
)
def test_a_limit_that_lets_nobody_in_is_refused(store: KeyStore, limits: dict[str, float]) -> None:
    with pytest.raises(InvalidValue):
        store.add("website", **limits)  # type: ignore[arg-type]
    assert store.list() == ()


# ---- quotas ----------------------------------------------------------------------------


def make_key(**limits: float | None) -> ApiKey:
    return ApiKey(name="website", sha256="0" * 64, created_at=0, **limits)  # type: ignore[arg-type]


def test_a_rate_is_a_minutes_worth_at_once_and_then_an_even_drip(clock: VirtualClock) -> None:
    quota = Quota(make_key(rate_per_minute=6.0), clock)
    for _ in range(6):
        with quota.utterance():
            pass
    with pytest.raises(RateLimited) as caught, quota.utterance():
        pass
    assert caught.value.retry_after == pytest.approx(10.0), "6 a minute is one in ten seconds"
    clock.advance(4)
    with pytest.raises(RateLimited) as caught, quota.utterance():
        pass
    assert caught.value.retry_after == pytest.approx(6.0)
    clock.advance(6)
    with quota.utterance():
        pass


def test_a_rate_below_one_a_minute_still_lets_one_in(clock: VirtualClock) -> None:
    quota = Quota(make_key(rate_per_minute=0.5), clock)
    with quota.utterance():
        pass
    with pytest.raises(RateLimited) as caught, quota.utterance():
        pass
    assert caught.value.retry_after == pytest.approx(120.0)


def test_places_are_given_back_also_by_what_fails(clock: VirtualClock) -> None:
    quota = Quota(make_key(max_concurrency=1), clock)
    with pytest.raises(ZeroDivisionError), quota.utterance():
        raise ZeroDivisionError
    with quota.utterance(), pytest.raises(RateLimited), quota.utterance():
        pass
    with quota.utterance():
        pass


def test_the_wait_for_a_place_is_what_this_keys_utterances_take(clock: VirtualClock) -> None:
    quota = Quota(make_key(max_concurrency=1), clock)
    with quota.utterance():
        clock.advance(8)
    with quota.utterance():
        clock.advance(3)
        with pytest.raises(RateLimited) as caught, quota.utterance():
            pass
    assert caught.value.retry_after == pytest.approx(5.0), "one takes 8 s, and 3 have passed"


def test_a_refusal_costs_no_token(clock: VirtualClock) -> None:
    quota = Quota(make_key(max_concurrency=1, rate_per_minute=2.0), clock)
    with quota.utterance():
        for _ in range(5):
            with pytest.raises(RateLimited), quota.utterance():
                pass
    with quota.utterance():
        pass


def test_new_limits_apply_to_what_runs(clock: VirtualClock) -> None:
    quotas = Quotas(clock)
    key = make_key(max_concurrency=1)
    with quotas.of(key).utterance():
        with pytest.raises(RateLimited), quotas.of(key).utterance():
            pass
        with quotas.of(make_key(max_concurrency=2)).utterance():
            pass
        with pytest.raises(RateLimited), quotas.of(key).utterance():
            pass
