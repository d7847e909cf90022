"""The door over HTTP on one of the controller's addresses, from another host.

One session, kept connections, no layers: an agent's request costs a fraction of a millisecond. How to get
there, and how to know that it is the controller who answers, is the way's business.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import aiohttp
from aiohttp import ClientTimeout

from controller.client.answers import fault_of, whole_lines
from controller.client.door import START_HINT, ClientError, DeniedError, UnreachableError
from controller.client.parts import Joiner
from controller.client.refusals import not_understood
from controller.client.ways import Way
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.feed import FeedItem
from controller.domain.queries import Answer, Query
from controller.domain.replies import Reply
from controller.domain.wire import WireError, decode, encode
from controller.domain.world import Snapshot

_HEADERS = {"Content-Type": "application/json"}

_SILENCE_S = 35.0
"""The server writes an empty line every 10 s; three missing ones mean that it is gone."""

T = TypeVar("T")


class RemoteClient:
    """A `Client` over TLS; belongs to the event loop that uses it first."""

    def __init__(self, way: Way, *, timeout_s: float = 10.0) -> None:
        self._way = way
        self._timeout_s = timeout_s
        self._connect_s = self._way.connect_s or timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._is_closed = False

    async def snapshot(self) -> Snapshot:
        """Return all facts as of one batch.

        Raises:
            ClientError: there is no (proper) answer.
        """
        joiner = Joiner()
        with self._told(self._timeout_s):
            # A big one may take long, but never a long time between two parts.
            timeout = ClientTimeout(total=None, sock_connect=self._connect_s, sock_read=self._timeout_s)
            async with self._opened().get(self._way.base / "snapshot", timeout=timeout) as response:
                if response.status != 200:
                    raise fault_of(response.status, await response.read())
                async for line in whole_lines(response.content.iter_any()):
                    joiner.add(decode(line, Snapshot))
                    await asyncio.sleep(0)  # a screen may paint between two parts
            return joiner.whole()

    async def changes(self, since: int) -> AsyncIterator[FeedItem]:
        """Yield what the controller commits after batch `since`.

        Raises:
            UnreachableError: the stream ended; ask again from the last batch seen.
            ClientError: it could not begin.
        """
        timeout = ClientTimeout(total=None, sock_connect=self._connect_s, sock_read=_SILENCE_S)
        with self._told(_SILENCE_S):
            url = (self._way.base / "changes").with_query(since=str(since))
            async with self._opened().get(url, timeout=timeout) as response:
                if response.status != 200:
                    raise fault_of(response.status, await response.read())
                async for line in whole_lines(response.content.iter_any()):
                    item: FeedItem = decode(line, FeedItem)  # type: ignore[arg-type]
                    yield item
        raise UnreachableError("The controller ended the stream of changes.", "connect again")

    async def send(self, message: Command | AgentEvent) -> Reply:
        """Deliver a command or an agent's event and return the reply once it is durable.

        Raises:
            ClientError: there is no (proper) answer; the message may have arrived all the same.
        """
        held_s: float = getattr(message, "wait_s", 0.0)
        reply: Reply = await self._post("send", message, Reply, held_s)
        return reply

    async def ask(self, query: Query) -> Answer:
        """Return the answer to a query.

        Raises:
            ClientError: there is no (proper) answer.
        """
        answer: Answer = await self._post("ask", query, Answer, 0.0)
        return answer

    async def close(self) -> None:
        """Let go of the connections."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()

    async def _post(self, name: str, word: Any, kind: Any, held_s: float) -> Any:
        url = self._way.base / name
        timeout = ClientTimeout(total=self._timeout_s + held_s, sock_connect=self._way.connect_s)
        with self._told(self._timeout_s + held_s):
            body = encode(word).encode()
            async with self._opened().post(url, data=body, headers=_HEADERS, timeout=timeout) as response:
                answer = await response.read()
                if response.status not in (200, 507):
                    raise fault_of(response.status, answer)
                return decode(answer, kind)

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
