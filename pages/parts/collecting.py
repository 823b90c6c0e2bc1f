"""Collect garbage rarely and shortly.

Streamlit would collect all of it after every run of a page, and what waits to be sent waits for that: a
fifth of the time of a page. It is done every few seconds instead, and without what stays as long as the
server, modules and what they hold: left out, it takes a few ms instead of 200.
"""

import gc
import sys
import time

PAUSE = 10.0  # seconds for which garbage may lie

_left_out = 0
_collected = 0.0


def collect() -> None:
    """Collect garbage if that was long ago; take what is newly loaded out of the collector's sight."""
    global _left_out, _collected
    new = len(sys.modules) > _left_out
    if not new and time.monotonic() - _collected < PAUSE:
        return
    gc.collect()
    _collected = time.monotonic()
    if new:  # only now: what was garbage before would stay for ever
        gc.freeze()
        _left_out = len(sys.modules)
