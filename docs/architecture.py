"""The house in one picture and one page, made from the code: `python docs/architecture.py` writes
docs/architecture.md.

The order of the rooms is written here, once; tests/test_architecture.py holds the code to it.
"""

import ast
from collections import defaultdict
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PAGE = TOP / "docs" / "architecture.md"

# From the ground up: a room imports from rooms before it, and from none after. A room is a folder
# or a loose file of crimecast/, or one of the folders and files that use it.
FLOORS = {
    "What everything stands on": ("errors", "storage", "calendar", "machine"),
    "Where events come from": ("cities", "reading", "sources", "records", "crawling"),
    "Counts, what forecasts are worth, networks and what they have to beat": (
        "grids",
        "sample",
        "judging",
        "designs",
        "networks",
        "baselines",
    ),
    "One run, its turn, and its forecasts": ("training", "runs", "forecasting"),
    "What is wrong, and what to change": ("live", "inspect", "diagnose", "lineage"),
    "What is shown": ("plots", "views", "reporting"),
    "Who asks": ("commands", "cli", "__main__", "server", "pages", "entry", "app", "bench"),
}
ORDER = [room for rooms in FLOORS.values() for room in rooms]


def files() -> list[Path]:
    """Every file of the package, the app and the benches."""
    folders = [
        path for name in ("crimecast", "pages", "bench") for path in (TOP / name).rglob("*.py")
    ]
    return [TOP / "app.py", TOP / "entry.py", *sorted(folders)]


def room_of(path: Path) -> str | None:
    """The room that a file lies in; the package's own __init__.py and the tests are in none."""
    parts = path.relative_to(TOP).with_suffix("").parts
    room = parts[1] if parts[0] == "crimecast" else parts[0]
    return None if room in ("__init__", "tests") else room  # benches use the tests' generators


def imported(path: Path) -> set[Path]:
    """The files of ours that a file imports, at its top or within a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [name for a in node.names for name in (f"{node.module}.{a.name}", node.module)]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        else:
            continue
        for name in names:
            stem = TOP.joinpath(*name.split("."))
            found |= {p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()}
    return found - {path}


def imports() -> dict[tuple[str, str], list[str]]:
    """(room, room it imports from) → the files that do so."""
    found = defaultdict(list)
    for path in files():
        room = room_of(path)
        if room is None:
            continue
        for other in sorted({room_of(one) for one in imported(path)} - {room, None}, key=str):
            found[str(room), str(other)].append(path.relative_to(TOP).as_posix())
    return dict(found)


def said(room: str) -> str:
    """The first sentence of a room's docstring."""
    paths = (
        TOP / "crimecast" / room / "__init__.py",
        TOP / "crimecast" / f"{room}.py",
        TOP / f"{room}.py",
    )
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return {"pages": "One file a page: layout only.", "bench": "One script a figure."}[room]
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def arrows(pairs: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The imports that don't follow from others: of a → b → c and a → c the last is left out."""
    below: dict[str, set[str]] = {}
    for room in ORDER:
        direct = {b for a, b in pairs if a == room}
        below[room] = direct.union(*(below[one] for one in direct))
    return [
        (a, b) for a, b in sorted(pairs, key=lambda pair: (ORDER.index(pair[0]), ORDER.index(pair[1])))
        if not any(b in below[other] for x, other in pairs if x == a and other != b)
    ]  # fmt: skip


def page() -> str:
    """The page as Markdown, with the picture as Mermaid."""
    pairs = imports()
    lines = [
        "# The house",
        "",
        "Made from the code by `python docs/architecture.py`, which also holds the order of the rooms;",
        "`tests/test_architecture.py` fails where this page is out of date, or an import runs upwards.",
        "",
        "Data go through the rooms from the ground up, and each imports only from what lies below it. An arrow",
        "points at what is used; one that follows from others isn't drawn (all of them are in the table).",
        "",
        "```mermaid",
        "flowchart TB",
    ]
    for number, (floor, rooms) in enumerate(FLOORS.items()):
        lines += [f'  subgraph floor{number}["{floor}"]', "    direction LR"]
        lines += [f'    {room}["{room}"]' for room in rooms if room != "__main__"] + ["  end"]
    lines += [f"  {a} --> {b}" for a, b in arrows(set(pairs)) if a != "__main__"]
    lines += ["```", "", "| room | what it is | it uses |", "|---|---|---|"]
    for floor, rooms in FLOORS.items():
        lines.append(f"| | **{floor}** | |")
        for room in rooms:
            used = [b for b in ORDER if (room, b) in pairs]
            lines.append(f"| `{room}` | {said(room)} | {', '.join(used)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
