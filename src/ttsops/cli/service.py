"""`ttsops service`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ttsops.cli.output import EndWith, Exit, print_json, say, warn
from ttsops.cli.verb import HELP, config_option, verb
from ttsops.settings import load_settings

if TYPE_CHECKING:
    from ttsops.ops.service.manager import Manager, ServiceState
    from ttsops.ops.service.plan import Plan

name_argument = click.argument("name", type=click.Choice(["tts", "agent"]), default="tts")
system_option = click.option(
    "--system", "is_system", is_flag=True, help="A service of the machine, not of you alone; as root."
)


@click.group(context_settings=HELP)
def service() -> None:
    """Run the server or the agent as a service of systemd or launchd."""


def _manager_options(function: Callable[..., Any]) -> Callable[..., Any]:
    return name_argument(system_option(function))


@verb(
    "install",
    examples=(
        "ttsops service install",
        "ttsops service install agent --config agent.toml",
        "ttsops service install --system --config /etc/ttsops/ttsops.toml",
        "ttsops service install --print systemd",
    ),
)
@_manager_options
@config_option
@click.option("--host", help="Address to listen on.  [default: by the settings, 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port.  [default: by the settings]")
@click.option("--run-as", default="", help="Account of a `--system` service.  [default: one of its own]")
@click.option("--no-start", is_flag=True, help="Install, and let it start at the next boot or login.")
@click.option("--dry-run", is_flag=True, help="Show the file and where it would go; change nothing.")
@click.option(
    "--print",
    "print_for",
    type=click.Choice(["systemd", "launchd"]),
    help="Print the file for that manager, here or elsewhere; change nothing.",
)
def install(
    name: str,
    is_system: bool,
    config: Path | None,
    host: str | None,
    port: int | None,
    run_as: str,
    no_start: bool,
    dry_run: bool,
    print_for: str | None,
) -> None:
    """Install NAME, `tts` or `agent`, and start it; again, to change it.

    It runs this installation, listens on loopback unless you say otherwise, and starts by itself. Its
    settings are those of `--config`, never of your environment; keys go into the file that the unit names, or
    on macOS into files that the settings name. A `--system` service gets an account of its own and sees the
    file system read-only.
    """
    from ttsops.ops.service.launchd import Launchd
    from ttsops.ops.service.manager import find_manager
    from ttsops.ops.service.plan import plan
    from ttsops.ops.service.systemd import Systemd

    if run_as and not is_system:
        raise click.UsageError("--run-as is for a --system service; one of your own runs as you")
    section = "server" if name == "tts" else "agent"
    settings = load_settings(config, {}, {f"{section}.host": host, f"{section}.port": port})
    wanted = plan(name, settings, config=config, host=host, port=port, user=run_as)
    if print_for is not None:
        kinds: dict[str, type[Systemd] | type[Launchd]] = {"systemd": Systemd, "launchd": Launchd}
        click.echo(kinds[print_for](is_system=is_system).text(wanted), nl=False)
        return
    manager = find_manager(is_system=is_system)
    if wanted.is_open:
        warn(
            f"everyone who reaches {wanted.host} may use it: set `server.keys_file`, or put a proxy before it"
        )
    if name == "agent" and not settings.llm.provider:
        warn("`llm.provider` is not set: the agent does not start unless the service's environment names one")
    if dry_run:
        say(f"Would write `{manager.path(name)}`:")
        click.echo(manager.text(wanted), nl=False)
        return
    path = manager.install(wanted, start=not no_start)
    say(_done(manager, wanted, path, is_system=is_system, is_started=not no_start))


@verb("uninstall", examples=("ttsops service uninstall", "ttsops service uninstall agent --system"))
@_manager_options
@click.option("--dry-run", is_flag=True, help="Say what would be removed; change nothing.")
def uninstall(name: str, is_system: bool, dry_run: bool) -> None:
    """Stop NAME and remove it. Its settings, logs and state stay."""
    from ttsops.ops.service.manager import find_manager

    manager = find_manager(is_system=is_system)
    path = manager.path(name)
    if dry_run:
        say(f"Would stop {name} and remove `{path}`" if path.exists() else f"`{path}` is not there")
    elif manager.uninstall(name):
        say(f"Stopped {name} and removed `{path}`")
    else:
        say(f"Nothing to do: `{path}` is not there")


@verb("status", examples=("ttsops service status", "ttsops service status agent --system --json"))
@_manager_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(name: str, is_system: bool, as_json: bool) -> None:
    """Tell how NAME is by its manager; `ttsops health` asks the server itself.

    Exit code 0 if it runs, 3 if not.
    """
    from ttsops.ops.service.manager import find_manager

    state = find_manager(is_system=is_system).state(name)
    if as_json:
        print_json(asdict(state))
    else:
        click.echo("\n".join(_lines(state)))
    if not state.is_running:
        raise EndWith(Exit.UNAVAILABLE)


def _lines(state: ServiceState) -> Iterator[str]:
    yield f"{state.name}: {state.detail}" + (f", process {state.pid}" if state.pid else "")
    if not state.is_installed:
        yield f"not installed: `{state.path}` is not there"
    else:
        yield f"`{state.path}`, {'starts by itself' if state.is_enabled else 'not enabled'}"


def _done(manager: Manager, wanted: Plan, path: Path, *, is_system: bool, is_started: bool) -> str:
    told = (
        f"Wrote `{path}`; {'started' if is_started else 'it starts at the next boot or login'}, {wanted.url}"
    )
    if manager.name == "systemd" and not is_system:
        told += "\nIt runs while you are logged in; `loginctl enable-linger` keeps it running after that"
    return told


for command in (install, uninstall, status):
    service.add_command(command)
