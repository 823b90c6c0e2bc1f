"""Which line of a user's own file a finding speaks of, and that line as it could be: a module has no spec to patch.

The file is read, never run. A change is proposed where it stands on one line and leaves all shapes as they are; else the
line alone is named.
"""

import ast
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crimecast.diagnose.finding import Finding
from crimecast.runs.run import Run

SHUT = {"relu", "relu6", "tanh", "sigmoid", "hardtanh", "hardsigmoid", "ReLU", "ReLU6", "Tanh", "Sigmoid", "Hardtanh", "Hardsigmoid"}  # fmt: skip
BENT = {"exp", "softplus", "log", "log1p", "expm1", "tanh", "sqrt", "sigmoid", "relu", "abs"}
HELD = {"clamp", "clip", "clamp_min", "clamp_max", "relu", "relu6", "hardtanh", "sigmoid", "tanh"}
TURNED = {"flip", "roll", "fliplr", "flipud", "rot90"}
Edit = tuple[ast.expr, str]


@dataclass(frozen=True)
class Line:
    """A line of the file (`number` from 1), and a diff to copy, "" where no change of one line will do."""

    number: int
    text: str
    diff: str = ""


def line_of(source: str, finding: Finding, name: str = "module.py") -> Line | None:
    """The line of a file's text that a finding speaks of; None where nothing tells."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    file = _File(source, tree)
    layer = finding.layer or ""
    rule = RULES.get(finding.code)
    node, text = next(rule(file, layer), (None, "")) if rule else (None, "")
    if node is None:
        node = file.made(layer)
    if node is None:
        return None
    diff = difflib.unified_diff(
        file.lines, file.changed(node, text), name, f"{name}, changed", lineterm="", n=1
    )
    return Line(node.lineno, file.lines[node.lineno - 1].strip(), "\n".join(diff))


def line_of_run(run: Run, finding: Finding) -> Line | None:
    """The same of the file that a run's module stands in; None for a run that has a spec."""
    path = run.folder / "module.py"
    if run.settings.module is None or not path.exists():
        return None
    return line_of(path.read_text(encoding="utf-8", errors="replace"), finding, "your file")


class _File:
    """A file's tree, its lines, and where its layers are made and used."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.source, self.tree, self.lines = source, tree, source.splitlines()

    def text(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.source, node) or ""

    def calls(self) -> list[ast.Call]:
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    def made(self, layer: str) -> ast.expr | None:
        """What is put under a layer's name: of `blocks.0` the first that `self.blocks` holds, if it is written out."""
        first, *rest = layer.partition(":")[0].split(".")
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Assign) and any(_is_self(t, first) for t in node.targets):
                found = node.value
                for part in rest:
                    inner = _inside(found, part)
                    if inner is None:
                        break
                    found = inner
                return found
        return None

    def changed(self, node: ast.expr, text: str) -> list[str]:
        """The lines with an expression of one line replaced, if they still are Python; else as they were."""
        if node.lineno != node.end_lineno or not text or text == self.text(node):
            return self.lines
        line = self.lines[node.lineno - 1].encode()
        made = line[: node.col_offset] + text.encode() + line[node.end_col_offset :]
        lines = [*self.lines[: node.lineno - 1], made.decode(), *self.lines[node.lineno :]]
        try:
            ast.parse("\n".join(lines))
        except SyntaxError:
            return self.lines
        return lines


