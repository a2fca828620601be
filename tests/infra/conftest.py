"""What the tests of the chart need."""

import pytest

from infra.chart import PRODUCTION, Manifest, render
from infra.chart_cases import CASES
from infra.programs import find_helm


@pytest.fixture(scope="session")
def has_helm() -> None:
    """Asked for only where it is needed: it may have to be fetched."""
    if not find_helm():
        pytest.skip("no helm is here, and none can be had: the chart is NOT rendered")


@pytest.fixture(scope="session")
def rendered(has_helm: None) -> dict[str, list[Manifest]]:
    """What would be installed, by the name of the case."""
    cases = {name: render(values) for name, values in CASES.items()}
    return cases | {"production": render({}, "--values", PRODUCTION)}


@pytest.fixture(scope="session")
def default(rendered: dict[str, list[Manifest]]) -> list[Manifest]:
    return rendered["default"]


@pytest.fixture(scope="session")
def production(rendered: dict[str, list[Manifest]]) -> list[Manifest]:
    return rendered["production"]
