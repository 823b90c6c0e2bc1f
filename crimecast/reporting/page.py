"""What every report is: one HTML page that asks for nothing outside itself."""

from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #1d2030; --soft: #6a6f7d; --line: #d9dbe2; --back: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9eaf0; --soft: #a0a5b4; --line: #3a3d4a; --back: #14161f; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--back); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; } .soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { white-space: normal; } th:first-child, td:first-child { text-align: left; } td.words { white-space: normal; text-align: left; }
.maps { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; } figure img { background: #f4f4f6; image-rendering: pixelated; max-width: 100%; }
.legend { max-width: 16rem; } .legend img { width: 100%; height: 8px; image-rendering: auto; } .legend div { display: flex; justify-content: space-between; }
.small img { width: 96px; } figcaption { font-size: .85rem; color: var(--soft); }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .8rem; font-size: .85rem; }
"""


def page(title: str, parts: list[str]) -> str:
    """The document; `parts` are HTML in which all text is escaped."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)} – CrimeCast</title><style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def figure(image: str, caption: str, legend: str = "") -> str:
    """A picture with its words and the HTML of its colours."""
    return f"<figure><img alt='{escape(caption)}' src='{image}'><figcaption>{escape(caption)}{legend}</figcaption></figure>"


def paired(versus: dict[str, Any] | None) -> str:
    """A paired difference with its interval, as tables write it."""
    if versus is None:
        return "–"
    low, high = versus["interval"]
    return f"{versus['difference']:+.4f} ({low:+.4f} to {high:+.4f})"


def card(parts: list[tuple[str, list[str]]]) -> str:
    """A model card: titles with their sentences."""
    return "".join(
        f"<h3>{escape(title)}</h3><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"
        for title, texts in parts
    )


def table(heads: list[str], rows: list[list[str]]) -> str:
    """A table of texts; the first column is the name."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"
