"""Was this newly asked? A component keeps what was last clicked in it, and a page is drawn again and
again: only what differs from the last time is news."""

from typing import Any, TypeGuard, TypeVar

import streamlit as st

T = TypeVar("T")


def newly(asked: T | None, key: str) -> TypeGuard[T]:
    """Whether something is asked that was not asked when this was last looked at under `key`."""
    return changed(asked, key) is not None and asked is not None


def chosen_row(rows: list[int], count: int) -> int | None:
    """The row of a table that is chosen, if it is one of its `count`: a browser may send any number, and
    may still speak of a table that had more."""
    row = rows[0] if rows else None
    return row if type(row) is int and 0 <= row < count else None


def changed(now: Any, key: str) -> list[Any] | None:
    """What stood under `key` when it was last looked at, in a list of one, if that is other than
    `now`; None where it is the same. `now` stands there from here on."""
    before = st.session_state.get(f"seen_{key}")
    st.session_state[f"seen_{key}"] = now
    return None if before == now else [before]
