"""Ask a portal, patiently: time-outs, retries with back-off, and obedience to `Retry-After`."""

import email.utils
import json
import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import LocationValueError, MaxRetryError, NameResolutionError

from crimecast import UserError
from crimecast.sources.public import PublicAdapter

TOKEN = "X-App-Token"
ATTEMPTS = 10
LONGEST_WAIT = 120.0  # seconds, whatever the portal asks for
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
TIMEOUT = (10.0, 60.0)  # to connect, and between bytes
LARGEST = (
    128 * 2**20
)  # bytes of one answer, unpacked: a full page of any portal known is a fifth of it
OVERTAXED = (500, 502, 504)  # what a portal answers when a page is too much for it


HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # an escaped half of a character, which no text can hold


def document(content: bytes) -> Any:
    """The JSON of an answer; in its texts a lone half of a character is a question mark. Raises ValueError,
    RecursionError."""
    found = json.loads(content)
    if HALF.search(content):
        found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    return found


class Refused(Exception):
    """The portal answered that the question is wrong (400, 404, …); `text` is what it said."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status, self.text = status, text


class Busy(ValueError):
    """An answer that says that the portal can't answer now; `status` is the one in it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered {status}")
        self.status = status


class Failing(UserError):
    """The portal answers, but fails at this question each time: a smaller one may do."""


class CrawlStopped(Exception):
    """The crawl was asked to stop."""


class Session(requests.Session):
    """One whose token stays with the portal that it was meant for."""

    def rebuild_auth(self, prepared: requests.PreparedRequest, response: requests.Response) -> None:
        """At a redirect to another host, port or scheme the token is dropped."""
        super().rebuild_auth(prepared, response)
        if self.should_strip_auth(str(response.request.url), str(prepared.url)):
            prepared.headers.pop(TOKEN, None)


