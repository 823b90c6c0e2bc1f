"""Who may do what, and a line for everything that was done.

Whatever changes something (crawl, import, grid, train, stop, delete, note) calls `act`, which refuses
viewers and writes a line of the audit. The app says who acts by `identify`; without it the command
line's user acts, who may do everything.
"""

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from crimecast.errors import UserError
from crimecast.storage.store import data_root

AUDIT = "audit.jsonl"


@dataclass(frozen=True)
class Actor:
    """Somebody, and whether they may change things or only look."""

    name: str
    operator: bool


_who: Callable[[], Actor] | None = None
_by_itself = ContextVar("by_itself", default=False)


def identify(who: Callable[[], Actor]) -> None:
    """From now on `who` says, at every action, who acts in this process."""
    global _who
    _who = who


@contextmanager
def by_itself() -> Iterator[None]:
    """Inside the block the program acts of its own accord, as the user that it runs as, whoever looks
    on."""
    before = _by_itself.set(True)
    try:
        yield
    finally:
        _by_itself.reset(before)


def actor() -> Actor:
    """Who acts now."""
    return local_user() if _who is None or _by_itself.get() else _who()


def local_user() -> Actor:
    """The user of this computer, who may do everything."""
    try:
        return Actor(getpass.getuser(), True)
    except (OSError, KeyError):  # a user without a name, as in some containers
        return Actor(f"user {os.getuid()}", True)


def person(email: str) -> Actor:
    """Somebody who has logged in. CRIMECAST_OPERATORS names the operators, separated by commas, as
    addresses or as whole domains (`ana@city.example, @police.example`); everybody else is a viewer."""
    named = {part.strip().lower() for part in os.environ.get("CRIMECAST_OPERATORS", "").split(",")}
    own = email.strip().lower()
    domain = own[own.rfind("@") :] if "@" in own else ""
    return Actor(email, bool(({own, domain} - {""}) & named))


def act(action: str, what: str) -> None:
    """Write a line of the audit before something is changed. Raises UserError for a viewer."""
    who = actor()
    if not who.operator:
        raise UserError(f"{who.name} may look at everything, and an operator must {action} {what}.")
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": who.name, "action": action, "what": what,
    }  # fmt: skip
    with (data_root() / AUDIT).open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")  # one write: lines never mix


def audit(last: int = 200) -> list[dict[str, str]]:
    """What was done, the latest first."""
    path = data_root() / AUDIT
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()[-last:]
    return [json.loads(line) for line in reversed(lines) if line.strip()]
