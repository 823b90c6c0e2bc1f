"""Finds what pages show as Markdown without having made sure that it is meant."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

# Which arguments Streamlit takes for Markdown, by place (after the object itself) and by name.
LABELLED = (
    "audio_input", "button", "camera_input", "checkbox", "color_picker", "date_input", "datetime_input",
    "download_button", "expander", "file_uploader", "form_submit_button", "link_button", "multiselect",
    "number_input", "popover", "selectbox", "slider", "status", "text_area", "text_input", "time_input", "toggle",
    "badge",
)  # fmt: skip
BODIED = (
    "caption",
    "header",
    "subheader",
    "title",
    "markdown",
    "toast",
    "error",
    "info",
    "success",
    "warning",
)
MARKDOWN: dict[str, dict[int | None, str]] = {
    **{name: {0: "label", None: "help"} for name in LABELLED},
    **{name: {0: "body", None: "help"} for name in BODIED},
    **{name: {0: "label", 1: "options", None: "help"} for name in ("radio", "pills", "segmented_control", "select_slider", "menu_button")},
    "metric": {0: "label", 1: "value", 2: "delta", 4: "help"},
    "page_link": {1: "label", None: "help"},
    "progress": {1: "text"},
    "spinner": {0: "text"},
    "tabs": {0: "tabs"},
    "text": {1: "help"},
    "write": {i: str(i) for i in range(9)},
    "table": {0: "data"}, "image": {1: "caption"}, "latex": {0: "body"},
    "html": {0: "body"}, "write_stream": {0: "stream"}, "dialog": {0: "title"}, "iframe": {0: "src"},
    **{name: {None: "help"} for name in dir(st.column_config) if name.endswith("Column")},
    # Our own, which hand on what they are given.
    "operator_button": {0: "label", None: "help"},
    "frame": {0: "title", 1: "purpose"}, "heading": {0: "title", 1: "purpose"}, "nothing_yet": {0: "text", 2: "label"},
    "choose": {1: "label"}, "_pick": {3: "label", 5: "text"}, "_number": {3: "label", 4: "text"}, "_several": {3: "label", 5: "text"},
    "_numbers": {3: "label", 4: "text"}, "pick": {0: "label"}, "other_run": {1: "label"}, "Page": {1: "title"},
}  # fmt: skip
NAMED = ("help", "title", "format_func")  # Markdown wherever an element has it
PLAIN_FORMAT = ("selectbox", "multiselect")  # their options are text by themselves
# Elements that show nothing as Markdown, with those that are never used.
PLAIN = {
    "add_rows", "altair_chart", "area_chart", "audio", "balloons", "bar_chart", "bokeh_chart", "chat_input",
    "chat_message", "code", "columns", "container", "data_editor", "dataframe", "echarts_chart", "empty", "exception", "feedback",
    "form", "graphviz_chart", "grid", "help", "json", "line_chart", "logo", "map", "pdf", "plotly_chart",
    "pydeck_chart", "pyplot", "scatter_chart", "snow", "vega_lite_chart", "video", "dg", "id",
    "mermaid_chart", "pagination", "skeleton", "space", "divider",
}  # fmt: skip
NUMBERS = tuple("bcdeEfFgGnoxX%,")  # a format that no text can have
FORMS = {"int", "float", "len", "text"}


def elements() -> set[str]:
    """Whatever Streamlit can draw."""
    return {name for name, _ in inspect.getmembers(DeltaGenerator) if not name.startswith("_")}


class Module:
    """One file of the pages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self.parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }

    def faults(self) -> Iterator[str]:
        """Each with its line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                for what in self.wrong(node):
                    yield f"{self.path.name}:{node.lineno}: {what}"
            elif isinstance(node, ast.Attribute) and self.renamed(node):
                yield f"{self.path.name}:{node.lineno}: {node.attr} under another name"

    def renamed(self, node: ast.Attribute) -> bool:
        called = self.parents.get(node)
        return (
            isinstance(node.value, ast.Name)
            and node.value.id == "st"
            and node.attr in MARKDOWN
            and not (isinstance(called, ast.Call) and called.func is node)
        )

    def wrong(self, call: ast.Call) -> Iterator[str]:
        """What of a call may be taken for Markdown."""
        function = call.func
        name = getattr(function, "attr", getattr(function, "id", ""))
        if isinstance(function, ast.Name) and name in elements() and name not in ("text", "frame"):
            return  # a function of the page's own, called so too
        for keyword in call.keywords:
            if keyword.arg == "unsafe_allow_html":
                yield f"{name}: HTML"
        if name == "plotly_chart" and "plain" not in ast.unparse(call.args[0]):
            yield "plotly_chart: names that Plotly takes for HTML; use charts.draw"
        if name not in MARKDOWN or (name == "text" and isinstance(function, ast.Name)):
            return
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant):
            return  # a method of a text
        if ast.unparse(getattr(function, "value", function)) == "draft":
            return
        table = MARKDOWN[name]
        for place, value in enumerate(call.args):
            if name == "html" and isinstance(value, ast.Name) and value.id.isupper():
                continue  # a file of ours
            if place in table and not self.safe(value):
                yield f"{name}: {ast.unparse(value)}"
        for keyword in call.keywords:
            if keyword.arg is None:
                if not self.options(keyword.value):
                    yield f"{name}: **{ast.unparse(keyword.value)}"
            elif keyword.arg == "format_func" and name in PLAIN_FORMAT:
                continue
            elif keyword.arg in (*table.values(), *NAMED) and not self.safe(keyword.value):
                yield f"{name}: {keyword.arg}={ast.unparse(keyword.value)}"

    def options(self, value: ast.expr) -> bool:
        """Options handed on: those of a viewer's button, or a dictionary that is safe."""
        if ast.unparse(value) in ("locked()", "options | locked()"):
            return True
        if isinstance(value, ast.Name):
            found = self.bindings(value)
            return bool(found) and all(
                isinstance(bound, ast.Dict)
                and all(
                    self.safe(item)
                    for key, item in zip(bound.keys, bound.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value in ("label", "help", "body")
                )
                for bound in found
            )
        return False

    def safe(self, value: ast.expr | None) -> bool:
        """Whether an expression holds nothing but words of the program, numbers, and text(…)."""
        match value:
            case ast.Constant():
                return True
            case ast.JoinedStr():
                return self.joined(value)
            case ast.Call(func=ast.Name(id=name)) if name in FORMS:
                return True
            case ast.Attribute(value=ast.Name(id=name) as base, attr="plain" | "help" | "meaning"):
                return name.isupper() and self.safe(base)  # a word of the program
            case ast.Call(func=ast.Attribute(value=base, attr="get" | "replace" | "capitalize")):
                return self.safe(base)
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[inner]):
                return self.safe(inner)
            case ast.Call(func=ast.Name(id="list"), args=[ast.Name() as inner]):
                return self.keys(inner)
            case ast.Lambda():
                return self.safe(value.body)
            case ast.IfExp():
                return self.safe(value.body) and self.safe(value.orelse)
            case ast.BoolOp():
                return all(map(self.safe, value.values))
            case ast.BinOp():
                return self.safe(value.left) and self.safe(value.right)
            case ast.Tuple() | ast.List():
                return all(map(self.safe, value.elts))
            case ast.Starred(value=ast.Name() as inner):
                return self.safe(inner) or self.keys(inner)
            case ast.Starred():
                return self.safe(value.value)
            case ast.Dict():
                return all(map(self.safe, value.values))
            case ast.ListComp() | ast.GeneratorExp():
                return self.safe(value.elt)
            case ast.Subscript():
                return self.safe(value.value)
            case ast.Name():
                found = self.bindings(value)
                return bool(found) and all(map(self.safe, found))
        return False

    def keys(self, name: ast.Name) -> bool:
        """Whether a name is a dictionary of the program, whose keys alone are shown."""
        return all(
            isinstance(bound, ast.Dict)
            and all(isinstance(key, ast.Constant) or self.safe(key) for key in bound.keys)
            for bound in self.bindings(name)
        )

    def joined(self, value: ast.JoinedStr) -> bool:
        code = False  # inside backticks nothing is escaped
        for part in value.values:
            if isinstance(part, ast.Constant):
                code ^= str(part.value).count("`") % 2 == 1
            elif isinstance(part, ast.FormattedValue):
                form = ast.unparse(part.format_spec)[2:-1] if part.format_spec else ""
                if not (form.endswith(NUMBERS) or (self.safe(part.value) and not code)):
                    return False
        return True

    def bindings(self, name: ast.Name) -> list[ast.expr]:
        """All that a name is bound to, from the innermost function that binds it outwards; a parameter
        that our own functions check at their callers counts as a constant."""
        place: ast.AST | None = name
        while place is not None:
            place = self.parents.get(place)
            if isinstance(place, ast.FunctionDef):
                names = [a.arg for a in (*place.args.args, *place.args.kwonlyargs)]
                if name.id in names:
                    checked = MARKDOWN.get(place.name, {}).values()
                    return [ast.Constant("")] if name.id in checked else [name.__class__(id="?")]
            if isinstance(place, ast.FunctionDef | ast.Module):
                found = list(self.bound(place, name.id))
                if found:
                    return found
        return []

    def bound(self, scope: ast.AST, name: str) -> Iterator[ast.expr]:
        for node in ast.walk(scope):
            if isinstance(node, ast.ImportFrom):
                # A constant by its name: words of the program.
                named = [alias.asname or alias.name for alias in node.names]
                yield from [ast.Constant("") for one in named if one == name and name.isupper()]
                continue
            if isinstance(node, ast.Assign):
                pairs = [(target, node.value) for target in node.targets]
            elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr) and node.value:
                pairs = [(node.target, node.value)]
            elif isinstance(node, ast.For | ast.comprehension):
                rows = (
                    node.iter.elts
                    if isinstance(node.iter, ast.Tuple | ast.List)
                    else [ast.Name("?")]
                )
                pairs = [(node.target, row) for row in rows]
            elif isinstance(node, ast.withitem) and node.optional_vars:
                pairs = [(node.optional_vars, node.context_expr)]
            else:
                continue
            for target, value in pairs:
                yield from self.taken(target, value, name)

    def taken(self, target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
        if isinstance(target, ast.Name) and target.id == name:
            yield value
        elif isinstance(target, ast.Tuple):
            parts = (
                value.elts if isinstance(value, ast.Tuple) else [ast.Name("?")] * len(target.elts)
            )
            for one, part in zip(target.elts, parts, strict=False):
                yield from self.taken(one, part, name)
