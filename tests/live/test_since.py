"""What has ended since a moment is listed once, the latest first, with the page that has more of it."""

import json
import time

from crimecast.crawling.city import crawl_folder
from crimecast.live.since import since
from crimecast.runs.run import load_run


def test_runs_and_crawls_that_ended_since_then(sample: str) -> None:
    ended = load_run("stack-1").ended
    assert ended is not None
    assert "stack-1 is done" in [one.line for one in since(ended - 1)]
    assert "stack-1 is done" not in [one.line for one in since(ended)]
    now = time.time()
    folder = crawl_folder("chicago")
    folder.mkdir(parents=True, exist_ok=True)
    for state, told in (("done", True), ("failed", True)):
        (folder / "progress.json").write_text(json.dumps({"state": state, "at": now}))
        lines = [one.line for one in since(now - 1)]
        assert (f"the crawl of Chicago is {state}" in lines) == told
    (folder / "progress.json").unlink()
    (news,) = since(ended - 1)[-1:]
    assert news.query == {"city": "sample", "grid": sample, "run": "stack-1"}
    assert news.when.endswith("UTC")
