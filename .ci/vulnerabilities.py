"""Hold the bill of materials against an export of the OSV database, without the network.

    python .ci/vulnerabilities.py PyPI-all.zip

Exit status 1 for a known vulnerability that `.ci/vulnerabilities.toml` doesn't accept with a reason, or for an
export older than 30 days.
"""

import json
import re
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

HERE = Path(__file__).parent
DAYS = 30


def plain(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def affected(entry: dict[str, Any], version: str) -> bool:
    """Whether OSV's entry of a package holds for a version: listed, or within one of its ranges."""
    if version in entry.get("versions", []):
        return True
    for span in entry.get("ranges", []):
        inside = False
        if span.get("type") != "ECOSYSTEM":
            continue
        for event in span.get("events", []):
            try:
                if "introduced" in event:
                    inside = inside or Version(event["introduced"]) <= Version(version)
                elif ("fixed" in event and Version(event["fixed"]) <= Version(version)) or ("last_affected" in event and Version(event["last_affected"]) < Version(
                    version
                )):
                    inside = False
            except InvalidVersion:
                continue
        if inside:
            return True
    return False


def known(export: Path, bill: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """(id, package, summary) of every entry that holds for a package of the bill (name → version)."""
    with zipfile.ZipFile(export) as archive:
        for name in archive.namelist():
            entry = json.loads(archive.read(name))
            if entry.get("withdrawn"):
                continue
            for part in entry.get("affected", []):
                package = plain(part.get("package", {}).get("name", ""))
                if package in bill and affected(part, bill[package]):
                    yield entry["id"], package, str(entry.get("summary", ""))[:120]


def main(export: Path, accepted: dict[str, str]) -> int:
    """Print what is known; the exit status."""
    age = (time.time() - export.stat().st_mtime) / 86_400
    if age > DAYS:
        print(f"{export.name} is {age:.0f} days old: renew it as SECURITY.md says.")
        return 1
    parts = json.loads((HERE.parent / "sbom.cdx.json").read_text())["components"]
    found = sorted(set(known(export, {plain(p["name"]): p["version"] for p in parts})))
    for number, package, summary in found:
        print(
            number,
            package,
            summary,
            f"(accepted: {accepted[number]})" if number in accepted else "",
        )
    return int(any(number not in accepted for number, *_ in found))


if __name__ == "__main__":
    listed = tomllib.loads((HERE / "vulnerabilities.toml").read_text())
    raise SystemExit(main(Path(sys.argv[1]), listed.get("accepted", {})))
