"""How far a crawl is: counted by its threads, written for whoever watches."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crimecast.storage.store import write_json

Report = Callable[[dict[str, Any]], None]


class Counter:
    """Rows fetched so far, their rate and the time left, for whoever watches."""

    def __init__(self, folder: Path, report: Report) -> None:
        self.folder, self.report = folder, report
        self.rows, self.expected = 0, 0
        self.began = self.told = time.monotonic()
        self.lock = threading.Lock()

    def add(self, rows: int) -> None:
        """Count rows; tell at most twice a second."""
        with self.lock:
            self.rows += rows
            if time.monotonic() - self.told > 0.5:
                self.told = time.monotonic()
                self.tell("crawling")

    def tell(self, state: str, message: str = "", **more: Any) -> None:
        """Write the progress file, with what `more` there is to tell, and call the report."""
        seconds = time.monotonic() - self.began
        rate = self.rows / max(seconds, 1e-6)
        left = (
            (self.expected - self.rows) / rate if rate > 0 and self.expected > self.rows else None
        )
        progress = {
            "state": state, "message": message, "rows": self.rows, "expected": self.expected, "rate": rate,
            "seconds_left": left, "at": time.time(), **more,
        }  # fmt: skip
        write_json(self.folder / "progress.json", progress)
        self.report(progress)
