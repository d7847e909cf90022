"""A client that says exactly the bytes it is given, as no proper client would."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from controller.api.connection import LIMITS, Limits
from controller.api.server import Server, serve
from controller.client.door import Client


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@asynccontextmanager
async def served(
    door: Client, directory: Path, limits: Limits = LIMITS, uid: int | None = None
) -> AsyncIterator[Server]:
    found = os.getuid() if uid is None else uid
    server = await serve(door, directory / "d" / "c.sock", limits=limits, peer_uid=lambda _: found)
    try:
        yield server
    finally:
        async with asyncio.timeout(4):
            await server.close()


def request(
    method: str,
    path: str,
    headers: Iterable[str] = (),
    body: bytes = b"",
    host: str | None = "localhost",
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines.extend(headers)
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send_request(body: bytes, *more: str) -> bytes:
    return request("POST", "/v1/send", ("Content-Type: application/json", *more), body)


@asynccontextmanager
async def dialled(server: Server) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(server.socket)
    try:
        yield reader, writer
    finally:
        writer.close()


async def say(server: Server, data: bytes) -> Answer:
    """Return the answer to one request on a connection of its own."""
    async with dialled(server) as (reader, writer), asyncio.timeout(10):
        writer.write(data)
        await writer.drain()
        return await answer_of(reader, has_body=not data.startswith(b"HEAD "))


async def answer_of(reader: asyncio.StreamReader, *, has_body: bool = True) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {}
    for line in head[1:]:
        name, _, value = line.partition(":")
        if name:
            headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0")) if has_body else 0
    return Answer(int(head[0].split()[1]), headers, await reader.readexactly(length) if length else b"")
