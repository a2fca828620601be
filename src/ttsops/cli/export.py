"""`ttsops export`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.comparison_lines import comparison_facts, comparison_lines
from ttsops.cli.output import EndWith, Exit, print_json, say
from ttsops.cli.verb import HELP, verb
from ttsops.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Callable

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group(context_settings=HELP)
def export() -> None:
    """Write an engine's weights for other runtimes, and prove it."""


def _weights_options(function: Callable[..., Any]) -> Callable[..., Any]:
    model = click.option("--model", type=click.Path(), default="", help="Weights: a file or a folder.")
    vocoder = click.option(
        "--vocoder",
        type=click.Path(),
        default="",
        help="Folder of the vocoder.  [default: beside the weights]",
    )
    return model(vocoder(function))


@verb(
    "onnx",
    examples=(
        "ttsops export onnx --engine f5 --model weights --out f5-onnx",
        "ttsops export onnx --engine f5 --random-weights small --out noise-onnx",
    ),
)
@click.option("--engine", required=True, help="Engine whose model it is; `f5` can be exported.")
@_weights_options
@click.option(
    "--random-weights",
    type=click.Choice(["small", "full"]),
    help="Without weights: noise of the published model's size, or of a small one's.",
)
@click.option("--out", type=_FOLDER, required=True, help="Folder to write; it must not exist.")
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "fp16"]),
    default="fp32",
    show_default=True,
    help="Number format of the network.",
)
def onnx(engine: str, model: str, vocoder: str, random_weights: str | None, out: Path, dtype: str) -> None:
    """Write a model as ONNX graphs.

    `manifest.json` beside them says of which weights they are, what they take and what made them. Needs the
    extra `onnx`. The folder is there when all of it is written, and not before.

    Exit code 0 if it was written, 2 for a folder that is there, 3 for weights or packages that are not.
    """
    from ttsops.ops.export import export_onnx

    if bool(model) == bool(random_weights):
        raise InvalidValue("weights are missing or named twice", hint="give `--model` or `--random-weights`")
    options = {"model": model, "vocoder": vocoder, "random_weights": random_weights or ""}
    export_onnx(engine, options, out, dtype)
    say(f"Wrote `{out}`: {', '.join(sorted(path.name for path in out.iterdir()))}")


@verb(
    "check",
    examples=(
        "ttsops export check f5-onnx --model weights",
        "ttsops export check case-onnx --case tests/golden/f5/batch2_nfe8_attnmask",
    ),
)
@click.argument("folder", metavar="DIR", type=_FOLDER)
@_weights_options
@click.option(
    "--case",
    "cases",
    multiple=True,
    metavar="DIR",
    type=_FOLDER,
    help="A recording made with these weights, to be sampled again; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def check(folder: Path, model: str, vocoder: str, cases: tuple[Path, ...], as_json: bool) -> None:
    """Compare an export with the weights it was made from.

    DIR is what `ttsops export onnx` wrote. ONNX Runtime computes it on the CPU and PyTorch the weights, from
    the same noise in several sizes. One line for each comparison. With `--case` a recording is sampled again,
    every step of it, by ONNX Runtime alone. An export of random weights needs no `--model`.

    Exit code 0 if all are within tolerance, 1 if one is not, 2 for a folder that is no export, 3 for weights
    or packages that are not there.
    """
    from ttsops.ops.export import check_onnx

    comparisons = check_onnx(folder, {"model": model, "vocoder": vocoder}, cases)
    if as_json:
        print_json([comparison_facts(one) for one in comparisons])
    else:
        click.echo("\n".join(comparison_lines(comparisons)))
    n_far = sum(not one.ok for one in comparisons)
    say(f"{len(comparisons) - n_far} of {len(comparisons)} within tolerance")
    if n_far:
        raise EndWith(Exit.FAILED)


@verb(
    "tensorrt",
    examples=(
        "ttsops export tensorrt f5-onnx --out f5.plan --dry-run",
        "ttsops export tensorrt f5-onnx --out f5.plan --max-chunks 8",
    ),
)
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
@click.option(
    "--max-chunks",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="Chunks of speech in one step: two rows each.",
)
@click.option("--dry-run", is_flag=True, help="Print the command and run nothing.")
def tensorrt(folder: Path, out: Path, max_chunks: int, dry_run: bool) -> None:
    """Build a TensorRT engine of an export, with `trtexec`.

    It has never been run: the machines this was written on have no TensorRT. No engine of this server loads
    what it builds.

    Exit code 0 if it was built, 3 where TensorRT is not installed or did not build it.
    """
    from ttsops.ops.export import build_tensorrt, tensorrt_command

    if dry_run:
        click.echo(shlex.join(tensorrt_command(folder, out, max_chunks)))
        say("Nothing was run.")
        return
    build_tensorrt(folder, out, max_chunks)
    say(f"Wrote `{out}`")


for _command in (onnx, check, tensorrt):
    export.add_command(_command)
