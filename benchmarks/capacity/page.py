"""The tables of docs/operate/capacity.md, from committed figures alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.capacity.check import TOLERATED
from benchmarks.capacity.devices import RESULTS, devices
from benchmarks.fresh_process import ROOT

PAGE = ROOT / "docs" / "operate" / "capacity.md"
KEPT = RESULTS / "capacity.json"

PRICES = {"NVIDIA H100 80GB": 3.0, "2 CPU cores": 0.1}
"""Per hour, in some unit of money. ASSUMED, to have an example: ask who sells you the device."""

UTILISATION = 0.6
"""Mean listeners / those who could listen. ASSUMED; the sizes of the page say what traffic allows."""

_FIGURES = {
    "refused_share": "429",
    "first_audio_p50": "first audio p50, s",
    "first_audio_p95": "p95, s",
    "underrun_share": "ran dry",
}


def cost_table(prices: Mapping[str, float] = PRICES, utilisation: float = UTILISATION) -> str:
    """What an hour of speech costs on each device that was measured."""
    rows = []
    for one in devices().values():
        price = prices[one.device]
        live = one.listener_price(price, utilisation)
        listeners = "not measured" if one.live_listeners is None else f"{one.live_listeners}"
        rows.append(
            [
                one.device,
                one.engine,
                f"{'at least ' if one.is_at_least else ''}{listeners}",
                f"{one.speech_per_second:.3g}",
                f"{price:.2f}",
                "–" if live is None else f"{'at most ' if one.is_at_least else ''}{live:.3f}",
                f"{one.file_price(price):.4f}",
                f"`{one.source}`",
            ]
        )
    head = [
        "device",
        "engine",
        "live listeners",
        "speech per second, files",
        "price per hour (assumed)",
        f"cost per hour of speech, live, {utilisation:.0%} used",
        "files",
        "measured in",
    ]
    return _table(head, rows)


def size_table(answers: Sequence[Mapping[str, Any]]) -> str:
    """How many servers each traffic needs."""
    rows = []
    for one in answers:
        worst, few = one["worst"], one["too_few"]
        rows.append(
            [
                f"`{one['device']}`",
                f"{one['kind']}, {one['rate']:g}/s",
                f"{one['mean_listeners']:.0f}",
                f"{one['first_audio_p95']:g} s",
                f"**{one['n_servers']}**",
                f"{worst['first_audio_p95']:.3f} s",
                "–" if few is None else _too_few(few),
                f"{one['listeners_per_server']:.1f}",
            ]
        )
    head = [
        "device",
        "who comes",
        "listeners, mean",
        "p95 promised",
        "servers",
        "worst p95",
        "one less",
        "listeners per server",
    ]
    return _table(head, rows)


def _too_few(figures: Mapping[str, float]) -> str:
    return (
        f"p95 {figures['first_audio_p95']:.2f} s, 429 {figures['refused_share']:.1%}, "
        f"dry {figures['underrun_share']:.1%}"
    )


def check_table(scenes: Mapping[str, Mapping[str, Any]]) -> str:
    """Simulated and real, side by side."""
    rows = []
    for name, scene in scenes.items():
        cells = [f"{scene['simulated'][key]:.3f} / {scene['real'][key]:.3f}" for key in TOLERATED]
        rows.append([name, str(scene["requests"]), *cells])
    return _table(["simulated / real", "requests", *(_FIGURES[key] for key in TOLERATED)], rows)


def tables(kept: Mapping[str, Any]) -> dict[str, str]:
    """By the name in the page's marks."""
    return {
        "cost": cost_table(),
        "size": size_table(kept["sizes"]),
        "check": check_table(kept["check"]["scenes"]),
    }


def rendered(text: str, kept: Mapping[str, Any]) -> str:
    """The page with its tables as they are now."""
    for name, table in tables(kept).items():
        text, n_found = re.subn(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", rf"\g<1>{table}\g<2>", text, count=1, flags=re.S
        )
        if not n_found:
            raise ValueError(f"the page has no place for the table `{name}`")
    return text


def write(page: Path = PAGE) -> None:
    """Bring the page up to date."""
    page.write_text(rendered(page.read_text(encoding="utf-8"), read_kept()), encoding="utf-8")


def read_kept() -> dict[str, Any]:
    """What `measure --write` kept."""
    content: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8"))
    return content


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
