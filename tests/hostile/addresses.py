"""Addresses of the app's pages, with anything where a page looks for a name or a number."""

import ast
from functools import cache
from pathlib import Path
from random import Random
from urllib.parse import quote, quote_from_bytes

from tests.hostile.values import TEXTS
from tests.hostile.words import DATES, NAMES, NUMBERS

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (TOP / "pages").glob("*.py"))
OUTSIDE = ["../../outside/secret", "..%2f..%2foutside%2fsecret", "../outside", "/etc/passwd", "....//....//etc/passwd", "..\\..\\outside", "file:///etc/passwd", "sample/../../../outside", "stack-1/../../outside", "~/outside"]  # fmt: skip
GOOD = {
    "view": ["Activations", "Network", "Why", "What if", "Sight", "Attention", "Training", "Likeness", "Weights", "Peaks", "Beside"],
    "section": ["Scores", "Where", "Hits", "Calibration", "Groups", "Fair use"],
    "city": ["sample", "chicago"], "run": ["stack-1"], "layer": ["stem", "rate"], "step": ["2024-10-01"],
    "cell": ["10,10", "3,4"], "channel": ["0", "5"], "beside": ["another step", "another epoch", "another layer"],
    "change": ["a channel", "the past"], "with": ["stack-1,mean", "mean,memory_mixture"], "against": ["mean"],
}  # fmt: skip
# Where a number is looked for.
COUNTED = {"cell": "{0},{1}", "channel": "{0}", "other_channel": "{0}", "part": "{0}", "within": "{0}", "before": "{0}", "epoch": "epoch {0}", "step": "2024-09-{0}"}  # fmt: skip
DIGITS = ["²", "٣", "³³", "9" * 5000, "9" * 30, "-1", "+1", "1_0", " 1", "1 ", "1e3", "1.0", "０", "999", "0", "12", "nan", ""]  # fmt: skip
RAW = ["%ff%fe", "%", "%zz", "%00", "a%00b", "%c0%ae%c0%ae/", "%ed%a0%80", "+", "&&&", "=", "==a", "%f0%9f%99%82", "%u2025", ";"]  # fmt: skip


@cache  # reading all pages takes longer than drawing one
def parameters() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every query parameter that a page reads, and the names of the widgets that no address should fill."""
    read, keys = set(), set()
    for path in sorted((TOP / "pages").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("query_params"):
                read |= _texts([node.slice])
            elif isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if "query_params" in called or called in ("choose", "among"):
                    read |= _texts(node.args[:1])
                elif called == "pick":
                    read |= _texts(node.args[2:3])
                elif any(word.arg == "bind" for word in node.keywords):
                    read |= _texts([word.value for word in node.keywords if word.arg == "key"])
                else:
                    keys |= _texts([word.value for word in node.keywords if word.arg == "key"])
    return (*sorted(read),), (*sorted(keys - read),)


def _texts(nodes: list[ast.expr]) -> set[str]:
    found = {str(node.value) for node in nodes if isinstance(node, ast.Constant)}
    return {name for name in found if name.isidentifier()}


def value(random: Random, name: str) -> str:
    """What stands in an address for a parameter, quoted as addresses are or not at all."""
    how = random.random()
    if how < 0.3 and name in GOOD:
        return quote(random.choice(GOOD[name]))
    if how < 0.7 and name in COUNTED:
        return quote(COUNTED[name].format(*random.choices(DIGITS, k=2)))
    if how < 0.4:
        return random.choice(RAW)
    if how < 0.45:
        return quote_from_bytes(random.randbytes(random.choice([1, 4, 40])))
    some = random.choice([OUTSIDE, OUTSIDE, NAMES, NUMBERS, DATES, TEXTS, [",", "a" * 10_000, "stack-99", "sample-1m-1d-00000000", "atlantis", "[1, 2]", '{"a": 1}', "stack-1,stack-1", "stack-1@99", "mean,../../outside/secret"]])  # fmt: skip
    return quote(random.choice(some), safe=random.choice(["", "/", "/.~,@"]), errors="replace")


def make(random: Random) -> tuple[str, str]:
    """A page, and the query it is asked with."""
    read, keys = parameters()
    names = random.sample(read, random.choice([1, 1, 2, 3, len(read)]))
    names += random.choices([*COUNTED], k=random.choice([0, 0, 1, 2]))
    names += random.sample(keys, random.choice([0, 0, 1, 5]))
    if random.random() < 0.2:
        names += random.choices(names, k=2)  # a list
    pairs = [f"{name}={value(random, name)}" for name in names]
    if random.random() < 0.05:
        pairs += [f"p{number}=1" for number in range(1000)]
    page = random.choice([*PAGES, *["layers"] * 5, *["forecast"] * 3, "compare", "unseen"])
    return ("" if page == "overview" else page), "&".join(pairs)
