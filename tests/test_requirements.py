"""Dependencies stand once, and the versions that a fresh install takes are fixed.

`uv pip compile` makes constraints.txt and requirements.lock; the README says how.
"""

import importlib.util
import json
import os
import re
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parent.parent


def pins(name: str) -> set[tuple[str, str]]:
    """(name, version) of every line of a file, and of the files it names."""
    found = set()
    for line in (TOP / name).read_text().splitlines():
        if line.startswith("-r "):
            found |= pins(line[3:])
        elif line and line[0] not in "# ":
            package, sign, version = re.split(r"(==)", line.split(";")[0].rstrip(" \\"))
            assert sign, f"{name}: {line} isn't fixed"
            found.add((re.sub(r"[-_.]+", "-", package).lower(), version.strip()))
    return found


@pytest.mark.parametrize("name", ["constraints.txt", "requirements.lock"])
def test_everything_that_is_asked_for_is_in_it(name: str) -> None:
    assert pins("requirements-dev.txt") <= pins(name), f"renew {name} as the README says"


def test_both_fix_the_same() -> None:
    assert pins("constraints.txt") == pins("requirements.lock")


def test_every_package_has_its_hashes() -> None:
    text = (TOP / "requirements.lock").read_text()
    for entry in re.split(r"\n(?=[a-z])", text)[1:]:
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["constraints.txt", "requirements.lock", "requirements.txt"])
def test_no_file_leads_to_one_machine(name: str) -> None:
    assert not re.search(r"https?://|file:|--(extra-)?index|--find-links", (TOP / name).read_text())


def test_why_is_said_for_each() -> None:
    """The README's table has a line for each direct dependency."""
    table = (TOP / "README.md").read_text().split("## Why each dependency")[1]
    named = {name.lower() for name in re.findall(r"[\w-]+", table)}
    for package, _ in pins("requirements.txt"):
        assert package in named or package.replace("-", "_") in named, package


def test_the_bill_of_materials_is_that_of_the_lock() -> None:
    parts = json.loads((TOP / "sbom.cdx.json").read_text())["components"]
    listed = {(re.sub(r"[-_.]+", "-", part["name"]).lower(), part["version"]) for part in parts}
    assert listed == pins("requirements.lock"), (
        "renew it: .ci/bill requirements.lock > sbom.cdx.json"
    )


@pytest.mark.parametrize(
    ("entry", "version", "holds"),
    [
        ({"versions": ["1.0", "1.1"]}, "1.1", True),
        ({"versions": ["1.0", "1.1"]}, "1.2", False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}]}]}, "1.9", True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.10"}]}]}, "1.10", False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "2"}]}]}, "1.9", False),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1"}, {"last_affected": "2"}]}]}, "2", True),
        ({"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1"}, {"last_affected": "2"}]}]}, "2.1", False),
    ],
)  # fmt: skip
def test_what_a_known_vulnerability_holds_for(
    entry: dict[str, object], version: str, holds: bool
) -> None:
    assert checker().affected(entry, version) is holds


def test_a_vulnerable_package_of_the_bill_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, version = min(pins("requirements.lock"))
    part = {"package": {"ecosystem": "PyPI", "name": name.replace("-", "_")}, "versions": [version]}
    export = tmp_path / "all.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("A-1.json", json.dumps({"id": "A-1", "affected": [part]}))
        archive.writestr(
            "A-2.json", json.dumps({"id": "A-2", "affected": [{**part, "versions": ["0"]}]})
        )
    assert checker().main(export, {}) == 1
    assert capsys.readouterr().out.split()[:2] == ["A-1", name]
    assert checker().main(export, {"A-1": "not used"}) == 0
    os.utime(export, (0, 0))
    assert checker().main(export, {"A-1": "not used"}) == 1


def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "vulnerabilities", TOP / ".ci" / "vulnerabilities.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
