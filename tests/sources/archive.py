"""The archives of data.police.uk for tests: ZIP files in their form, given in parts behind a redirect."""

import io
import random
import zipfile
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

from tests.serving import Server

HEAD = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Crime type,Last outcome category,Context"  # fmt: skip
OUTCOMES = "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,Outcome type"  # fmt: skip
STOPS = (
    "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range"
)
KINDS = ["Anti-social behaviour", "Burglary", "Bicycle theft", "Violence and sexual offences"]


def street(month: str, force: str, rows: int = 40) -> str:
    """A force's crimes of a month: every fourth is anti-social behaviour, without an id, and stands twice
    at its point; the last has no place."""
    rng = random.Random(f"{month}{force}")
    lines = [HEAD]
    for i in range(rows):
        kind = KINDS[i % 4]
        own = f"{rng.getrandbits(256):064x}" if i % 4 else ""
        point = i // 8 if i % 4 == 0 else i
        east, north = -0.12 + 0.002 * point, 51.5 + 0.001 * point
        place = (
            f"{east:.6f},{north:.6f},On or near High Street" if i < rows - 1 else ",,No Location"
        )
        lines.append(f"{own},{month},{force},{force},{place},E01,A 001A,{kind},,")
    return "\r\n".join(lines) + "\r\n"


def archive(months: list[str], forces: list[str]) -> bytes:
    """A ZIP file of a folder a month with three files a force."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for month in months:
            for force in forces:
                stem = f"{month}/{month}-{force}"
                packed.writestr(f"{stem}-street.csv", street(month, force))
                packed.writestr(
                    f"{stem}-outcomes.csv", f"{OUTCOMES}\r\n1,{month},,,0.1,51.5,,,,Fine\r\n"
                )
                packed.writestr(
                    f"{stem}-stop-and-search.csv", f"{STOPS}\r\nPerson,,,,51.5,0.1,,\r\n"
                )
    return out.getvalue()


class Archives(Server):
    """Serves `held` (name → content) under /data/archive/NAME.zip while in a `with`; `asked` are the spans of
    bytes that were given."""

    def __init__(self, held: dict[str, bytes], whole: bool = False) -> None:
        self.held, self.whole = held, whole
        self.asked: list[tuple[str, int, int]] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def do_GET(self) -> None:
                path = Path(urlsplit(self.path).path)
                content = served.held.get(path.stem)
                if content is None:
                    return self.send(404, b"not there")
                if path.parent.name == "archive":
                    return self.send(302, b"", Location=f"/store/{path.name}")
                if served.whole:
                    return self.send(200, content)
                first, last = self.headers["Range"].removeprefix("bytes=").split("-")
                begin, end = int(first), min(int(last) + 1, len(content))
                served.asked.append((path.stem, begin, end))
                told = f"bytes {begin}-{end - 1}/{len(content)}"
                self.send(206, content[begin:end], **{"Content-Range": told})

            def send(self, status: int, content: bytes, **headers: str) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                return None

        return Handler
