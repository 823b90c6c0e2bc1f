"""Streamlit's front end without a browser: what the server says a page shows, and any message that a
browser could send it, or a person could forge."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.browser.test_guards import stream

LONGEST = 300.0  # seconds that the server may be silent
XSRF = "_streamlit_xsrf"


@dataclass(frozen=True)
class Widget:
    """Something that takes a value: its id, what kind it is, and what the server said of it."""

    id: str
    kind: str
    said: Any

    @property
    def label(self) -> str:
        """The words on it."""
        return str(getattr(self.said, "label", ""))


@dataclass
class Shown:
    """What one run of a page showed."""

    widgets: dict[str, Widget] = field(default_factory=dict)
    tabs: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    redirect: str = ""
    query: str = ""

    def labelled(self, label: str) -> Widget:
        """The widget with these words on it."""
        return next(one for one in self.widgets.values() if one.label == label)


class Frontend:
    """A session of whoever the cookie says, open while in a `with`."""

    def __init__(self, url: str, cookies: dict[str, str] | None = None) -> None:
        self.url, self.cookies = url, cookies or {}
        self.heard: Callable[[Any], object] = lambda delta: None  # told of all that is drawn

    def __enter__(self) -> Self:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Origin": self.url} | ({"Cookie": cookie} if cookie else {})
        self.socket = stream(self.url, self.cookies.get(XSRF, ""), **headers)
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, message: BackMsg) -> None:
        """Send one message."""
        self.socket.send(message.SerializeToString())

    def hear(self) -> ForwardMsg:
        """The next message of the server."""
        found = ForwardMsg()
        found.ParseFromString(bytes(self.socket.recv(LONGEST)))  # type: ignore[arg-type]
        return found

    def show(
        self,
        page: str = "",
        query: str = "",
        states: Iterable[WidgetState] = (),
        fragment: str = "",
    ) -> Shown:
        """Have a page drawn with these widget states, and wait until it is."""
        asked = BackMsg()
        asked.rerun_script.page_name = page
        asked.rerun_script.query_string = query
        asked.rerun_script.fragment_id = fragment
        asked.rerun_script.widget_states.widgets.extend(states)
        self.send(asked)
        shown, began = Shown(query=query), time.monotonic()
        while True:
            found = self.hear()
            kind = found.WhichOneof("type")
            if kind == "new_session":
                shown.widgets.clear()
            elif kind == "delta":
                self.heard(found.delta)
                _note(found.delta, shown)
            elif kind == "auth_redirect":
                shown.redirect = found.auth_redirect.url
            elif kind == "page_info_changed":
                shown.query = found.page_info_changed.query_string
            elif kind == "script_finished" and found.script_finished != (
                ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ):
                return shown
            assert time.monotonic() - began < 2 * LONGEST, (page, query)


def _note(delta: Any, shown: Shown) -> None:
    """Keep what is of interest of one thing drawn."""
    if delta.WhichOneof("type") == "add_block":
        kind = delta.add_block.WhichOneof("type") or ""
        said = getattr(delta.add_block, kind, None)
    else:
        kind = delta.new_element.WhichOneof("type") or ""
        said = getattr(delta.new_element, kind, None)
    if kind == "exception":
        shown.exceptions.append(f"{said.type}: {said.message} {list(said.stack_trace)}")
    elif kind == "tab":
        shown.tabs.add(said.label)
    elif kind in ("alert", "markdown"):
        shown.texts.append(said.body)
    if name := getattr(said, "id", ""):
        shown.widgets[name] = Widget(name, kind, said)


def logged_in(url: str) -> dict[str, str]:
    """Press *Log in*, go to the provider and back as a browser would; the cookies one then has."""
    with Frontend(url) as stranger:
        button = stranger.show().labelled("Log in")
        there = stranger.show(states=[state(button, trigger_value=True)]).redirect
    browser = requests.Session()
    browser.trust_env = False
    browser.get(f"{url}/_stcore/health", timeout=60)
    browser.get(f"{url}{there}" if there.startswith("/") else there, timeout=60)
    return {str(one.name): str(one.value) for one in browser.cookies}


def state(widget: Widget, **value: Any) -> WidgetState:
    """The state of a widget as a message holds it."""
    return WidgetState(id=widget.id, **value)


def values_of(widget: Widget) -> list[WidgetState]:
    """What somebody might do with a widget: press it, give it a few of its own values, and others."""
    said, made = widget.said, WidgetState(id=widget.id)
    if widget.kind in ("button", "download_button"):
        return [WidgetState(id=widget.id, trigger_value=True)]
    if widget.kind == "checkbox":
        return [WidgetState(id=widget.id, bool_value=not said.default)]
    if widget.kind in ("text_input", "text_area"):
        return [WidgetState(id=widget.id, string_value=text) for text in ("forged", "x" * 10_000)]
    if widget.kind == "number_input":
        return [WidgetState(id=widget.id, double_value=number) for number in (said.min + 1, -1e300)]
    if widget.kind in ("selectbox", "radio"):
        options = [one for one in said.options if one != said.raw_value][:3]
        return [WidgetState(id=widget.id, string_value=one) for one in (*options, "../../forged")]
    if widget.kind == "multiselect":
        made.string_array_value.data.extend([*said.options][-1:])
        return [made]
    if widget.kind == "button_group":
        return [_array(widget.id, [one.content]) for one in said.options] + [_array(widget.id, [])]
    if widget.kind == "slider":
        if said.options:
            return [_array(widget.id, [said.options[0]])]
        made.double_array_value.data.append(said.max)
        return [made]
    if widget.kind == "date_input":
        return [_array(widget.id, ["2024/06/01"])]
    if widget.kind == "dataframe":
        edit = {"edited_rows": {"0": {"group": "forged"}}, "added_rows": [{"group": "forged", "types": ["Theft"]}], "deleted_rows": []}  # fmt: skip
        chosen = [{"selection": {"rows": [row], "columns": [], "cells": []}} for row in (0, 10**6, -(10**6))]  # fmt: skip
        return [WidgetState(id=widget.id, string_value=json.dumps(one)) for one in ([edit] if said.editing_mode else chosen)]  # fmt: skip
    if widget.kind == "file_uploader":
        file = made.file_uploader_state_value.uploaded_file_info.add()
        file.file_id, file.name, file.size = "forged", "forged.csv", 10
        return [made]
    if widget.kind == "tab_container":
        return []  # one for each of its tabs, whose labels stand in blocks of their own
    if widget.kind in ("expandable", "popover"):
        return [WidgetState(id=widget.id, bool_value=True)]
    if widget.kind == "bidi_component":
        asked = {"at": {"step": 2, "have": ["forged", 0, 10**9]}, "cell": [1, 1], "channel": 1}
        return [WidgetState(id=widget.id, json_value=json.dumps(asked))]
    return []


def _array(name: str, texts: list[str]) -> WidgetState:
    made = WidgetState(id=name)
    made.string_array_value.data.extend(texts)
    return made
