"""Columns that say of some rows that they are no events: deleted, unfounded, false alarms, tests."""

import re

import polars as pl

from crimecast.reading.columns import plain

NO_EVENT = {
    "deleted", "delete", "unfounded", "void", "voided", "cancelled", "canceled", "duplicate", "supplement", "supplemental",
    "false alarm", "false call", "hoax", "no crime", "not a crime", "absent", "absence", "not a case", "non-case", "noncase", "ruled out", "discarded", "no offence", "no offense", "erased", "removed", "rejected", "withdrawn",
    "fehlalarm", "falsa alarma", "alarme falso", "fausse alerte", "unbegründet", "gelöscht", "infundado", "infundada", "anulado", "anulada", "cancelado", "annulé", "sans suite", "test",
}  # fmt: skip
FLAG = re.compile(
    r"unfounded|is_?crime|is_?deleted|deleted|void|is_?duplicate|(^|_)duplicate(_|$)|is_?offen[cs]e|valid|is_?test|(^|_)test(_|$)|fake|simulat|committed|confirmed|verified|genuine|substantiated|(^|_)founded|"
    r"(crime|offen[cs]e|incident|event)_?(occurred|happened|took_place)"
)
STATE = re.compile(
    r"^(record|row|rec|entry|sync|change)_?(status|state|action|type|flag)$|^(op|action)(_|$)"
)
COPY = re.compile(
    r"^(closed|resolved|rejected)\W+duplicate|duplicate (report|record|case|call|request)|\btest (record|row|case|entry|call|incident)\b|do not count"
)
REMOVED = {"d", "del", "x", "r"}  # of such a state


def no_event(name: str, values: pl.Series) -> tuple[str, str] | None:
    """What a column that isn't used says of rows that are no events, as a notice's code and text; None if nothing."""
    texts = values.cast(pl.String).str.strip_chars().str.to_lowercase()
    word = plain(name)
    found = [text for text in texts.unique().to_list() if text in NO_EVENT]
    flags = set(texts.unique().to_list())
    if (
        FLAG.search(word)
        and flags <= {"y", "n", "yes", "no", "true", "false", "t", "f", "0", "1"}
        and len(flags) == 2
    ):
        found = sorted(flags)
    if STATE.match(word) and texts.n_unique() <= 6:
        found += [one for one in texts.unique().to_list() if one in REMOVED]
    found += [one for one in texts.unique().to_list() if one and one.startswith("duplicate of")]
    if texts.n_unique() <= 30:
        found += [
            one for one in texts.unique().to_list() if one and one not in found and COPY.search(one)
        ]
    if not found or (texts.n_unique() > 30 and not found[0].startswith("duplicate of")):
        return None
    return (
        "not_events",
        f"'{name}' says of some rows {' or '.join(repr(one) for one in found[:3])}, and isn't used: every row is taken for an event. Leave out those "
        "that are none.",
    )
