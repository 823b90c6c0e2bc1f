"""The last resort: what nobody foresaw becomes one sentence, and its trace a file."""

import errno
import sys
import traceback
import uuid
from contextlib import suppress
from datetime import UTC, datetime

from crimecast import UserError
from crimecast.storage.store import data_root

KEPT = 2_000_000  # bytes of traces; the older half goes when there are more
SAID = {
    errno.ENOSPC: "The disk is full: make room and try again. What was stored before is unharmed.",
    errno.EDQUOT: "The disk quota is used up: make room and try again. What was stored before is unharmed.",
    errno.EROFS: "The disk can only be read, so nothing can be stored there.",
    errno.EIO: "The disk reports a fault of its own; look after it before anything else is stored there.",
    errno.EMFILE: "Too many files are open in this process; close some of its work and try again.",
}

PLACES = {
    errno.ENOTDIR: "a folder is needed there",
    errno.EISDIR: "it is a folder",
    errno.ENAMETOOLONG: "its name is too long",
    errno.ELOOP: "its links lead in a circle",
    errno.EEXIST: "something is there already",
}


def sentence(error: BaseException) -> str:
    """What went wrong, in one sentence: the disk's own trouble by its name, and everything else by
    the number under which its trace stands in faults.log of the data folder."""
    if isinstance(error, MemoryError):
        return "There is not enough memory for this; try it with less at once."
    number = getattr(error, "errno", None)
    if isinstance(error, OSError) and number in SAID:
        return SAID[number]
    if isinstance(error, OSError) and number in PLACES and error.filename:
        return f"{str(error.filename)[:200]} can't be used: {PLACES[number]}."
    if isinstance(error, PermissionError):
        return f"{error.filename or 'The data folder'} may not be written or read by this user."
    return (
        f"Something went wrong that was not foreseen (fault {_logged(error)}): "
        f"{type(error).__name__}. Its trace is in faults.log of the data folder."
    )


def _logged(error: BaseException) -> str:
    """Write a trace to the log; its number."""
    number = uuid.uuid4().hex[:8]
    trace = "".join(traceback.format_exception(error))
    entry = f"--- fault {number}, {datetime.now(UTC).isoformat(timespec='seconds')}\n{trace}\n"
    with suppress(OSError, UnicodeError, UserError):
        path = data_root() / "faults.log"
        if path.exists() and path.stat().st_size > KEPT:
            path.write_bytes(path.read_bytes()[-KEPT // 2 :])
        with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(entry)
        return number
    with suppress(OSError, UnicodeError):  # no disk to write to: then at least where it can be seen
        print(entry, file=sys.stderr)
    return number