class Client:
    """One portal's address and headers, with a connection for each thread that asks."""

    def __init__(
        self,
        base: str,
        headers: dict[str, str],
        connections: int,
        stop: Callable[[], bool] = lambda: False,
        guarded: bool = False,
    ) -> None:
        self.base, self.stop = base.rstrip("/"), stop
        self.host = check_host(self.base)
        self.heard = False  # whether it has ever answered
        self.session = Session()
        self.session.headers.update({"Accept": "application/json", **headers})
        kind = PublicAdapter if guarded else requests.adapters.HTTPAdapter
        adapter = kind(pool_connections=connections, pool_maxsize=connections)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, adapter)

    def ask(
        self,
        path: str,
        params: dict[str, str],
        body: dict[str, Any] | None = None,
        parse: Callable[[bytes], Any] = document,
        attempts: int = ATTEMPTS,
    ) -> Any:
        """What `parse` makes of the answer at `path`; it raises ValueError for one that is cut off.

        Retries whatever may pass; Refused if the question is wrong. Raises Failing when an answer
        is too large or the portal keeps failing at it, UserError when it can't be reached,
        CrawlStopped when asked to.
        """
        return self._patiently(
            lambda: self._answer(f"{self.base}{path}", params, body),
            lambda response, content: parse(content),
            attempts,
        )

    def part(self, path: str, begin: int, end: int, attempts: int = ATTEMPTS) -> tuple[bytes, int]:
        """The bytes [begin, end) of the file at `path`, and how many it has; raises as `ask` does.

        UserError if the portal gives files whole only.
        """

        def parse(response: requests.Response, content: bytes) -> tuple[bytes, int]:
            told = response.headers.get("Content-Range", "")
            span = RANGE.fullmatch(told)
            if response.status_code != 206 or span is None or int(span[1]) != begin:
                raise UserError(f"The portal at {self.base} gives no parts of {path}.")
            if len(content) != min(end, int(span[3])) - begin:
                raise ValueError("cut off")
            return content, int(span[3])

        headers = {"Range": f"bytes={begin}-{end - 1}", "Accept-Encoding": "identity"}
        return self._patiently(
            lambda: self._answer(f"{self.base}{path}", {}, None, headers), parse, attempts
        )

    def _patiently(
        self,
        fetch: Callable[[], tuple[requests.Response, bytes]],
        take: Callable[[requests.Response, bytes], Any],
        attempts: int,
    ) -> Any:
        """What `take` makes of an answer, as `ask` says."""
        trouble, status = "", 0
        for attempt in range(attempts):
            if self.stop():
                raise CrawlStopped
            try:
                response, content = fetch()
                self.heard = True
                status = response.status_code
                # 202: the query is still running at the portal; ask again.
                if status not in (202, 408, 425, 429) and status < 500:
                    if status >= 400:
                        raise Refused(status, _reason(content))
                    return take(response, content)
                trouble = f"it answered {status}"
                self.rest(attempt, response.headers.get("Retry-After"))
            except requests.exceptions.TooManyRedirects:
                raise UserError(
                    f"The portal at {self.base} sends from one address to the next."
                ) from None
            except (
                requests.exceptions.MissingSchema,
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                LocationValueError,
            ):
                if self.base.startswith(("http://", "https://")):
                    raise UserError(
                        f"'{self.base}' is no address of a portal, or sends to what is none."
                    ) from None
                raise UserError(
                    f"'{self.base}' is not a web address; it begins with https://."
                ) from None
            except (requests.exceptions.RequestException, ValueError, RecursionError) as error:
                # Dropped and cut-off answers, and JSON that ends early, are asked for again.
                trouble = str(error) if isinstance(error, Busy) else type(error).__name__
                status = error.status if isinstance(error, Busy) else 0
                if isinstance(error, requests.exceptions.ConnectionError):
                    unreached = None if self.heard else _unreached(error)
                    if attempt >= 1 and isinstance(unreached, NameResolutionError):
                        raise UserError(
                            f"No computer is known here by the name of {self.host}: check the address, and "
                            "whether this one reaches the Internet."
                        ) from None
                    if attempt >= 4 and (unreached or _refused(error)):
                        break
                self.rest(attempt, None)
        kind = Failing if status in OVERTAXED else UserError
        raise kind(
            f"The portal at {self.base} doesn't answer ({trouble}); what was fetched is kept, so crawl again later."
        )

    def _answer(
        self,
        url: str,
        params: dict[str, str],
        body: dict[str, Any] | None,
        headers: dict[str, str] | None = None,
    ) -> tuple[requests.Response, bytes]:
        """One answer and its content, of LARGEST bytes at most. Raises Failing for a larger one."""
        if body is None:
            asked = self.session.get(
                url, params=params, headers=headers, timeout=TIMEOUT, stream=True
            )
        else:
            asked = self.session.post(url, json=body, timeout=TIMEOUT, stream=True)
        with asked as response:
            content = bytearray()
            for part in response.iter_content(1 << 20):
                content += part
                if self.stop():
                    raise CrawlStopped
                if len(content) > LARGEST:
                    raise Failing(
                        f"An answer of the portal at {self.base} is larger than {LARGEST >> 20} MB; "
                        "it isn't read."
                    )
        return response, bytes(content)

    def rest(self, attempt: int, asked: str | None) -> None:
        """Wait before the next attempt, as long as the portal asked for or twice as long each time.

        Raises CrawlStopped."""
        pause = min(30.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0)
        seconds = _retry_after(asked)
        if seconds is not None:
            pause = min(LONGEST_WAIT, seconds)
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            if self.stop():
                raise CrawlStopped
            time.sleep(min(0.25, left))


def _retry_after(text: str | None) -> float | None:
    """Seconds from a `Retry-After` header: a number or a date."""
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        try:
            when = email.utils.parsedate_to_datetime(text)
            return max(0.0, (when - datetime.now(UTC)).total_seconds())
        except (TypeError, ValueError):
            return None


def check_host(address: str) -> str:
    """The host of a portal's address, "" if it has none. Raises UserError for a name that no computer can
    have, since it, or a part of it, is empty or too long."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return ""  # which the request itself will say
    try:
        # As it is asked for: of 253 letters at most, and each part of 63.
        fits = ":" in host or len(host.rstrip(".").encode("idna")) <= 253
    except ValueError:
        fits = False
    if not fits:
        shown = host if len(host) <= 60 else f"{host[:60]}…"
        raise UserError(f"No computer can be called '{shown}': check the address of the portal.")
    return host


def _unreached(error: Exception) -> Exception | None:
    """Why there was no connection at all; None where there was one."""
    cause = error.args[0] if error.args else None
    return (cause.reason or cause) if isinstance(cause, MaxRetryError) else None


def _refused(error: Exception) -> bool:
    return "refused" in str(error).lower() or "resolve" in str(error).lower()


def _reason(content: bytes) -> str:
    try:
        document = json.loads(content)
        return str(document.get("message") or document.get("error") or document)[:300]
    except (ValueError, AttributeError):
        return content[:300].decode(errors="replace")
