"""The guards of the server, as Streamlit's settings and secrets ask for them."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psutil
import streamlit as st
from starlette.middleware import Middleware
from streamlit import runtime
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from crimecast.server.headers import Headers, policy
from crimecast.server.messages import Messages
from crimecast.server.names import KnownNames
from crimecast.server.uploads import Uploads, guests

EVERY = 5.0  # seconds between looks at who has left
MEGABYTE = 1024 * 1024
# What pages say: draw this, stop, may I upload; make a file to download, show more rows.
SAID = ("rerun_script", "stop_script", "file_urls_request", "app_heartbeat")
OPERATIONS = ("deferred_file", "dataframe_chunk")


def login() -> dict[str, Any]:
    """The section of the secrets that names an identity provider; empty without one."""
    if not st.secrets.load_if_toml_exists():
        return {}
    return dict(st.secrets.get("auth", {}))


def guards() -> list[Middleware]:
    """The middleware, the outermost first."""
    redirect = str(login().get("redirect_uri", ""))
    origins = [*st.get_option("server.corsAllowedOrigins"), redirect]
    largest = int(st.get_option("server.maxUploadSize")) * MEGABYTE
    page = (Path(st.__file__).parent / "static" / "index.html").read_bytes()
    tiles = urlsplit(os.environ.get("CRIMECAST_TILES", ""))
    return [
        Middleware(
            Headers,
            policy=policy(page, f"{tiles.scheme}://{tiles.netloc}" if tiles.netloc else ""),
            secure=redirect.startswith("https://"),
        ),
        Middleware(KnownNames, addresses=origins, hosts=st.get_option("server.allowedHosts")),
        Middleware(Messages, said=said),
        Middleware(
            Uploads,
            held=held,
            each=2 * largest,
            together=min(4 * largest, psutil.virtual_memory().total // 4),
        ),
    ]


def said(content: bytes) -> bool:
    """Whether a page of the app says that."""
    message = BackMsg()
    try:
        message.ParseFromString(content)
    except Exception:  # what is no message, at which Streamlit hangs up
        return True
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OPERATIONS
    return kind in SAID


def uploads() -> MemoryUploadedFileManager:
    """What was uploaded."""
    return cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)


def held() -> dict[str, int]:
    """Session → bytes that it holds."""
    return {
        session: sum(len(file.data) for file in list(files.values()))
        for session, files in list(uploads().file_storage.items())
    }


@asynccontextmanager
async def keep_clean(_app: object) -> AsyncIterator[None]:
    """While the server runs: close sessions whose browser doesn't come back, and free their files.

    Streamlit forgets such a session only when another comes or goes, and by then can't close it.
    """
    task = asyncio.create_task(_sweep())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _sweep() -> None:
    patience = max(0.0, st.get_option("server.disconnectedSessionTTL") - 2 * EVERY)
    seen: dict[str, float] = {}
    while True:
        await asyncio.sleep(EVERY)
        now, server = time.monotonic(), runtime.get_instance()
        for session in {*guests.sessions(), *uploads().file_storage}:
            if server.is_active_session(session):
                seen[session] = now
            elif now - seen.setdefault(session, now) >= patience:
                server.close_session(session)
                uploads().remove_session_files(session)
                guests.turn_out(session)
                del seen[session]
