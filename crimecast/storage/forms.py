"""What is read back from the data folder is held against its form: a disk, a person or another program
may have changed it, and then one file is damaged, not the program."""

from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crimecast import UserError


class Damaged(UserError, ValueError):
    """A file of the data folder that isn't what was written there."""


@lru_cache(maxsize=64)
def _adapter(form: Any) -> TypeAdapter[Any]:
    return TypeAdapter(form)


def formed(form: Any, value: Any, what: str) -> Any:
    """`value` as the type `form` says (a TypedDict, `dict[str, int]`, …). Raises Damaged, which names
    `what` and the first field that is wrong."""
    try:
        return _adapter(form).validate_python(value)
    except ValidationError as error:
        raise Damaged(f"{what} is damaged ({_first(error)}).") from None


def unfit(form: Any, value: Any) -> str:
    """What keeps a value that is to be written from being of a form; "" if nothing does."""
    try:
        _adapter(form).validate_python(value)
    except ValidationError as error:
        return _first(error)
    return ""


def _first(error: ValidationError) -> str:
    """The first field that is wrong, and how."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"][:6]) or "all of it"
    return f"{field[:80]}: {first['msg'][:80]}"
