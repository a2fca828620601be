"""What listeners said: read, kept, and summed up with what chance could have done."""

import math
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ttsops.errors import AudioError, InvalidValue
from ttsops.ops.quality.ratings import (
    Rating,
    Side,
    append_rating,
    read_ratings,
    sign_test,
    summarise,
    t_975,
)

pytestmark = pytest.mark.unit


def rating(
    a: tuple[str, int] = ("nfe-7", 4),
    b: tuple[str, int] = ("nfe-32", 5),
    preferred: str = "b",
    **changes: str,
) -> Rating:
    facts = {"page": "page", "session": "s1", "pair": "p01"} | changes
    return Rating(a=Side(*a, 1), b=Side(*b, 1), preferred=preferred, **facts)  # type: ignore[arg-type]


def beyond(t: float, degrees: int) -> float:
    """Probability above `t`, from the density of Student's t."""
    density = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(
        degrees * math.pi
    )
    x = np.linspace(0, t, 200_001)
    return float(0.5 - np.trapezoid(density * (1 + x * x / degrees) ** (-(degrees + 1) / 2), x))


@pytest.mark.parametrize("degrees", [*range(1, 31), 40, 60, 120, 1000])
def test_the_quantiles_of_student_s_t_leave_a_fortieth_beyond(degrees: int) -> None:
    assert beyond(t_975(degrees), degrees) == pytest.approx(0.025, abs=3e-5)


@pytest.mark.parametrize("degrees", [31, 39, 55, 119, 500, 5000])
def test_between_the_table_s_rows_an_interval_is_never_too_narrow(degrees: int) -> None:
    assert 0.022 < beyond(t_975(degrees), degrees) <= 0.0251


@pytest.mark.parametrize(
    ("one", "other", "p"), [(5, 5, 1.0), (9, 1, 22 / 1024), (0, 6, 2 / 64), (1, 0, 1.0), (0, 0, None)]
)
def test_the_sign_test_is_that_of_a_fair_coin(one: int, other: int, p: float | None) -> None:
    assert sign_test(one, other) == sign_test(other, one) == p


def test_opinions_have_the_mean_and_the_interval_of_their_ratings() -> None:
    grades = [3, 4, 4, 5]
    found = summarise(rating(a=("nfe-7", g), pair=f"p{i}") for i, g in enumerate(grades))
    by_setting = {one.setting: one for one in found.opinions}
    seven = by_setting["nfe-7"]
    assert (seven.n, seven.mean) == (4, 4.0)
    assert seven.low == pytest.approx(4 - 3.182 * math.sqrt(2 / 3) / 2)
    assert seven.high == pytest.approx(4 + 3.182 * math.sqrt(2 / 3) / 2)
    assert found.opinions[0].setting == "nfe-32"
    assert (by_setting["nfe-32"].low, by_setting["nfe-32"].high) == (5.0, 5.0)


def test_a_single_rating_has_no_interval() -> None:
    assert summarise([rating()]).opinions[0].low is None


def test_preferences_are_counted_for_the_setting_whichever_side_it_was_on() -> None:
    found = summarise(
        [
            rating(preferred="b", pair="p1"),
            rating(a=("nfe-32", 5), b=("nfe-7", 3), preferred="a", pair="p2"),
            rating(preferred="none", pair="p3"),
            rating(preferred="a", pair="p4"),
        ]
    )
    (duel,) = found.duels
    assert (duel.one, duel.n_one, duel.n_none, duel.n_other, duel.other) == ("nfe-32", 2, 1, 1, "nfe-7")
    assert duel.p == 1.0


def test_of_a_pair_rated_again_by_the_same_listener_the_last_counts() -> None:
    found = summarise([rating(a=("nfe-7", 1)), rating(a=("nfe-7", 5)), rating(session="s2")])
    assert (found.n_ratings, found.n_listeners) == (2, 2)
    assert {one.setting: one.mean for one in found.opinions}["nfe-7"] == 4.5


def test_ratings_are_appended_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    given = [rating(pair=f"p{i}", listener="Zoë", note="random weights") for i in range(3)]
    for one in given:
        append_rating(path, one)
    assert read_ratings(path) == given
    assert path.read_bytes().count(b"\n") == 3
    assert summarise(given).notes == ("random weights",)


def test_the_download_of_the_page_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "ratings.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode({"kind": "x", "ratings": [rating()]})))
    assert read_ratings(path) == [rating()]


@pytest.mark.parametrize("line", ["{}", '{"page": 1', "nothing"])
def test_a_line_that_is_no_rating_is_told_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "ratings.jsonl"
    append_rating(path, rating())
    with path.open("a") as file:
        file.write(line)
    with pytest.raises(InvalidValue, match="line 2"):
        read_ratings(path)


@pytest.mark.parametrize("grade", [0, 6])
def test_a_grade_is_1_to_5(tmp_path: Path, grade: int) -> None:
    path = tmp_path / "ratings.jsonl"
    append_rating(path, rating(a=("nfe-7", grade)))
    with pytest.raises(InvalidValue, match="line 1"):
        read_ratings(path)


def test_a_full_disk_is_an_error_and_not_half_a_line(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("NOT TESTED: this system has no /dev/full")
    with pytest.raises(AudioError, match="cannot write"):
        append_rating(full, rating())
    with pytest.raises(AudioError, match="cannot write"):
        append_rating(tmp_path / "nowhere" / "ratings.jsonl", rating())
