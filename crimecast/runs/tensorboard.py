"""A run's record as TensorBoard's event files, for those who live there."""

from pathlib import Path

from crimecast import UserError
from crimecast.runs.run import Run


def export_tensorboard(run: Run, folder: Path) -> int:
    """Write the run's history into `folder`/RUN; returns the number of scalars.

    `loss/training` and `loss/validation` by epoch, `speed/samples_a_second`, `layer/NAME/…` for
    each layer's norms and activations, and `step/loss`, `step/gradient` and `step/learning_rate` by
    step of the optimiser. Raises UserError if nothing was recorded yet or the folder isn't there.
    """
    from tensorboardX import SummaryWriter

    history = run.history()
    if not history:
        raise UserError(f"{run.id} has no record yet: it hasn't finished an epoch.")
    if not folder.parent.is_dir():
        raise UserError(f"There is no folder {folder.parent}.")
    written = 0
    writer = SummaryWriter(str(folder / run.id))

    def add(name: str, value: float | None, at: int) -> None:
        nonlocal written
        if value is not None:
            writer.add_scalar(name, value, at)
            written += 1

    batches = 0
    for number, entry in enumerate(history, 1):
        add("loss/training", entry["training_loss"], number)
        add("loss/validation", entry["validation_loss"], number)
        add("speed/samples_a_second", entry.get("samples_a_second"), number)
        for layer, numbers in entry.get("layers", {}).items():
            for key, value in numbers.items():
                add(f"layer/{layer}/{key}", value, number)
        for batch, loss, gradient, rate in entry.get("curve", []):
            add("step/loss", loss, batches + int(batch))
            add("step/gradient", gradient, batches + int(batch))
            add("step/learning_rate", rate, batches + int(batch))
        batches += entry.get("batches", 0)
    writer.add_text("spec", f"```toml\n{run.spec}\n```", 0)
    writer.close()
    return written
