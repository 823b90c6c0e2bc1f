"""The spec being written: every version of it in this session, so that a change can be undone."""

import streamlit as st


class Draft:
    """Versions of one spec, and which of them is shown."""

    def __init__(self, start: str, source: str) -> None:
        kept = st.session_state.setdefault("drafts", {})
        self._own = kept.setdefault(start, {"texts": [source], "at": 0, "refused": None})
        self._start = start
        self.key = self._version()

    def _version(self) -> str:
        """Names the version shown: widgets of another one are other widgets."""
        return f"{self._start}_{self._own['at']}_{len(self._own['texts'])}"

    @property
    def is_shown(self) -> bool:
        """Whether the version that this was made for is still the one shown. Widgets of an earlier one
        may still report a value while the browser takes them down."""
        return self.key == self._version()

    @property
    def text(self) -> str:
        """The version shown."""
        return self._own["texts"][self._own["at"]]

    @property
    def can_undo(self) -> bool:
        """Whether there is a version before."""
        return self._own["at"] > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a version after."""
        return self._own["at"] < len(self._own["texts"]) - 1

    def write(self, text: str) -> None:
        """A new version; those that were undone are gone."""
        if not self.is_shown:
            return
        self._own["refused"] = None
        if text != self.text:
            self._own["texts"] = [*self._own["texts"][: self._own["at"] + 1], text]
            self._own["at"] += 1

    def go(self, by: int) -> None:
        """To an earlier version (−1) or a later one (1)."""
        self._own["refused"] = None
        self._own["at"] = min(max(self._own["at"] + by, 0), len(self._own["texts"]) - 1)

    def refuse(self, why: str) -> None:
        """Remember why the last change could not be made; the version shown stays."""
        self._own["refused"] = why

    @property
    def refused(self) -> str | None:
        """Why the last change could not be made."""
        return self._own["refused"]