def _is_self(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == f"self.{name}"


def _inside(node: ast.expr, part: str) -> ast.expr | None:
    """The part of a Sequential, or of a list of modules, that is written out."""
    if not isinstance(node, ast.Call) or not part.isdecimal():
        return None
    parts = node.args
    if len(parts) == 1 and isinstance(parts[0], ast.List | ast.Tuple):
        parts = parts[0].elts
    number = int(part)
    plain = number < len(parts) and not any(isinstance(p, ast.Starred) for p in parts[: number + 1])
    return parts[number] if plain else None


def _called(node: ast.AST) -> str:
    """The last name of what is called."""
    if not isinstance(node, ast.Call):
        return ""
    return ast.unparse(node.func).split(".")[-1]


def _inner(file: _File, node: ast.Call) -> str:
    """What a call is made on: its first argument, or what stands before the point."""
    if node.args and not (isinstance(node.func, ast.Attribute) and _is_value(node.func.value)):
        return file.text(node.args[0])
    return file.text(node.func.value) if isinstance(node.func, ast.Attribute) else ""


def _is_value(node: ast.expr) -> bool:
    """Whether a method is called on something that was computed, not on a module such as torch or F."""
    return not isinstance(node, ast.Name | ast.Attribute) or (
        isinstance(node, ast.Name) and node.id not in ("torch", "F", "nn", "functional", "np")
    )


def _smoother(file: _File, layer: str) -> Iterator[Edit]:
    """An activation that shuts, after a layer or under its name, as a GELU."""
    made = file.made(layer)
    if isinstance(made, ast.Call) and _called(made) in SHUT:
        yield made, _as_gelu(file, made)
    head, _, number = layer.partition(":")[0].rpartition(".")
    if number.isdecimal():
        after = file.made(f"{head}.{int(number) + 1}")
        if isinstance(after, ast.Call) and _called(after) in SHUT:
            yield after, _as_gelu(file, after)
    first = layer.partition(":")[0].split(".")[0]
    used = [call for call in file.calls() if _is_self(call.func, first)]
    shut = [call for call in file.calls() if _called(call) in SHUT]
    around = [c for c in shut if any(u in ast.walk(c) and u is not c for u in used)]
    after_it = [c for c in shut if used and c.lineno >= used[0].lineno]  # in a line of its own
    for call in around + after_it:
        yield call, _as_gelu(file, call)


def _as_gelu(file: _File, call: ast.Call) -> str:
    name = _called(call)
    before = file.text(call.func)[: -len(name)]
    if name[0].isupper():
        return f"{before}GELU()"
    where = before if before in ("F.", "functional.", "nn.functional.", "torch.nn.functional.") else "torch.nn.functional."  # fmt: skip
    return f"{where}gelu({_inner(file, call)})"


def _padded(file: _File, layer: str) -> Iterator[Edit]:
    """A convolution that continues the map beyond its edge, not with zeros."""
    made = file.made(layer)
    if isinstance(made, ast.Call) and _called(made).startswith("Conv"):
        known = {keyword.arg for keyword in made.keywords}
        if "padding" in known and "padding_mode" not in known:
            yield made, file.text(made)[:-1].rstrip().rstrip(",") + ', padding_mode="replicate")'


def _wider(file: _File, layer: str) -> Iterator[Edit]:
    """A convolution that sees one cell more on each side."""
    made = file.made(layer)
    if not isinstance(made, ast.Call) or not _called(made).startswith("Conv"):
        return
    named = {keyword.arg: keyword.value for keyword in made.keywords}
    size = named.get("kernel_size") or (made.args[2] if len(made.args) > 2 else None)
    around = named.get("padding") or (made.args[4] if len(made.args) > 4 else None)
    if not all(
        isinstance(one, ast.Constant) and isinstance(one.value, int) for one in (size, around)
    ):
        return
    assert isinstance(size, ast.Constant)
    assert isinstance(around, ast.Constant)
    text, start = file.text(made), made.col_offset
    for one, more in sorted(((size, 2), (around, 1)), key=lambda both: -both[0].col_offset):
        a, b = one.col_offset - start, (one.end_col_offset or 0) - start
        text = text[:a] + str(int(one.value) + more) + text[b:]  # type: ignore[arg-type]
    yield made, text


def _unwrapped(names: set[str]) -> Callable[[_File, str], Iterator[Edit]]:
    """What `forward` returns, without one of these functions around it."""

    def rule(file: _File, _layer: str) -> Iterator[Edit]:
        for node in ast.walk(file.tree):
            if (
                isinstance(node, ast.Return)
                and node.value is not None
                and _called(node.value) in names
            ):
                assert isinstance(node.value, ast.Call)
                yield node.value, _inner(file, node.value)

    return rule


def _taken_away(names: set[str]) -> Callable[[_File, str], Iterator[Edit]]:
    """A call of one of these, wherever it stands, without it."""

    def rule(file: _File, _layer: str) -> Iterator[Edit]:
        for call in file.calls():
            if _called(call) in names:
                yield call, _inner(file, call)

    return rule


def _dropout(file: _File, _layer: str) -> Iterator[Edit]:
    """A dropout that doesn't ask whether it is training."""
    for call in file.calls():
        if _called(call) in ("dropout", "dropout2d", "alpha_dropout", "bernoulli", "rand", "randn", "rand_like", "randn_like"):  # fmt: skip
            for keyword in call.keywords:
                if keyword.arg == "training":
                    yield keyword.value, "self.training"
            if _called(call).startswith("dropout") and len(call.args) > 2:
                yield call.args[2], "self.training"
            yield call, ""


RULES: dict[str, Callable[[_File, str], Iterator[Edit]]] = {
    "dead_units": _smoother,
    "saturated_units": _smoother,
    "border_artifact": _padded,
    "receptive_field_too_small": _wider,
    "wrong_scale": _unwrapped(BENT),
    "clamped": _unwrapped(HELD),
    "frozen": _taken_away({"detach", "detach_", "round", "floor"}),
    "misaligned": _taken_away(TURNED),
    "wrong_lag_order": _taken_away(TURNED),
    "not_repeatable": _dropout,
    "train_forecast_gap": _dropout,
}
