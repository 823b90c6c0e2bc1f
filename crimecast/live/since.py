"""What has ended since a moment: trainings and crawls."""

from dataclasses import dataclass
from datetime import UTC, datetime

from crimecast.cities import list_cities
from crimecast.crawling.worker import crawl_progress
from crimecast.runs.run import list_runs

SHOWN = 20


@dataclass(frozen=True)
class Ended:
    """One of them: when (UTC), in words, and the page where there is more of it."""

    at: float
    line: str
    page: str
    query: dict[str, str]

    @property
    def when(self) -> str:
        """When, to the minute."""
        return f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M} UTC"


def since(moment: float) -> list[Ended]:
    """What has ended since then (seconds of the epoch), the latest first."""
    made = [
        Ended(
            run.ended,
            f"{run.id} is {run.state}",
            "pages/runs.py",
            {"city": run.grid.split("-")[0], "grid": run.grid, "run": run.id},
        )
        for run in list_runs()
        if not run.active and run.ended is not None and run.ended > moment
    ]
    for city in list_cities():
        crawl = crawl_progress(city.name)
        if crawl.get("state") in ("done", "failed", "stopped") and crawl.get("at", 0) > moment:
            line = f"the crawl of {city.title} is {crawl['state']}"
            made.append(Ended(crawl["at"], line, "pages/city.py", {"city": city.name}))
    return sorted(made, key=lambda one: -one.at)[:SHOWN]
