"""Nothing from data is taken for Markdown: no page hands it to Streamlit but through `text`."""

from pathlib import Path

import pytest

from pages.parts.text import NOTHING, text
from tests.pages.markdown import MARKDOWN, PLAIN, Module, elements

TOP = Path(__file__).parents[2]
FILES = [TOP / "entry.py", *sorted((TOP / "pages").rglob("*.py"))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_a_page_shows_text_as_text(path: Path) -> None:
    assert list(Module(path).faults()) == []


def test_every_element_is_known() -> None:
    """A new one of Streamlit's must be looked at: what of it is Markdown?"""
    assert elements() <= MARKDOWN.keys() | PLAIN


@pytest.mark.parametrize(
    "line",
    ["st.error(str(error))", "st.write(name)", "left.caption(f'{name} is here')", "st.title(city.title)",
     "st.tabs([name])", "st.tabs(names)", "st.radio('A', names)", "st.radio('A', [1], format_func=str)",
     "st.button('A', help=name)", "st.button(label=name)", "columns[0].metric('A', value)", "show = st.error",
     "{'a': st.error}['a'](name)", "st.markdown(f'`{text(name)}`')", "st.markdown('a', unsafe_allow_html=True)",
     "st.markdown(f'{n:>5}')", "st.selectbox(name, [])", "st.html(name)", "st.button('A', **more)",
     "x = name\nst.error(x)", "for x in names: st.error(x)", "def f(x):\n  st.error(x)", "st.page_link('p', label=name)",
     "st.column_config.NumberColumn(help=name)", "st.error('a' + name)", "st.error('a' if b else name)",
     "nothing_yet(name, 'a', 'b')", "operator_button(name)", "st.progress(1, text=name)", "st.spinner(name)",
     "with x as y: y.error(name)", "st.plotly_chart(figure)"],
)  # fmt: skip
def test_the_check_finds(line: str, tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text(line, encoding="utf-8")
    assert list(Module(path).faults())


@pytest.mark.parametrize(
    "line",
    ["st.error('a')", "st.error(text(name))", "st.write(f'{n:,} of {x:.2f} {text(y)}')", "st.tabs(['a', 'b'])",
     "st.error(f'{len(x)} rows')", "A = {'a': 'b'}\nst.button(A[x], help=A.get(y))", "'a'.title()",
     "x = 'a' if b else text(name)\nst.error(x)", "for x, y in (('a', n), ('b', n)): st.error(x)"],
)  # fmt: skip
def test_the_check_passes(line: str, tmp_path: Path) -> None:
    path = tmp_path / "page.py"
    path.write_text(line, encoding="utf-8")
    assert not list(Module(path).faults())


@pytest.mark.parametrize(
    ("given", "made"),
    [("stack", "stack"), ("Größe 5", "Größe 5"), ("a_b*c", r"a\_b\*c"), ("a\n\n# b\t c ", r"a \# b c"),
     ("![x](y)", r"\!\[x\]\(y\)"), (":red[a]", r"\:red\[a\]"), ("$x$", r"\$x\$"), ("<b>", r"\<b\>"), (3, "3")],
)  # fmt: skip
def test_marks_are_escaped(given: object, made: str) -> None:
    assert text(given) == made


@pytest.mark.parametrize(
    "given", [":home:", ":material_home:", "http://evil.test", "HTTPS://evil.test", "www.evil.test", "a@evil.test", "a -> b", "<-", "--", ">="]
)  # fmt: skip
def test_what_is_found_in_escaped_text_is_broken_up(given: str) -> None:
    assert NOTHING in text(given)
    assert text(given).replace(NOTHING, "").replace("\\", "") == given
