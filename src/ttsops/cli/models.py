"""`ttsops models`: list, show, verify, remove; and what moves weights, in `models_move`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ttsops.cli.models_move import pack, pull, sync, unpack
from ttsops.cli.models_report import (
    entry_facts,
    entry_lines,
    list_lines,
    report_facts,
    report_lines,
)
from ttsops.cli.output import EndWith, Exit, print_json, say
from ttsops.cli.verb import HELP, Verb, config_option, verb
from ttsops.errors import AudioError, ModelError
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.models.cache import HubCache
    from ttsops.models.catalogue import Catalogue, Entry
    from ttsops.models.manifest import FileFacts, Manifest


@click.group(context_settings=HELP)
def models() -> None:
    """Fetch weights, check them, carry them to other machines."""


@verb("list", examples=("ttsops models list", "ttsops models list --json"))
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def list_(config: Path | None, as_json: bool) -> None:
    """List the models of the catalogue and of the settings, and which are here."""
    found, cache = _open(config)
    if as_json:
        print_json([entry_facts(entry, cache.find(entry)) for entry in found])
        return
    click.echo("\n".join(list_lines(found, cache)))
    say(f"Kept in `{cache.folder}`")


@verb("show", examples=("ttsops models show realtime", "ttsops models show 7B --json"))
@click.argument("name")
@config_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(name: str, config: Path | None, as_json: bool) -> None:
    """Show all that is known of a model: where it is from, files, checksums, memory, what runs it."""
    found, cache = _open(config)
    entry = found.find(name)
    if as_json:
        print_json(entry_facts(entry, cache.find(entry)))
        return
    click.echo("\n".join(entry_lines(entry, cache.find(entry))))


@verb(
    "verify",
    examples=(
        "ttsops models verify",
        "ttsops models verify realtime --json",
        "ttsops models verify --all --save-manifest weights.json",
        "ttsops models verify --against weights.json",
        "ttsops models verify --prometheus /var/lib/node_exporter/ttsops_models.prom",
    ),
)
@click.argument("names", nargs=-1)
@config_option
@click.option("--all", "is_all", is_flag=True, help="Also what is in the cache and not in the catalogue.")
@click.option("--quick", is_flag=True, help="Without checksums: presence, sizes, headers, index, links.")
@click.option(
    "--save-manifest",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write down what was found, if all of it is whole.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Compare with a manifest that was written before.",
)
@click.option(
    "--prometheus",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write what was found for node_exporter's textfile collector.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify(
    names: tuple[str, ...],
    config: Path | None,
    is_all: bool,
    quick: bool,
    save_manifest: Path | None,
    against: Path | None,
    prometheus: Path | None,
    as_json: bool,
) -> None:
    """Check that weights are the ones, and whole.

    Every file's presence, size, checksum and form, the index against its shards, links that lead nowhere.
    NAMES are models; without them those of the catalogue that are here, and what they need.

    Exit code 0 if all is well, 1 if anything is not or there is nothing to check.
    """
    from ttsops.cli.progress import ByteProgress
    from ttsops.models import manifest as manifests
    from ttsops.models.verify import verify as look_at

    if quick and save_manifest:
        raise click.UsageError("a manifest needs checksums: leave out --quick")
    found, cache = _open(config)
    known = manifests.read_manifest(against) if against else manifests.Manifest(())
    entries = _chosen(names, found, cache, known, is_all)
    reports, absent = [], []
    with ByteProgress("checked") as progress:
        for entry in entries:
            snapshot = cache.find(entry)
            if snapshot is None:
                absent.append(entry)
                continue
            facts = _facts(known, entry)
            reports.append(look_at(snapshot, facts, has_checksums=not quick, on_bytes=progress.add))
    is_well = bool(reports) and not absent and all(report.is_whole for report in reports)
    if as_json:
        print_json({"is_whole": is_well, "models": report_facts(reports, absent)})
    else:
        click.echo("\n".join(report_lines(reports, absent, cache.folder)))
    if prometheus:
        found_whole = {report.snapshot.entry.name: report.is_whole for report in reports}
        _write_textfile(prometheus, dict.fromkeys((entry.name for entry in absent), False) | found_whole)
    if is_well and save_manifest:
        manifests.save_manifest(
            save_manifest, manifests.Manifest(tuple(report.to_manifest() for report in reports))
        )
        say(f"Written to `{save_manifest}`")
    if not is_well:
        raise EndWith(Exit.FAILED)


def _write_textfile(path: Path, models: dict[str, bool]) -> None:
    from ttsops.observe.textfile import write_integrity

    try:
        write_integrity(path, models)
    except OSError as error:
        raise AudioError(f"cannot write `{path}`: {error.strerror}") from error


@verb("remove", examples=("ttsops models remove 7B",))
@click.argument("name")
@config_option
def remove(name: str, config: Path | None) -> None:
    """Delete a model from the cache, with all its revisions; what it shares with others stays.

    NAME is one of the catalogue, or the hub id of whatever is in the cache.
    """
    found, cache = _open(config)
    entry = found.get(name)
    if entry is not None and not entry.repo:
        raise ModelError(f"`{entry.name}` is your own folder `{entry.path}`", hint="delete it yourself")
    here = set(cache.repos())
    wanted = [source.repo for source in entry.sources if source.repo in here] if entry else []
    if not wanted and name in here:
        wanted = [name]
    if not wanted:
        found.find(name)  # tells a name that is not known from one that is not here
        raise ModelError(f"`{name}` is not in `{cache.folder}`", hint="`ttsops models list` shows what is")
    n_bytes = sum(cache.remove(repo) for repo in wanted)
    say(f"Removed {', '.join(f'`{repo}`' for repo in wanted)}: {n_bytes / 2**30:.2f} GiB")


def _open(config: Path | None) -> tuple[Catalogue, HubCache]:
    from ttsops.models.cache import HubCache, cache_folder
    from ttsops.models.catalogue import catalogue

    settings = load_settings(config, os.environ)
    return catalogue(settings), HubCache(cache_folder(settings))


def _chosen(
    names: tuple[str, ...], found: Catalogue, cache: HubCache, known: Manifest, is_all: bool
) -> list[Entry]:
    """What is checked: what was named, else what the manifest has, else what is here and what that needs."""
    from ttsops.models.catalogue import Entry

    if names:
        return list(found.with_parts(names))
    if known.models:
        return [
            found.get(model.name) or Entry(name=model.name, repo=model.repo, revision=model.revision)
            for model in known.models
        ]
    chosen = list(found.with_parts(tuple(entry.name for entry in found if cache.find(entry) is not None)))
    if is_all:
        repos = {source.repo for entry in chosen for source in entry.sources}
        chosen += [Entry(name=repo, repo=repo) for repo in cache.repos() if repo not in repos]
    return chosen


def _facts(known: Manifest, entry: Entry) -> tuple[FileFacts, ...]:
    return known.files_of(entry.name, entry.repo)


verify_cache = Verb(
    "verify-cache",
    callback=verify.callback,
    params=[param for param in verify.params if param.name not in ("quiet", "debug")],
    help=verify.help,
    context_settings=HELP,
    examples=("ttsops verify-cache", "ttsops verify-cache realtime --json"),
)
"""`ttsops models verify` by the name that other tools have for it."""

for _command in (list_, show, pull, sync, verify, pack, unpack, remove):
    models.add_command(_command)
