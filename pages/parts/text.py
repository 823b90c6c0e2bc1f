"""Text that comes from a file, a portal, a person or an error, shown as it is.

Streamlit takes what it is given for Markdown nearly everywhere: headings, labels, tabs, help, errors.
Every string that isn't written in this program goes through `text` (tests/pages/test_markdown.py).
"""

import re
import string

NOTHING = "\u200b"  # has no width; a long address may break there
MARKS = re.compile(f"([{re.escape(string.punctuation)}])")
# What Streamlit still finds in text whose marks are escaped: addresses, icons, arrows.
FOUND = re.compile(
    r"https?(?=://)|www(?=\.)|@(?=[-\w])|:(?=[\w+-]+:)|(?<!\S)<(?=->?(?!\S)|=(?!\S))|(?<!\S)[->~](?=[->=](?!\S))",
    re.IGNORECASE,
)


def text(value: object) -> str:
    """Markdown that shows the words of `value`, in one line, and nothing else."""
    words = " ".join(str(value).split()).replace("\0", "")
    return MARKS.sub(r"\\\1", FOUND.sub(lambda found: found[0] + NOTHING, words))
