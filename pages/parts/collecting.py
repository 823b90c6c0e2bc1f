"""Keep Streamlit's garbage collection short.

After every run of a page Streamlit collects all garbage, and what waits to be sent waits for that.
Modules and what they hold stay as long as the server: left out, it takes a few ms instead of 200.
"""

import gc
import sys

_left_out = 0


def leave_modules_out() -> None:
    """Take whatever is loaded out of the collector's sight, once for every new set of modules."""
    global _left_out
    if len(sys.modules) > _left_out:
        gc.collect()  # what is garbage now would stay for ever
        gc.freeze()
        _left_out = len(sys.modules)
