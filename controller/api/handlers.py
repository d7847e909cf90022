"""What each path does with a request.

Refusals of the controller are answers (200, tagged), so that clients see typed data; only what the
wire itself refuses is a status of its own. Nothing a request holds can end the server.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from aiohttp import web

from controller.api.connection import Connection, Limits, fault_response
from controller.api.guard import HOSTS, JSON_TYPE, Fault, find_fault, too_large
from controller.api.pieces import answer_pieces, is_big
from controller.api.streams import Stream
from controller.client.door import Client, DeniedError, UnreachableError
from controller.client.parts import line_of, split_snapshot
from controller.domain.commands import Command
from controller.domain.events import AgentEvent
from controller.domain.queries import Query
from controller.domain.replies import Refused
from controller.domain.wire import WireError, decode, encode

log = logging.getLogger(__name__)

LINES_TYPE = "application/x-ndjson"

Handler = Callable[[web.BaseRequest, Client], Awaitable[web.StreamResponse]]
T = TypeVar("T")


class _FaultError(Exception):
    """A request is not served."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.error)
        self.fault = fault


class Handlers:
    """Answers requests on behalf of a door."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._streams: set[Stream] = set()
        self._paths: dict[str, tuple[str, Handler]] = {
            "/v1/send": ("POST", self._send),
            "/v1/ask": ("POST", self._ask),
            "/v1/snapshot": ("GET", self._snapshot),
            "/v1/changes": ("GET", self._changes),
        }

    def end_streams(self) -> None:
        """Let every reader of changes go."""
        for stream in tuple(self._streams):
            stream.end()

    async def answer(
        self, request: web.BaseRequest, door: Client, hosts: frozenset[str] | None = HOSTS
    ) -> web.StreamResponse:
        """Return the response to a request, whatever happens.

        `door` does what it asks, or refuses; `hosts`: what it may be meant for; None: looked at already.
        """
        protocol = request.protocol
        if isinstance(protocol, Connection):
            protocol.begin()
        try:
            return await self._dispatch(request, door, hosts)
        except _FaultError as error:
            return fault_response(error.fault)
        except UnreachableError as error:
            return fault_response(Fault(503, str(error), error.hint))
        except DeniedError as error:
            return fault_response(Fault(403, str(error), error.hint))
        except ConnectionError:
            raise
        except Exception as error:
            log.error("%s %s failed", request.method, request.raw_path.partition("?")[0], exc_info=error)
            return fault_response(
                Fault(500, "The controller failed on this request.", "its log has the details")
            )
        finally:
            if isinstance(protocol, Connection):
                protocol.end()

    async def _dispatch(
        self, request: web.BaseRequest, door: Client, hosts: frozenset[str] | None
    ) -> web.StreamResponse:
        fault = find_fault(request.headers, request.body_exists, self._limits.body_bytes, hosts)
        if fault is not None:
            raise _FaultError(fault)
        # The raw path is compared whole: nothing is decoded, so nothing can be decoded twice.
        method, handler = self._paths.get(request.raw_path.partition("?")[0], (None, None))
        if handler is None:
            raise _FaultError(Fault(404, "There is no such path.", "see `tui-sweeps --help`"))
        if request.method != method:
            raise _FaultError(Fault(405, f"This path takes {method} only."))
        return await handler(request, door)

    async def _send(self, request: web.BaseRequest, door: Client) -> web.StreamResponse:
        reply = await door.send(await self._word(request, Command | AgentEvent))
        status = 507 if isinstance(reply, Refused) and reply.code == "full" else 200
        return web.Response(status=status, body=encode(reply).encode(), content_type=JSON_TYPE)

    async def _ask(self, request: web.BaseRequest, door: Client) -> web.StreamResponse:
        answer = await door.ask(await self._word(request, Query))
        if not is_big(answer):
            return web.Response(body=encode(answer).encode(), content_type=JSON_TYPE)
        return await self._in_pieces(request, JSON_TYPE, answer_pieces(answer))

    async def _snapshot(self, request: web.BaseRequest, door: Client) -> web.StreamResponse:
        parts = split_snapshot(await door.snapshot())
        return await self._in_pieces(request, LINES_TYPE, (line_of(part) + "\n" for part in parts))

    async def _changes(self, request: web.BaseRequest, door: Client) -> web.StreamResponse:
        since = _since(request.raw_path.partition("?")[2])
        items = door.changes(since)
        stream = Stream(request, LINES_TYPE, self._limits)
        self._streams.add(stream)
        try:
            async with stream.begun():
                await stream.carry(items)
        finally:
            self._streams.discard(stream)
        return stream.response

    async def _in_pieces(
        self, request: web.BaseRequest, kind: str, texts: Iterator[str]
    ) -> web.StreamResponse:
        stream = Stream(request, kind, self._limits)
        async with stream.begun():
            for text in texts:
                await stream.write(text.encode())
                await asyncio.sleep(0)  # other requests have their turn between two pieces
        return stream.response

    async def _word(self, request: web.BaseRequest, kind: Any) -> Any:
        try:
            return decode(await self._body(request), kind)
        except WireError as error:
            raise _FaultError(Fault(400, f"The body is not understood: {error}")) from error

    async def _body(self, request: web.BaseRequest) -> bytes:
        content = request.content
        if content.is_eof():  # the usual case: it came together with its headers
            body = content.read_nowait()
        else:
            parts: list[bytes] = []
            n_bytes = 0
            try:
                async with asyncio.timeout(self._limits.body_s):
                    async for part in content.iter_any():
                        parts.append(part)
                        n_bytes += len(part)
                        if n_bytes > self._limits.body_bytes:
                            break
            except TimeoutError as error:
                raise _FaultError(Fault(408, "The body did not come in time.")) from error
            except web.RequestPayloadError as error:
                raise _FaultError(Fault(400, "The body is broken.")) from error
            body = b"".join(parts)
        if len(body) > self._limits.body_bytes:
            raise _FaultError(too_large(self._limits.body_bytes))
        return body


def _since(query: str) -> int:
    with suppress(ValueError):
        match parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=2):
            case [("since", digits)] if digits.isascii() and digits.isdecimal() and len(digits) < 20:
                return int(digits)
    raise _FaultError(Fault(400, "`since` is the number of a batch.", "GET /v1/changes?since=0"))
