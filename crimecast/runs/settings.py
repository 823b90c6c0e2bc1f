"""What a run is trained by: its periods, its length, where it starts from and where it works."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from crimecast.storage.forms import Damaged, formed


@dataclass(frozen=True)
class Trial:
    """A run's place in a search: the search's name, the trial's number, the values of its fields."""

    search: str
    number: int
    values: dict[str, Any]


@dataclass(frozen=True)
class Settings:
    """Training is steps [0, train) of the grid, validation [train, validate); the dates say the same
    in words. With `refit` it trains once more, on both.

    `left_out` is the share of the city, in blocks, that training doesn't see; `start_from` a run
    whose weights it goes on from; `module` the class of a user's own network; `cluster` the address
    of a Ray cluster ("" for this machine), and `workers` how many of its processes share the run.
    """

    train: int
    validate: int
    train_until: str
    validate_until: str
    epochs: int
    refit: bool = False
    left_out: float = 0.0
    start_from: str | None = None
    module: str | None = None
    cluster: str = ""
    workers: int = 1
    trial: Trial | None = None

    @property
    def learnt_until(self) -> int:
        """The step at which what the network learnt from ends."""
        return self.validate if self.refit else self.train

    def row(self) -> dict[str, Any]:
        """As the record keeps it: plain, without what was left as it is by default."""
        row = {
            field.name: value
            for field in fields(self)
            if (value := getattr(self, field.name)) != field.default or field.name == "refit"
        }
        if self.cluster:
            row |= {"ray": row.pop("cluster"), "workers": self.workers}
        if self.trial:
            trial = asdict(row.pop("trial"))
            row |= {"search": trial["search"], "trial": trial["number"], "values": trial["values"]}
        return row

    @classmethod
    def parse(cls, text: str, what: str = "The settings of a run") -> "Settings":
        """From the record's JSON. Raises Damaged, which names `what`, for anything else."""
        try:
            row = json.loads(text)
        except (ValueError, TypeError):
            raise Damaged(f"{what} is damaged: its settings are no JSON.") from None
        row = dict(formed(dict[str, Any], row, what))
        trial = None
        if "search" in row:
            trial = Trial(row.pop("search"), row.pop("trial", 0), row.pop("values", {}))
        row["cluster"] = row.pop("ray", "")
        return formed(cls, {**row, "trial": trial}, what)
