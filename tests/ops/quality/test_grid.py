"""Which settings a sweep has, how they are called, and which one the others are compared with."""

import pytest

from ttsops.errors import InvalidValue
from ttsops.ops.quality.grid import joined, reference_of, settings_of

pytestmark = pytest.mark.unit


def names(axes: dict[str, list[object]]) -> list[str]:
    return [one.name for one in settings_of(axes)]  # type: ignore[arg-type]


def test_every_combination_is_a_setting() -> None:
    found = settings_of({"nfe": [7, 32], "cfg_strength": [1.5, 2]})
    assert [one.name for one in found] == [
        "nfe-7_cfg_strength-1.5",
        "nfe-7_cfg_strength-2",
        "nfe-32_cfg_strength-1.5",
        "nfe-32_cfg_strength-2",
    ]
    assert found[1].options == {"nfe": 7, "cfg_strength": 2}


def test_a_value_given_twice_is_one_setting() -> None:
    assert names({"nfe": [7, 32, 7]}) == ["nfe-7", "nfe-32"]


def test_a_name_is_one_folder_whatever_the_value_is() -> None:
    assert names({"solver": ["sde-dpmsolver++"]}) == ["solver-sde-dpmsolver__"]
    assert names({"voice": ["../../etc/passwd"]}) == ["voice-.._.._etc_passwd"]
    assert names({"..": ["/"]}) == ["-_"]


def test_two_settings_never_share_a_folder() -> None:
    with pytest.raises(InvalidValue, match="share the folder"):
        settings_of({"solver": ["a+", "a-", "a/"]})
    with pytest.raises(InvalidValue, match="share the folder"):
        settings_of({"solver": ["A", "a"]})  # one folder where names have no case


def test_an_option_without_values_is_refused() -> None:
    with pytest.raises(InvalidValue, match="`nfe` has no values"):
        settings_of({"nfe": []})


def test_the_reference_is_the_highest_setting_unless_another_is_named() -> None:
    found = settings_of({"nfe": [5, 32, 16], "sway": [-1, 0]})
    assert reference_of(found).name == "nfe-32_sway-0"
    assert reference_of(found, "nfe-5_sway--1").options == {"nfe": 5, "sway": -1}
    assert reference_of(found, "nfe=16, sway=-1").options == {"nfe": 16, "sway": -1}
    assert reference_of(settings_of({"nfe": [5, 32]}), "5").name == "nfe-5"
    assert reference_of(settings_of({"solver": ["b", "a"]})).name == "solver-b"


@pytest.mark.parametrize(("wish", "why"), [("8", "no setting"), ("nfe=32", "2 settings"), ("x=1", "no set")])
def test_a_reference_names_exactly_one_setting(wish: str, why: str) -> None:
    with pytest.raises(InvalidValue, match=why):
        reference_of(settings_of({"nfe": [5, 32], "sway": [-1, 0]}), wish)


def test_joined_settings_keep_their_order_and_come_once() -> None:
    found = joined(settings_of({"nfe": [7, 32]}), settings_of({"nfe": [5, 7]}))
    assert [one.name for one in found] == ["nfe-7", "nfe-32", "nfe-5"]
