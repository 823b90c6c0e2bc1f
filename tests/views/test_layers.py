"""A layer through training: every epoch's maps are those of its checkpoint, the last the finished ones."""

import json

import numpy as np

from crimecast.cities import load_city
from crimecast.designs.spec import load_design
from crimecast.inspect.activations import activations_of_steps
from crimecast.plots.rasters import Panel, quantize
from crimecast.runs.run import load_run
from crimecast.training.checkpoints import epochs_kept
from crimecast.views.layers import layer_scale, layer_view, training_gallery
from tests.runs.here import train


def test_a_layer_is_played_through_training(sample: str) -> None:
    run = train(load_design("stack_plain"), sample, "2023-04-01", "2023-05-01", epochs=2, device="cpu")  # fmt: skip
    run = load_run(run.id)
    epochs = epochs_kept(run.folder)
    view = layer_view(run, "stem", 100)
    message = training_gallery(view, load_city("sample"), True, 0, epochs)
    size = int.from_bytes(message[:4], "little")
    head = json.loads(message[4 : 4 + size])
    assert head["labels"] == [*(f"epoch {e}" for e in epochs), "trained"]
    assert head["steps"] == list(range(len(epochs) + 1))
    assert head["step"] == len(epochs)
    panel = Panel(**head["panels"][0])
    _, top, _ = layer_scale(run, "stem")
    assert panel.high == np.float64(top.max())
    count = view.channels * view.area.size
    body = np.frombuffer(message, np.uint8)[-count * len(head["steps"]) :]
    for i, epoch in enumerate([*epochs, None]):
        own = activations_of_steps(run, [100], ["stem"], epoch)["stem"][0]
        expected = np.stack([quantize(channel, panel) for channel in own])
        assert np.array_equal(body[i * count : (i + 1) * count], expected.ravel())
    if len(epochs) > 1:
        assert not np.array_equal(body[:count], body[-count:])
