"""An exported network gives what ours gives, for any number of steps at once."""

import io
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from crimecast.errors import UserError
from crimecast.forecasting.exporting import INPUTS, OUTPUT, export_network
from crimecast.inspect.subject import subject
from crimecast.runs.run import load_run


@pytest.mark.long
def test_onnx_and_torch_programs_equal_the_network(sample: str, tmp_path: Path) -> None:
    run = load_run("stack-1")
    one = subject(run)
    batch = one.batch([640, 641, 642, 643, 644])
    arguments = (batch.history, batch.calendar, batch.static)
    with torch.no_grad():
        expected = one.network(*arguments).numpy()
    made = export_network(run, tmp_path / "a.onnx")
    assert made["takes"]["history"][0] == "B"
    session = onnxruntime.InferenceSession((tmp_path / "a.onnx").read_bytes())
    feed = {name: part.numpy() for name, part in zip(INPUTS, arguments, strict=True)}
    known = {entry.name for entry in session.get_inputs()}
    (given,) = session.run([OUTPUT], {k: v for k, v in feed.items() if k in known})
    assert np.allclose(given, expected, atol=1e-4)
    props = {p.key: p.value for p in onnx.load(tmp_path / "a.onnx").metadata_props}
    assert props["run"] == "stack-1"
    export_network(run, tmp_path / "a.pt2")
    about = {"about.json": ""}
    program = torch.export.load(io.BytesIO((tmp_path / "a.pt2").read_bytes()), extra_files=about)
    assert json.loads(about["about.json"])["grid"] == sample
    with torch.no_grad():
        assert np.allclose(program.module()(*arguments).numpy(), expected, atol=1e-5)


def test_other_files_are_refused(sample: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"as \.onnx or \.pt2"):
        export_network(load_run("stack-1"), tmp_path / "a.pkl")
