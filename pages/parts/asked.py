"""Was this newly asked? A component keeps what was last clicked in it, and a page is drawn again and
again: only what differs from the last time is news."""

from typing import Any, TypeGuard, TypeVar

import streamlit as st

T = TypeVar("T")


def newly(asked: T | None, key: str) -> TypeGuard[T]:
    """Whether something is asked that was not asked when this was last looked at under `key`."""
    return changed(asked, key) is not None and asked is not None


def changed(now: Any, key: str) -> list[Any] | None:
    """What stood under `key` when it was last looked at, in a list of one, if that is other than
    `now`; None where it is the same. `now` stands there from here on."""
    before = st.session_state.get(f"seen_{key}")
    st.session_state[f"seen_{key}"] = now
    return None if before == now else [before]
