"""What goes wrong in a part of a page is one sentence in its place, also when the part alone is drawn."""

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

TOP = Path(__file__).parents[2]


def page() -> None:
    import streamlit as st

    from crimecast import UserError
    from pages.parts.guarding import again, part

    def broken(what: str) -> None:
        st.write("begun")
        if st.checkbox("go on"):
            raise UserError(f"There is no {what}.")

    def twice() -> None:
        if st.session_state.setdefault("drawn", 0) < 1:
            st.session_state["drawn"] += 1
            again()
        st.caption(f"again {st.session_state['drawn']}")

    part(broken, "grid")
    part(twice)
    st.write("the rest")


def test_a_part_says_what_is_wrong_with_it() -> None:
    app = AppTest.from_function(page).run()
    assert [one.value for one in app.error] == []
    app.checkbox[0].check().run()
    assert [one.value for one in app.error] == [r"There is no grid\."]
    assert len(app.exception) == 0
    assert [one.value for one in app.markdown] == ["begun", "the rest"]
    assert app.caption[0].value == "again 1"


@pytest.mark.parametrize("path", sorted((TOP / "pages").rglob("*.py")), ids=lambda p: p.name)
def test_no_part_is_drawn_without_a_guard(path: Path) -> None:
    """Streamlit's own fragments would show an error of theirs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [
        one for one in ast.walk(tree) if isinstance(one, ast.Attribute) and one.attr == "fragment"
    ]
    assert path.name == "guarding.py" or not used
