"""Who may do what, and a line for everything that was done.

Whatever changes something (crawl, import, grid, train, stop, delete, note) calls `act`, which refuses
viewers and writes a line of the audit, as refused or begun; what then failed has a second one. The app says who acts by `identify`; without it the command
line's user acts, who may do everything.
"""

import getpass
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from crimecast import UserError
from crimecast.storage.store import data_root

AUDIT = "audit.jsonl"
LONGEST = 300  # characters of what a line says
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Actor:
    """Somebody, and whether they may change things or only look."""

    name: str
    operator: bool


_who: Callable[[], Actor] | None = None
_by_itself = ContextVar("by_itself", default=False)
_acted: ContextVar[tuple[str, str] | None] = ContextVar("acted", default=None)


def identify(who: Callable[[], Actor] | None) -> None:
    """From now on `who` says, at every action, who acts in this process; with None its own user."""
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


def permit(action: str, what: str) -> Actor:
    """Who acts, if they may. Raises UserError for a viewer, with a line of the audit that says so."""
    who = actor()
    if not who.operator:
        _write(who, action, what, "refused")
        raise UserError(f"{who.name} may look at everything, and an operator must {action} {what}.")
    return who


def act(action: str, what: str) -> None:
    """Write a line of the audit before something is changed. Raises UserError for a viewer."""
    _write(permit(action, what), action, what, "begun")
    _acted.set((action, what))


def failed(action: str, what: str, why: str) -> None:
    """Write that what was begun was not done."""
    _write(actor(), action, what, "failed", why)


def accounted(function: Callable[P, T]) -> Callable[P, T]:
    """A function that calls `act`: where it fails afterwards, the audit says that too."""

    @wraps(function)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        before = _acted.set(None)
        try:
            return function(*arguments, **options)
        except BaseException as error:
            if begun := _acted.get():
                failed(*begun, str(error) or type(error).__name__)
            raise
        finally:
            _acted.reset(before)

    return run


def _write(who: Actor, action: str, what: str, outcome: str, why: str = "") -> None:
    entry = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": who.name, "action": action, "what": what[:LONGEST], "outcome": outcome,
    } | ({"why": why[:LONGEST]} if why else {})  # fmt: skip
    line = json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    path = data_root() / AUDIT
    # One write, so that lines never mix; the last one may have been torn when a disk was full.
    with path.open("ab") as file:
        file.write(line if _ends_well(path) else b"\n" + line)


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        return file.read() in (b"\n", b"")


def audit(last: int = 200) -> list[dict[str, str]]:
    """What was begun, failed and was refused, the latest first."""
    path = data_root() / AUDIT
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    entries = []
    for line in reversed(lines):
        with suppress(ValueError, RecursionError):  # one that was torn
            entry = json.loads(line)
            if isinstance(entry, dict):
                entries.append({key: str(value) for key, value in entry.items()})
        if len(entries) == last:
            break
    return entries
