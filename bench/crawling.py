"""Crawling: one million rows from a local portal, against a bare download of the same pages.

    python bench/crawling.py --json

`crawl_vs_bare` is a ratio of row rates, ours over the peer's, so large is fast: a whole crawl
(pages parsed, cleaned, merged into the archive, updates and deletions checked) against merely
downloading the same addresses with the same number of connections and throwing the bytes away.
The local portal answers each page after a quarter of a second; a real one takes longer.
`crawl_vs_bare_unthrottled` is the same with no pause, where our own work is the limit. `peak_mb`
is that of the crawling process.
"""

import argparse
import bisect
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.measure import apart, report

MONTHS, EACH, PAGE, CONNECTIONS = 50, 20_000, 10_000, 4


def serve(pause: float) -> None:
    """A portal of MONTHS · EACH rows; prints its port, then the requests it had when asked to stop."""
    rng = np.random.default_rng(0)
    months: dict[str, tuple[list[str], list[bytes]]] = {}
    for number in range(MONTHS):
        month = str(np.datetime64("2014-01", "M") + number)
        keys = sorted(f"row-{value:016x}" for value in rng.integers(0, 1 << 62, EACH))
        place = np.column_stack(
            [rng.uniform(-87.75, -87.6, EACH), rng.uniform(41.7, 42.0, EACH)]
        ).round(6)
        minute = rng.integers(0, 28 * 1440, EACH)
        rows = []
        for i, key in enumerate(keys):
            day, rest = divmod(int(minute[i]), 1440)
            rows.append(
                f'{{":id":"{key}",":updated_at":"2018-02-10T15:50:01.000Z","id":"{number * EACH + i}",'
                f'"date":"{month}-{day + 1:02d}T{rest // 60:02d}:{rest % 60:02d}:00.000","primary_type":"THEFT",'
                f'"longitude":"{place[i, 0]}","latitude":"{place[i, 1]}"}}'.encode()
            )
        months[month] = (keys, rows)
    names = list(months)
    asked: list[str] = []

    def answer(query: dict[str, str]) -> bytes:
        where, select = query.get("$where", ""), query["$select"]
        if select.startswith("count("):
            return json.dumps(
                [{"n": str(MONTHS * EACH), "first": f"{names[0]}-01", "last": f"{names[-1]}-28"}]
            ).encode()
        if select.startswith("max("):
            return b'[{"latest":"2018-02-10T15:50:02.000Z"}]'
        if select.startswith("date_trunc_ym"):
            return json.dumps(
                [{"month": f"{name}-01T00:00:00.000", "n": str(EACH)} for name in names]
            ).encode()
        if ":updated_at" in where or "NULL" in where:
            return b"[]"
        low = re.search(r"date >= '(\d{4}-\d\d)", where)
        high = re.search(r"date < '(\d{4}-\d\d)", where)
        after = re.search(r":id > '([^']*)'", where)
        if not where and int(query["$limit"]) < PAGE:
            return b"[" + b",".join(months[names[0]][1][: int(query["$limit"])]) + b"]"
        inside = [n for n in names if (not low or n >= low[1]) and (not high or n < high[1])]
        limit, rows = int(query["$limit"]), []
        if len(inside) == 1:
            keys, lines = months[inside[0]]
            first = bisect.bisect_right(keys, after[1]) if after else 0
            rows = lines[first : first + limit]
        else:
            pairs = sorted(
                (k, r)
                for n in inside
                for k, r in zip(*months[n], strict=True)
                if not after or k > after[1]
            )
            rows = [row for _, row in pairs[:limit]]
        time.sleep(pause)
        return b"[" + b",".join(rows) + b"]"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 20

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/asked":
                body = json.dumps(asked).encode()
            else:
                asked.append(self.path)
                body = answer({k: v[0] for k, v in parse_qs(parts.query).items()})
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


def crawl(url: str) -> None:
    """The crawl, into an empty archive."""
    from crimecast.crawling import crawl_city

    os.environ["CRIMECAST_DATA"] = tempfile.mkdtemp()
    report(lambda: crawl_city("chicago", url=url, page_size=PAGE)["added"])


def bare(url: str) -> None:
    """The same pages, downloaded and thrown away."""
    import requests

    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
    paths = json.loads(Path(os.environ["BENCH_PATHS"]).read_text())

    def work() -> int:
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            return sum(pool.map(lambda path: len(session.get(url + path).content), paths))

    report(work)


def measure(pause: float) -> dict[str, float]:
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(pause)], stdout=subprocess.PIPE, text=True
    )
    try:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"  # type: ignore[union-attr]
        ours = apart(__file__, "crawl", "--url", url, repeat=1)
        import requests

        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(requests.get(f"{url}/asked", timeout=60).text)
            file.flush()
            os.environ["BENCH_PATHS"] = file.name
            plain = apart(__file__, "bare", "--url", url, repeat=1)
    finally:
        server.kill()
    assert ours["result"] == MONTHS * EACH
    return {
        "ratio": plain["seconds"] / ours["seconds"],
        "peak_mb": ours["peak_mb"],
        "rows_a_second": ours["result"] / ours["seconds"],
        "megabytes": plain["result"] / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=float)
    parser.add_argument("--part", choices=["crawl", "bare"])
    parser.add_argument("--url")
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
    elif options.part:
        {"crawl": crawl, "bare": bare}[options.part](options.url)
    else:
        paced, free = measure(0.25), measure(0.0)
        result = {
            "rows": MONTHS * EACH,
            "crawl_vs_bare": paced["ratio"],
            "peak_mb": paced["peak_mb"],
            "peak_mb_unthrottled": free["peak_mb"],
            "rows_a_second": paced["rows_a_second"],
            "crawl_vs_bare_unthrottled": free["ratio"],
            "rows_a_second_unthrottled": free["rows_a_second"],
        }
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
