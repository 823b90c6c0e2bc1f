"""Which files of an archive of data.police.uk hold crimes: outcomes and stops lie beside them."""

import re
from pathlib import PurePath

from crimecast.reading.notice import Notice

NAME = re.compile(
    r"(?P<month>\d{4}-\d{2})-(?P<force>.+)-(?P<what>street|outcomes|stop-and-search)\.csv"
)
WHAT = {"outcomes": "outcomes", "stop-and-search": "stops and searches"}


def crimes_alone(names: list[str]) -> tuple[list[str], Notice | None]:
    """The names that aren't those of outcomes or stops, and what there is to say of the others."""
    kinds = {
        name: found["what"] if (found := NAME.fullmatch(PurePath(name).name)) else ""
        for name in names
    }
    left = [name for name in names if kinds[name] in WHAT]
    if not left:
        return names, None
    counted = " and ".join(
        f"{sum(kinds[name] == kind for name in left):,} of {said}"
        for kind, said in WHAT.items()
        if kind in kinds.values()
    )
    some = ", ".join(PurePath(name).name for name in left[:3]) + (" …" if len(left) > 3 else "")
    says = f"{len(left):,} files hold no crimes and are left out: {counted} ({some})."
    return [name for name in names if name not in left], Notice("left_out", says)
