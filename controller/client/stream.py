"""One connection to the controller, and HTTP/1.1 on it, as far as our wire needs it.

A request at a time; a body comes in pieces, measured or chunked. Nothing else is understood, for nobody else
answers there. Source: RFC 9112, sections 6 and 7.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from controller.client.door import ProtocolError
from controller.client.ways import PIECE_BYTES

__all__ = ["GoneError", "Line"]


class GoneError(ConnectionError):
    """The other side closed in the middle of an answer."""


class Line:
    """A connection; `request` begins an exchange, `pieces` ends it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fields: str) -> None:
        """Take a connection; `fields` are the header fields of each request, as bytes on the wire."""
        self._reader, self._writer, self._fields = reader, writer, fields
        self._length: int | None = 0
        """Of the body that comes; None: in chunks."""
        self._stays = True
        self.is_free = False
        """The last answer was read to its end and the connection stays open."""
        self.free_since_s = time.monotonic()

    def is_open(self) -> bool:
        """Say whether neither side has closed it, as far as is known."""
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def request(self, method: str, target: str, body: bytes = b"") -> int:
        """Send a request; return the status of the answer once its head is there.

        Raises:
            GoneError, OSError: the other side went away.
            ProtocolError: it speaks no HTTP that we know.
        """
        self.is_free = False
        kind = "Content-Type: application/json\r\n" if method == "POST" else ""
        head = f"{method} {target} HTTP/1.1\r\n{self._fields}{kind}Content-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode("ascii") + body)
        await self._writer.drain()
        try:
            answer = await self._reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            raise GoneError("no answer") from error
        except asyncio.LimitOverrunError as error:
            raise ProtocolError("The answer's head has no end.", _FOREIGN) from error
        return self._read_head(answer.decode("latin-1"))

    def _read_head(self, head: str) -> int:
        first, *lines = head.split("\r\n")
        version, _, rest = first.partition(" ")
        if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdecimal():
            raise ProtocolError(f"What was said is not understood: {first[:60]!r}", _FOREIGN)
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._stays = version == "HTTP/1.1" and fields.get("connection", "").lower() != "close"
        length = fields.get("content-length", "")
        if fields.get("transfer-encoding", "").lower() == "chunked":
            self._length = None
        elif length.isdecimal():
            self._length = int(length)
        else:
            raise ProtocolError("The answer does not say how long it is.", _FOREIGN)
        return int(rest[:3])

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the answer's body as it comes.

        Raises:
            GoneError, OSError: it is cut off.
            ProtocolError: it is not as announced.
        """
        if self._length is None:
            while n_bytes := await self._chunk_size():
                async for piece in self._measured(n_bytes):
                    yield piece
                await self._line_end()
            while await self._line_end() != b"\r\n":
                pass  # what may follow the last chunk says nothing to us
        else:
            async for piece in self._measured(self._length):
                yield piece
        self.is_free, self.free_since_s = self._stays and self.is_open(), time.monotonic()

    async def _measured(self, n_bytes: int) -> AsyncIterator[bytes]:
        while n_bytes:
            piece = await self._reader.read(min(n_bytes, PIECE_BYTES))
            if not piece:
                raise GoneError("cut off")
            n_bytes -= len(piece)
            yield piece

    async def _chunk_size(self) -> int:
        text = (await self._line_end()).partition(b";")[0].strip()
        try:
            return int(text, 16)
        except ValueError:
            raise ProtocolError(f"A part of the answer has no length: {text[:20]!r}", _FOREIGN) from None

    async def _line_end(self) -> bytes:
        line = await self._reader.readline()
        if not line.endswith(b"\n"):
            raise GoneError("cut off")
        return line

    async def close(self) -> None:
        """Close it, without a goodbye: over TLS that would wait for an answer, which may never come."""
        self.is_free = False
        self._writer.transport.abort()
        with suppress(OSError):  # gone already
            await self._writer.wait_closed()


_FOREIGN = "are both sides of the same version?"
