"""Values that no one expects in a field, as JSON and as text."""

import json
from random import Random
from typing import Any

TEXTS = [
    "", " ", "null", "NaN", "inf", "-", "0", "1e999", "9" * 400, "\0", "a\0b", "\u202e", "\ufeff", "🙂" * 50, "x" * 5000,
    "=1+1", "![x](http://a.example/p.png)", "<script>", "../../etc/passwd", "%s%n", "'; drop table runs;--", "{}", "[]", "\\", '"',
    "0001-01-01", "9999-12-31", "99999-01-01", "2020-02-30", "2020-13-45T99:99", "-2020-01-01", "1/1/1", "1677-01-01", "2262-12-31",
    "2020-01-01T00:00:00+99:00", "24:00", "25:61", "12345678901234567890", "-9223372036854775808", "1,5", "41.8 N", "POINT (1 2)",
    "POINT (nan inf)", "POLYGON ((0 0))", "(1e308, 1e308)", "{\"latitude\": null}", "0x10", "١٢", "½", "\r", "a\nb", "\x1b[2J", "\ud800",
]  # fmt: skip
NUMBERS = [
    0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**30, 10**300, 0.1, -0.0, 1e308, 5e-324, float("nan"), float("inf"),
    float("-inf"), 20200101, 1577836800, 1577836800000, 253402300800000, -62135596800, 41.8, -87.6, 180.0001, 90.0001, 360,
]  # fmt: skip


def text(random: Random) -> str:
    """A text that somebody has to read."""
    if random.random() < 0.8:
        return random.choice(TEXTS)
    letters = "".join(
        chr(random.choice([*range(32, 127), 0, 9, 10, 13, 160, 0x2028, 0x1F600])) for _ in range(8)
    )
    return letters * random.choice([1, 1, 2, 40])


def scalar(random: Random) -> Any:
    """What JSON allows in a field."""
    return random.choice([None, True, False, text(random), random.choice(NUMBERS)])


def value(random: Random, depth: int = 3) -> Any:
    """Anything of JSON, nested."""
    if depth == 0 or random.random() < 0.6:
        return scalar(random)
    some = range(random.randrange(4))
    if random.random() < 0.5:
        return [value(random, depth - 1) for _ in some]
    return {text(random)[:30]: value(random, depth - 1) for _ in some}


def record(random: Random, number: int, wild: float) -> dict[str, Any]:
    """A row as it should be, with each field something else in `wild` of all cases."""
    good = {
        "id": number,
        "date": f"2020-01-{1 + number % 28:02d} {number % 24:02d}:15",
        "longitude": round(-87.65 + number % 10 / 1000, 4),
        "latitude": round(41.85 + number % 7 / 1000, 4),
        "type": random.choice(["theft", "assault"]),
    }
    return {k: value(random) if random.random() < wild else v for k, v in good.items()}


def dumped(document: Any) -> bytes:
    """JSON as programs write it, with what JSON doesn't know; lone surrogates stay escaped."""
    return json.dumps(document).encode()


def mutated(random: Random, content: bytes) -> bytes:
    """Bytes that a fault of a disk or a person changed."""
    if not content:
        return content
    made = bytearray(content)
    for _ in range(random.choice([1, 1, 3, 20])):
        at = random.randrange(len(made))
        how = random.randrange(6)
        if how == 0:
            made[at] = random.randrange(256)
        elif how == 1:
            del made[at : at + random.choice([1, 4, 100])]
        elif how == 2:
            made[at:at] = bytes(random.randrange(256) for _ in range(random.choice([1, 4, 30])))
        elif how == 3:
            made[at:at] = made[at : at + random.choice([2, 50])] * random.choice([1, 8])
        elif how == 4:
            made[at : at + 4] = random.choice(
                [b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b'"', b"{", b"[", b"null"]
            )
        else:
            del made[at:]
        if not made:
            break
    return bytes(made)
