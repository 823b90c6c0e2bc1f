"""The thread in which zarr reads is waited for at the end of a process.

zarr gives it a fifth of a second, and where the machine is busy it then says that the thread didn't finish, with
a trace, at the end of work that went well. Loading this module has it waited for as long as it needs.
"""

import atexit

from zarr.core import sync


def wait() -> None:
    """Stop zarr's loop and wait until its thread is over. What zarr itself does comes after."""
    loop, thread = sync.loop[0], sync.iothread[0]
    if loop is not None and thread is not None:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


atexit.register(wait)  # after zarr's own, so before it at the end
