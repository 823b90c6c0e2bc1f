"""Where everything that the app writes lies, and how it is written so that nothing is ever half there."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import platformdirs

from crimecast import UserError

PACKAGE = Path(__file__).resolve().parents[1]
# What lies beside the package in a clone (app.py, pages/, data/sample) is in it where it was installed.
INSTALLED = (PACKAGE / "shipped").is_dir()
TOP = PACKAGE / "shipped" if INSTALLED else PACKAGE.parent


def data_root() -> Path:
    """The data folder: `CRIMECAST_DATA` if set, else `data/` of the clone that this is; where it was
    installed, a folder of the user's own."""
    root = _resolved(os.environ.get("CRIMECAST_DATA", ""))
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{root} can't be the data folder: {error.strerror}.") from None
    return root


@lru_cache(maxsize=8)  # asked for hundreds of times a page
def _resolved(given: str) -> Path:
    own = platformdirs.user_data_path("crimecast", appauthor=False) if INSTALLED else TOP / "data"
    return Path(given or own).expanduser().resolve()


def folder(*parts: str) -> Path:
    """A folder below the data root, made if missing."""
    path = data_root().joinpath(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` when the block ends well.

    Works for files and folders. A failure leaves what was there before untouched. The name says which
    process writes it (see sweeping.sweep).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.part"
    try:
        yield temporary
        if temporary.is_dir():
            if path.exists():
                shutil.rmtree(path)
        else:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            with suppress(OSError):  # what went wrong before is to be told, not this
                temporary.unlink(missing_ok=True)


def scratch() -> TemporaryDirectory[str]:
    """A folder among the machine's temporary files, gone when the block ends; its name says which process
    works in it (see sweeping.sweep)."""
    return TemporaryDirectory(prefix=f"crimecast-{os.getpid()}-")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON document atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1), encoding="utf-8")


def stamp(path: Path) -> int:
    """When a file was last written (ns), 0 where there is none: part of the key of what is cached of it."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def read_json(path: Path, form: Any = None) -> Any:
    """Read a JSON document; with `form`, as that type says (see forms.formed).

    Raises Damaged, a UserError and a ValueError, where it isn't what was written; OSError.
    """
    from crimecast.storage.forms import Damaged, formed

    what = f"{path.parent.name}/{path.name} in the data folder"
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise Damaged(f"{what} is damaged: it is no JSON.") from None
    return document if form is None else formed(form, document, what)
