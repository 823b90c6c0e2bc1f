"""The encoding of a text, found over the whole file, and the text as UTF-8."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from charset_normalizer import from_bytes

from crimecast import UserError
from crimecast.reading.alphabets import likeliest
from crimecast.reading.notice import Notice

BLOCK = 16 * 2**20

WESTERN = ("cp1252", "cp850", "mac_roman")
EASTERN = ["cp932", "gb18030", "cp949", "big5", "euc_jp", "johab"]
KANA = "\u3041", "\u30fe"  # Japan's own letters
OFTEN, FEW = 0.05, 3  # of all letters, those that are Japan's own in EUC-JP; different ones of them
MIXED = 0.1  # lines in UTF-8 for each that isn't, of a file that is written together from two
BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


# Behind degrees, before minutes or a side of the earth.
DEGREE = re.compile(rb"(?<=\d)\xf8(?=\s?(?:\d|[NSEWO]\b))")
# Encodings whose bytes are all ASCII, by what they switch with.
ESCAPES = (
    (re.compile(rb"\x1b\$[@B]|\x1b\([JI]"), "iso2022_jp"),
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
    (re.compile(rb"~\{[!-~]{2,}~\}"), "hz"),
    (
        re.compile(rb"[A-Za-z]\+(?:AOc|AOk|AOM|APM|AOE|AO0|APo|AOA|APw|APY|AOQ|AN8|APE|AOo|AOI)-"),
        "utf-7",
    ),
)
DOS = ("cp437", "cp850", "cp852", "cp866", "cp737", "cp857", "cp775", "cp862")


@dataclass
class Text:
    """A file as UTF-8 with `\\n`: where it lies, how its bytes were read, and what there is to say."""

    path: Path
    encoding: str
    notices: list[Notice] = field(default_factory=list)


def blocks(path: Path, size: int = BLOCK) -> Iterator[bytes]:
    """A file's bytes in blocks."""
    with path.open("rb") as file:
        while block := file.read(size):
            yield block


def encoding_of(path: Path) -> str:
    """The encoding of the whole file: by its mark, as UTF-8 if all of it is, by its zeros, by its letters."""
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, name in BOMS:
        if head.startswith(mark):
            return name
    if head.isascii():
        for sign, name in ESCAPES:
            if sign.search(head):
                return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) > 0.2 * len(head) / 2:
        return "utf-16-le" if odd > even else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
        return "utf-8"
    except UnicodeDecodeError:
        pass
    return _single_bytes(path)


def _single_bytes(path: Path) -> str:
    """Of a file that isn't UTF-8: `utf-8` if nearly all of its letters beyond ASCII are, else an older one."""
    lines: list[bytes] = []
    good = bad = 0
    rest = b""
    for block in blocks(path):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            if not line.isascii():
                try:
                    line.decode("utf-8")
                    good += 1
                except UnicodeDecodeError:
                    bad += 1
                    if len(lines) < 2000:
                        lines.append(line)
        if bad > 20_000:
            break
    if rest and not rest.isascii():
        lines.append(rest)
    letters = b"\n".join(lines)
    name = likeliest(letters, DOS if DEGREE.search(letters) else None)
    # Letters of western Europe hardly make up those of UTF-8 by chance.
    if good > bad or (good > MIXED * bad and name in WESTERN):
        return "utf-8"
    if name:
        return name
    best = from_bytes(letters, cp_isolation=EASTERN).best()
    name = "cp1252" if best is None else best.encoding
    # Hiragana and katakana, which Korean and Chinese texts hardly hold.
    if _decodes(letters, "euc_jp") and _among(letters, "euc_jp", *KANA) > OFTEN:
        # Two or three of them, again and again, are Greek letters of a Korean text: π.μ. behind its clocks.
        if len({sign for sign in letters.decode("euc_jp") if KANA[0] <= sign <= KANA[1]}) > FEW:
            return "euc_jp"
        return "cp949" if _among(letters, "cp949", "\uac00", "\ud7a3") > 0.5 else name
    return name


def _among(letters: bytes, name: str, first: str, last: str) -> float:
    """The share, of the signs beyond ASCII in an encoding, of those from `first` to `last`."""
    high = [sign for sign in letters.decode(name, errors="replace") if not sign.isascii()]
    return sum(first <= sign <= last for sign in high) / max(1, len(high))


def _decodes(letters: bytes, name: str) -> bool:
    try:
        letters.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(path: Path, folder: Path, encoding: str | None = None) -> Text:
    """The file as UTF-8 without a mark and with `\\n`, rewritten into `folder` only where it isn't.

    Raises UserError for an encoding that isn't known or doesn't read the file.
    """
    said = encoding is not None
    name = encoding or encoding_of(path)
    try:
        b"".decode(name)  # codecs that give no text, such as zlib, are refused here
        decoder = codecs.getincrementaldecoder(name)(errors="strict" if said else "replace")
    except (LookupError, ValueError):
        raise UserError(
            f"'{name[:40]}' is not an encoding; use one such as utf-8, cp1252 or utf-16."
        ) from None
    with path.open("rb") as file:
        head = file.read(BLOCK)
    alone_cr = b"\r" in head and b"\n" not in head
    plain = codecs.lookup(name).name in ("utf-8", "ascii")
    if plain and not alone_cr and not head.startswith(codecs.BOM_UTF8) and _is_utf8(path):
        return Text(path, "utf-8")
    target = folder / "as-utf8.txt"
    mended = 0
    with target.open("wb") as out:
        if plain:
            rest = b""
            for block in blocks(path):
                rest += block.replace(b"\r", b"\n") if alone_cr else block
                cut = rest.rfind(b"\n") + 1
                text, count = _mend(rest[:cut])
                mended += count
                out.write(text)
                rest = rest[cut:]
            text, count = _mend(rest)
            mended += count
            out.write(text.removeprefix(codecs.BOM_UTF8))
        else:
            try:
                for block in blocks(path):
                    text_block = decoder.decode(block)
                    out.write(
                        (text_block.replace("\r", "\n") if alone_cr else text_block).encode("utf-8")
                    )
                out.write(decoder.decode(b"", final=True).encode("utf-8"))
            except UnicodeError:
                raise UserError(
                    f"{path.name} can't be read in {name}; leave the encoding out and it is found."
                ) from None
    notices = []
    if not plain and name not in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        shown = _example(target)
        says = f"The text is read as {name}, by its letters{shown and f', such as “{shown}”: name the encoding if that is no word'}."
        notices.append(Notice("encoding", says))
    if mended:
        notices.append(
            Notice(
                "encoding",
                f"{mended:,} lines aren't UTF-8 as the rest is; they are read as cp1252.",
                mended,
            )
        )
    return Text(target, name, notices)


def _example(path: Path) -> str:
    """A word of a text in UTF-8 that has letters beyond ASCII."""
    with path.open("rb") as file:
        text = file.read(BLOCK // 16).decode("utf-8", "ignore")
    found = re.search(r"\w*[^\W\d_a-zA-Z]\w*", text)
    return found[0][:30] if found else ""


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mend(block: bytes) -> tuple[bytes, int]:
    """Lines that aren't UTF-8 read as cp1252; the block as UTF-8 and how many there were."""
    block = block.removeprefix(codecs.BOM_UTF8)
    try:
        block.decode("utf-8")
        return block, 0
    except UnicodeDecodeError:
        pass
    lines, mended = block.split(b"\n"), 0
    for number, line in enumerate(lines):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            lines[number] = line.decode("cp1252", errors="replace").encode("utf-8")
            mended += 1
    return b"\n".join(lines), mended
