"""Connections to public addresses only: a name is resolved once, and what was checked is connected to."""

import os
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import requests
import urllib3
from requests.utils import select_proxy
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from crimecast import UserError

UNICAST = IPv6Network("2000::/3")  # all that is handed out; NAT64, mapped and multicast lie outside
# No hosts, though Python calls them global: 6to4 and Teredo, which embed other addresses,
# the relays of 6to4, and what protocols keep for themselves.
SPECIAL = [
    ip_network(text) for text in ("2002::/16", "2001::/32", "192.88.99.0/24", "192.0.0.0/24")
]


def is_public(address: str) -> bool:
    """Whether an IP address lies in the public Internet, and embeds none that may not."""
    found: IPv4Address | IPv6Address = ip_address(address.split("%")[0])
    if not found.is_global or found.is_multicast:
        return False
    if isinstance(found, IPv6Address) and found not in UNICAST:
        return False
    return not any(found in network for network in SPECIAL)


def public_addresses(host: str, port: int | None = None) -> list[str]:
    """The IP addresses of a host. Raises UserError unless all are public, OSError if it has none.

    The server's owner allows others with CRIMECAST_ALLOW_PRIVATE=1.
    """
    try:
        entries = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise UserError(f"'{host}' is not the name of a computer.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if os.environ.get("CRIMECAST_ALLOW_PRIVATE") != "1" and not all(map(is_public, addresses)):
        raise UserError(
            f"{host} lies inside a private network; this server asks public portals only "
            "(its owner can set CRIMECAST_ALLOW_PRIVATE=1)."
        )
    return addresses


def check_public(host: str) -> None:
    """Raise UserError if a host is, or resolves to, an address that isn't public."""
    try:
        public_addresses(host)
    except OSError:
        return  # it can't be reached, which the request itself will say


class _Checked(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        try:
            addresses = public_addresses(self.host, self.port)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        trouble: OSError | None = None
        for one in addresses:
            try:
                return create_connection(
                    (one, self.port or 0),
                    self.timeout,
                    self.source_address,
                    socket_options=self.socket_options,
                )
            except OSError as error:
                trouble = error
        raise NewConnectionError(self, f"Failed to establish a new connection: {trouble}")


class _CheckedTLS(_Checked, urllib3.connection.HTTPSConnection):
    pass  # the certificate is checked for the name, as ever


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Checked


class _PoolTLS(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTLS


class PublicAdapter(requests.adapters.HTTPAdapter):
    """Connects to public addresses alone, redirects included."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Connections that look where they go."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _PoolTLS}

    def send(
        self, request: requests.PreparedRequest, *args: Any, **options: Any
    ) -> requests.Response:
        """Send a request. Raises UserError if its host isn't public."""
        if select_proxy(str(request.url), options.get("proxies")):  # which connects in our place
            check_public(urllib3.util.parse_url(str(request.url)).host or "")
        return super().send(request, *args, **options)
