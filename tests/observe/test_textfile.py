"""What `ttsops models verify --prometheus FILE` leaves for node_exporter."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ttsops.observe.machine import Machine
from ttsops.observe.textfile import write_integrity

pytestmark = pytest.mark.unit


def test_models_of_the_last_verification_only(tmp_path: Path) -> None:
    write_integrity(tmp_path / "models.prom", {"gone": True})
    write_integrity(tmp_path / "models.prom", {"whole": True, "damaged": False}, now=1000.0)
    families = {
        family.name: {sample.labels["model"]: sample.value for sample in family.samples}
        for family in text_string_to_metric_families((tmp_path / "models.prom").read_text())
    }
    assert families == {
        "tts_model_integrity_ok": {"whole": 1.0, "damaged": 0.0},
        "tts_model_verified_timestamp_seconds": {"whole": 1000.0, "damaged": 1000.0},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["models.prom"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        write_integrity(tmp_path / "nowhere" / "models.prom", {"a": True})


def test_a_worker_that_has_ended_and_a_folder_to_come_are_no_trouble(tmp_path: Path) -> None:
    machine = Machine()
    machine.watch_worker("gone", 2**22 + 1)
    machine.watch_disk("later", tmp_path / "not" / "yet")
    assert list(machine.worker_bytes()) == []
    ((disk, (n_free, size)),) = machine.disks()
    assert (disk, 0 < n_free <= size) == ("later", True)
    machine.watch_worker("gone", None)
    assert list(machine.worker_bytes()) == []
