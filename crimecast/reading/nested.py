"""Records of JSON that stand in several lists, or as lists within other records."""

import re
from collections.abc import Iterator
from typing import Any

from crimecast.reading.columns import plain
from crimecast.reading.notice import Notice

ALIKE = 0.6  # share of the keys of two lists' records that are the same, where they are of one sort
ABOUT = re.compile(r"field|column|schema|meta|link|facet|error|message|include|header")
PLACE = re.compile(r"^(lat|lng|lon|x$|y$|geo|coord|point|location|place|east|north)")
OWN = re.compile(r"time|date|^id$|_id$|^type|offen|categor|crime|when|hour|clock")
FEW = 10  # entries of a list that isn't read, from which on it is said


def lists_of(document: dict[str, Any]) -> tuple[list[Any], list[Notice]]:
    """The records of a document in which they stand in lists below some names: the longest list, and those
    whose records have the same fields, each then with the name of its list in `list`; what there is to say.

    >>> lists_of({"2021": [{"id": 1}], "2022": [{"id": 2}, {"id": 3}]})[0]
    [{'id': 1, 'list': '2021'}, {'id': 2, 'list': '2022'}, {'id': 3, 'list': '2022'}]
    """
    found = list(_lists(document))
    longest = max((records for _, records in found), key=len, default=[])
    keys = _keys(longest)
    alike = [(name, records) for name, records in found if _alike(_keys(records), keys)]
    notices = []
    if len(alike) > 1:
        some = ", ".join(f"'{name}' with {len(records):,}" for name, records in alike[:4])
        says = f"Its records stand in {len(alike):,} lists ({some}{', …' if len(alike) > 4 else ''}): all are read, and 'list' holds the name of each one's."
        notices.append(Notice("several_lists", says, sum(len(records) for _, records in alike)))
        rows = [_named(row, name) for name, records in alike for row in records]
    else:
        rows = longest
    taken = {name for name, _ in alike}
    for name, records in found:
        if name in taken or records is longest or ABOUT.search(name.rpartition("/")[2].lower()):
            continue
        if len(records) >= FEW and isinstance(records[0], dict):
            says = f"The list '{name}', with {len(records):,} entries of other fields, isn't read. If it holds records too, import them from a file of their own."
            notices.append(Notice("unread_list", says, len(records)))
    return rows, notices


def unnested(rows: list[Any]) -> tuple[list[Any], list[Notice]]:
    """Records that each hold a list of records with places and times or types of their own, taken apart: one
    for each entry, with what the outer one says; where the entries are places alone, a notice says that only
    one of them can be read."""
    notices: list[Notice] = []
    for name in _holding(rows):
        inner = [row[name] for row in rows if isinstance(row, dict) and isinstance(row.get(name), list)]  # fmt: skip
        keys = _keys([one for several in inner[:200] for one in several])
        outer = {key for row in rows[:200] if isinstance(row, dict) for key in row} - {name}
        if not _placed(keys) or _placed(outer):
            continue
        if any(OWN.search(plain(key)) for key in keys - outer):
            rows = [one for row in rows for one in _apart(row, name)]
            says = f"Each record holds a list '{name}' of others: each entry of it is taken for a record of its own."
            notices.append(Notice("unnested", says, len(rows)))
        elif several := sum(len(one) > 1 for one in inner):
            says = f"{several:,} records have several places in '{name}', of which one is read: the first. Write the one that is meant in columns of its own."
            notices.append(Notice("several_places", says, several))
    return rows, notices


def _lists(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, list[Any]]]:
    """Every list of records within a document, by the names that lead to it."""
    if depth > 4 or not isinstance(value, dict):
        return
    for key, entry in value.items():
        path = f"{name}/{key}" if name else str(key)
        if isinstance(entry, list) and entry and isinstance(entry[0], dict | list):
            yield path, entry
        else:
            yield from _lists(entry, path, depth + 1)


def _keys(records: list[Any]) -> set[str]:
    return {str(key) for row in records[:50] if isinstance(row, dict) for key in row}


def _alike(one: set[str], other: set[str]) -> bool:
    return bool(one & other) and len(one & other) >= ALIKE * len(one | other)


def _named(row: Any, name: str) -> Any:
    """A record with the name of its list, among the properties of a feature."""
    if not isinstance(row, dict):
        return row
    if row.get("type") == "Feature" and isinstance(row.get("properties"), dict):
        return {**row, "properties": {**row["properties"], "list": name}}
    return {**row, "list": name} if "list" not in row else row


def _holding(rows: list[Any]) -> list[str]:
    """The fields that hold lists of records, in some row more than one."""
    found: dict[str, int] = {}
    for row in rows:
        if isinstance(row, dict):
            for key, value in row.items():
                if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
                    found[key] = max(found.get(key, 0), len(value))
    return [key for key, most in found.items() if most > 1]


def _placed(keys: set[str]) -> bool:
    return any(PLACE.search(plain(str(key))) for key in keys)


def _apart(row: Any, name: str) -> list[Any]:
    """A record as those of its list; what both have a field for is the inner one's."""
    if not isinstance(row, dict) or not isinstance(row.get(name), list):
        return [row]
    outer = {key: value for key, value in row.items() if key != name}
    return [{**outer, **one} if isinstance(one, dict) else one for one in row[name]]
