"""Leak, no leak, not enough data."""

import random

import pytest

from ttsops.ops.soak import Sample, judge

pytestmark = pytest.mark.unit

KIB, MIB = 2**10, 2**20


def samples(leak: float, *, n: int = 120, noise: float = 0.2 * MIB, warm_up: float = 8 * MIB) -> list[Sample]:
    """Five requests for each look; the worker (2) leaks, the server (1) only settles."""
    rng = random.Random(1)
    found = []
    for number in range(n):
        requests = 5 * number
        settling = warm_up * min(1.0, number / (0.2 * n))
        server = 60 * MIB + settling + abs(rng.gauss(0, noise))
        worker = 50 * MIB + leak * requests + abs(rng.gauss(0, noise))
        found.append(Sample(float(number), requests, {1: round(server), 2: round(worker)}))
    return found


def test_a_megabyte_per_request_is_a_leak_and_its_process_is_named() -> None:
    verdict = judge(samples(MIB), tolerance_bytes=10 * KIB)
    assert verdict.word == "leak"
    assert "1024" in verdict.reason
    server, worker = verdict.processes
    assert (server.name, worker.name) == ("server", "worker 2")
    assert worker.per_request is not None
    assert worker.per_request.value == pytest.approx(MIB, rel=0.01)
    assert server.per_request is not None
    assert abs(server.per_request.value) < 10 * KIB


def test_growth_that_ends_is_no_leak() -> None:
    assert judge(samples(0.0), tolerance_bytes=10 * KIB).word == "no leak"


def test_a_step_that_an_allocator_makes_is_no_leak() -> None:
    found = [
        Sample(one.at, one.requests, {1: one.bytes_by_pid[1] + (4 * MIB if one.at > 70 else 0)})
        for one in samples(0.0)
    ]
    assert judge(found, tolerance_bytes=20 * KIB).word != "leak"


def test_without_a_leak_a_hundred_restless_soaks_cry_at_most_once() -> None:
    rng = random.Random(5)
    cries = 0
    for _ in range(100):
        level, found = 60.0 * MIB, []
        for number in range(120):
            level += rng.gauss(0, 0.02 * MIB)  # it wanders, as memory does
            found.append(Sample(float(number), 5 * number, {1: round(level)}))
        cries += judge(found, tolerance_bytes=10 * KIB).word == "leak"
    assert cries <= 1


def test_a_leak_too_small_to_tell_from_noise_is_not_decided() -> None:
    verdict = judge(samples(10 * KIB, n=40, noise=4 * MIB), tolerance_bytes=10 * KIB)
    assert verdict.word == "not enough data"


@pytest.mark.parametrize("n", [0, 1, 9])
def test_few_samples_decide_nothing(n: int) -> None:
    verdict = judge(samples(MIB, n=n), tolerance_bytes=10 * KIB)
    assert verdict.word == "not enough data"
    assert "are needed" in verdict.reason


def test_failed_requests_decide_nothing() -> None:
    assert judge(samples(0.0), tolerance_bytes=10 * KIB, failed_share=0.6).word == "not enough data"


def test_after_a_worker_was_replaced_only_the_new_one_is_judged() -> None:
    found = [
        Sample(one.at, one.requests, {1: one.bytes_by_pid[1], (2 if one.at < 60 else 3): one.bytes_by_pid[2]})
        for one in samples(MIB, n=160)
    ]
    verdict = judge(found, tolerance_bytes=10 * KIB)
    assert (verdict.word, verdict.restarts) == ("leak", 1)
    assert [one.name for one in verdict.processes] == ["server", "worker 3"]
