"""Dependencies stand once, and the versions that a fresh install takes are fixed.

`uv pip compile` makes constraints.txt and requirements.lock; the README says how.
"""

import re
from pathlib import Path

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
