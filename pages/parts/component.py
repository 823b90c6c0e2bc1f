"""Components of our own: a style sheet and scripts of this folder, joined."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent


def keyed(name: str) -> str:
    """The key of a component that has a name in it: Streamlit keeps `__` for itself."""
    return name.replace("__", "_\u2017")


@st.cache_resource
def component(name: str, style: str, *scripts: str) -> Callable:
    """The component of that name, made once; the last of its scripts has the default export."""
    texts = [(_HERE / script).read_text(encoding="utf-8") for script in scripts]
    css = (_HERE / style).read_text(encoding="utf-8")
    return st.components.v2.component(name, css=css, js="".join(texts))
