"""Terraform's own judgement of its files, against the real provider's schema, with AWS as a mock.

The provider comes from a local mirror, `TERRAFORM_MIRROR`, a folder as `terraform providers mirror` makes
it, or from the registry.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

FOLDER = Path(__file__).parents[2] / "infra" / "terraform"
MODULES = ("aws", "release")
README = (FOLDER / "README.md").read_text()

needs_terraform = pytest.mark.skipif(
    not shutil.which("terraform"), reason="terraform is not installed: NOTHING here is validated by it"
)


def blocks(module: str, kind: str) -> dict[str, dict[str, Any]]:
    """Of `variable` or `output`, by name, in order."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((FOLDER / module).glob("*.tf")):
        with path.open() as file:
            for block in hcl2.load(file).get(kind, ()):
                found |= {name.strip('"'): body for name, body in block.items()}
    return found


def table(module: str, kind: str) -> list[tuple[str, str]]:
    """Rows of the README: name and description, and whether a variable must be given."""
    rows = []
    for name, body in blocks(module, kind).items():
        text = body["description"].strip('"')
        must = " **Must be given.**" if kind == "variable" and "default" not in body else ""
        rows.append((f"`{name}`", text + must))
    return rows


@pytest.mark.unit
@pytest.mark.parametrize(
    ("module", "kind"), [("aws", "variable"), ("aws", "output"), ("release", "variable")]
)
def test_the_page_lists_what_there_is(module: str, kind: str) -> None:
    section = README.split(f"## `{module}`: {kind}s\n")[1].split("\n## ")[0]
    listed = re.findall(r"^\| (`\w+`) \| (.*) \|$", section, re.M)
    assert listed == table(module, kind), "\n".join(f"| {a} | {b} |" for a, b in table(module, kind))


@pytest.mark.unit
def test_what_release_is_told_is_what_aws_tells() -> None:
    assert {"cluster_name", "namespace"} <= set(blocks("aws", "output")) & set(blocks("release", "variable"))


class Copy:
    """Of `infra`, in which Terraform may write and a test may make mistakes."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "infra" / "terraform"
        shutil.copytree(FOLDER.parent, home / "infra", ignore=shutil.ignore_patterns(".terraform*"))
        config = home / "terraform.rc"
        mirror = os.environ.get("TERRAFORM_MIRROR", "")
        block = f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n'
        config.write_text(block if mirror else "")
        self.env = {
            **os.environ,
            "TF_CLI_CONFIG_FILE": str(config),
            "TF_IN_AUTOMATION": "1",
            "TF_REGISTRY_CLIENT_TIMEOUT": "5",
            "CHECKPOINT_DISABLE": "1",
        }

    def run(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["terraform", *words, "-no-color"],
            cwd=self.folder / module,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    return Copy(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="module")
def with_provider(terraform: Copy) -> Copy:
    done = terraform.run("aws", "init", "-backend=false", "-input=false")
    if done.returncode:
        pytest.skip(f"no provider of AWS, NOT validated: {done.stderr.strip()[-200:]}")
    return terraform


@pytest.mark.programs
@needs_terraform
@pytest.mark.parametrize("module", MODULES)
def test_files_are_formatted(module: str, terraform: Copy) -> None:
    done = terraform.run(module, "fmt", "-check", "-recursive", "-diff")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.programs
@needs_terraform
def test_the_module_is_valid(with_provider: Copy) -> None:
    done = with_provider.run("aws", "validate")
    assert done.returncode == 0, done.stderr


@pytest.mark.programs
@needs_terraform
def test_its_own_tests_pass(with_provider: Copy) -> None:
    done = with_provider.run("aws", "test")
    assert done.returncode == 0, done.stdout + done.stderr
    n_runs = (FOLDER / "aws/tests/cluster.tftest.hcl").read_text().count("\nrun ")
    assert f"Success! {n_runs} passed, 0 failed." in done.stdout


@pytest.mark.programs
@needs_terraform
def test_its_tests_would_have_told_of_mistakes(with_provider: Copy) -> None:
    mistakes = [
        ("nodes.tf", '"NO_SCHEDULE"', '"PREFER_NO_SCHEDULE"'),
        ("bucket.tf", "block_public_policy     = true", "block_public_policy     = false"),
    ]
    for file, right, wrong in mistakes:
        path = with_provider.folder / "aws" / file
        text = path.read_text()
        assert right in text
        path.write_text(text.replace(right, wrong))
        done = with_provider.run("aws", "test")
        path.write_text(text)
        assert done.returncode == 1, f"{wrong}: {done.stdout}"
