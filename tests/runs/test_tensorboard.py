"""The exported events hold what the run recorded, read back record by record."""

import struct
from pathlib import Path

import pytest

from crimecast.designs.spec import parse_design
from crimecast.errors import UserError
from crimecast.runs.run import create_run, load_run
from crimecast.runs.settings import Settings
from crimecast.runs.tensorboard import export_tensorboard
from tests.runs.here import train
from tests.training.test_training import SMALL


def scalars(folder: Path) -> dict[tuple[str, int], float]:
    """Read TFRecord framing: length, its checksum, the event, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    (file,) = folder.glob("events.out.tfevents*")
    data = file.read_bytes()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event = Event.FromString(data[at + 12 : at + 12 + length])
        for value in event.summary.value:
            if value.WhichOneof("value") == "simple_value":
                found[value.tag, event.step] = value.simple_value
        at += length + 16
    return found


def test_the_record_is_exported(sample: str, tmp_path: Path) -> None:
    run = train(parse_design(SMALL), sample, epochs=2)
    count = export_tensorboard(run, tmp_path / "tb")
    found = scalars(tmp_path / "tb" / run.id)
    assert len(found) == count
    for number, entry in enumerate(run.history(), 1):
        assert found["loss/validation", number] == pytest.approx(entry["validation_loss"])
        gradient = entry["layers"]["stem"]["gradient"]
        assert found["layer/stem/gradient", number] == pytest.approx(gradient)


def test_without_a_record_there_is_nothing_to_export(sample: str, tmp_path: Path) -> None:
    run = create_run(
        parse_design(SMALL), sample, 0, "cpu", Settings(9, 10, "2023-01-10", "2023-01-11", 1), None
    )
    from crimecast.runs.run import update_run

    update_run(run.id, state="stopped")
    with pytest.raises(UserError, match="no record yet"):
        export_tensorboard(load_run(run.id), tmp_path / "tb")
