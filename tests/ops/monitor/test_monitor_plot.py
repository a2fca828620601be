"""The trend."""

import sys
from xml.etree import ElementTree as Xml

import pytest

from ops.monitor.runs import SUBJECT, run
from ttsops.errors import InvalidValue, NotInstalled
from ttsops.ops.monitor import plot_png, plot_svg

pytestmark = pytest.mark.unit

RUNS = [run(rtf_best=0.1), run(rtf_best=0.11), run(rtf_best=0.2, word="regression"), run(ttfa=None)]


def test_the_svg_has_a_point_for_each_run_and_a_line_for_each_regression() -> None:
    picture = Xml.fromstring(plot_svg(RUNS))
    tag = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{tag}circle")) == 4 + 4 + 3 + 4 + 4
    dashed = [one for one in picture.findall(f"{tag}line") if one.get("stroke-dasharray") == "4 3"]
    assert len(dashed) == 4
    assert "4 runs, 2026-01-01 to 2026-01-01, 1 regressions" in "".join(picture.itertext())
    assert SUBJECT.machine in "".join(picture.itertext())


def test_the_png_is_one() -> None:
    pytest.importorskip("matplotlib")
    data = plot_png(RUNS)
    assert data.startswith(b"\x89PNG\r\n")
    assert len(data) > 10_000


def test_without_matplotlib_the_line_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(NotInstalled) as caught:
        plot_png(RUNS)
    assert "tts-ops[plots]" in str(caught.value.hint)


def test_nothing_is_drawn_of_nothing() -> None:
    with pytest.raises(InvalidValue, match="no run to draw"):
        plot_svg([])
