"""The door over HTTP on one of the controller's addresses, from another host.

One session, kept connections, no layers: an agent's request costs a fraction of a millisecond. How to get
there, and how to know that it is the controller who answers, is the way's business.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager

import aiohttp
from aiohttp import ClientTimeout

from controller.client.answers import fault_of, whole_lines
from controller.client.door import START_HINT, ClientError, DeniedError, UnreachableError
from controller.client.http import HttpClient
from controller.client.refusals import not_understood
from controller.client.ways import Way
from controller.domain.wire import WireError

_HEADERS = {"Content-Type": "application/json"}


class RemoteClient(HttpClient):
    """A `Client` over TLS; belongs to the event loop that uses it first."""

    def __init__(self, way: Way, *, timeout_s: float = 10.0) -> None:
        super().__init__(timeout_s)
        self._way = way
        self._connect_s = self._way.connect_s or timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def close(self) -> None:
        """Let go of the connections."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(self, name: str, body: bytes, limit_s: float) -> tuple[int, bytes]:
        url = self._way.base / name
        timeout = ClientTimeout(total=limit_s, sock_connect=self._way.connect_s)
        async with self._opened().post(url, data=body, headers=_HEADERS, timeout=timeout) as response:
            return response.status, await response.read()

    @asynccontextmanager
    async def _stream(self, target: str, silence_s: float) -> AsyncIterator[AsyncIterator[bytes]]:
        name, _, query = target.partition("?")
        url = (self._way.base / name).with_query(query)
        timeout = ClientTimeout(total=None, sock_connect=self._connect_s, sock_read=silence_s)
        async with self._opened().get(url, timeout=timeout) as response:
            if response.status != 200:
                raise fault_of(response.status, await response.read())
            async with aclosing(whole_lines(response.content.iter_any())) as lines:
                yield lines

    def _opened(self) -> aiohttp.ClientSession:
        if self._is_closed:
            raise UnreachableError("This client is closed.")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._way.connector(),
                headers=self._way.headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session

    @contextmanager
    def _told(self, timeout_s: float) -> Iterator[None]:
        """Tell what goes wrong within as one of the door's errors."""
        try:
            yield
        except ClientError:
            raise
        except TimeoutError as error:
            raise UnreachableError(
                f"The controller at {self._way} did not answer within {timeout_s:g} s.",
                "is it stopped, or the machine overloaded?",
            ) from error
        except (aiohttp.ClientSSLError, ssl.SSLError) as error:
            raise UnreachableError(
                f"Somebody else answers at {self._way}, not this controller.",
                "nothing was sent; the connection file says where it is",
            ) from error
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, PermissionError):
                raise DeniedError(f"You may not connect to {self._way}.") from error
            raise UnreachableError(f"No controller answers at {self._way}.", START_HINT) from error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise UnreachableError("The controller went away during a request.", "try again") from error
        except (aiohttp.ClientError, WireError, ValueError) as error:
            raise not_understood(error) from error
