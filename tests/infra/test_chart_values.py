"""Values of the chart: each is in the schema, in values.yaml and on the page, without Helm."""

import json
import re
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from infra.chart import CHART, PRODUCTION, ROOT, leaves, own_schema

pytestmark = pytest.mark.unit

VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
README = (CHART / "README.md").read_text()


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def table() -> list[str]:
    """The rows of the README."""
    return [
        f"| `{path}` | `{cell(json.dumps(default, ensure_ascii=False))}` | {cell(schema['description'])} |"
        for path, schema, default in leaves(own_schema(), VALUES)
    ]


def test_the_page_lists_every_value_with_its_default() -> None:
    listed = re.findall(r"^\| `.*\|$", README.split("## Values\n")[1], re.M)
    assert listed == table(), "\n".join(table())


def keys(values: Any, path: str = "") -> set[str]:
    if not isinstance(values, dict) or not values:
        return {path}
    return {key for name, below in values.items() for key in keys(below, f"{path}.{name}".strip("."))}


def test_the_schema_and_values_yaml_know_the_same_values() -> None:
    known = {path for path, _, _ in leaves(own_schema(), VALUES)}
    free = {path for path in known if isinstance(dict_at(path), dict)}
    written = {
        next((one for one in free if key == one or key.startswith(f"{one}.")), key) for key in keys(VALUES)
    }
    assert written == known


def dict_at(path: str) -> Any:
    value: Any = VALUES
    for name in path.split("."):
        value = value[name]
    return value


def test_what_is_shipped_follows_the_schema() -> None:
    jsonschema.Draft7Validator.check_schema(own_schema())
    validator = jsonschema.Draft7Validator(own_schema())
    for values in (VALUES, yaml.safe_load(PRODUCTION.read_text())):
        assert [error.message for error in validator.iter_errors(values)] == []


def test_nothing_secret_has_a_place_in_values() -> None:
    """Keys come from Secrets that are there: a value would be kept in the release."""
    for path, _, default in leaves(own_schema(), VALUES):
        assert not re.search(r"password|token|apiKey$", path), path
        if path.lower().endswith("secret"):
            assert default == ""


def test_the_chart_has_the_version_of_the_project() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (chart["version"], chart["appVersion"]) == (project["version"], project["version"])


@pytest.mark.parametrize("name", ["rules", "dashboards"])
def test_what_is_monitored_has_one_source(name: str) -> None:
    """A link: Helm follows it, into a package too."""
    link = CHART / "files" / name
    assert link.is_symlink()
    assert link.resolve() == ROOT / "infra" / "monitoring" / name
