"""Which address is taken when some refuse, some are silent, and some are somebody else's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controller.client import addresses
from controller.client.addresses import attempt, joined, meet, pinned, split
from controller.client.door import ProtocolError, UnreachableError
from controller.wandb_api.certificate import authority_of, server_context


@asynccontextmanager
async def listening(context: ssl.SSLContext | None, heard: list[bytes]) -> AsyncIterator[str]:
    """Listen on loopback; what arrives is written down."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.read())
        except ConnectionError:
            heard.append(b"")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def refusing() -> str:
    """Return an address at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [("login:80", "login", 80), ("10.0.0.1:1", "10.0.0.1", 1), ("[::1]:80", "::1", 80)],
)
def test_address_is_split_and_joined(text: str, host: str, port: int) -> None:
    assert split(text) == (host, port)
    assert joined(host, port) == text


@pytest.mark.parametrize(
    "text", ["", "login", ":80", "login:", "login:0", "login:65536", "login:8a", "login:٣"]
)
def test_address_is_refused_when_it_is_none(text: str) -> None:
    with pytest.raises(ProtocolError, match="no address"):
        split(text)


def test_pin_is_refused_when_it_is_no_certificate() -> None:
    with pytest.raises(ProtocolError, match="not readable"):
        pinned("nonsense")


def test_the_address_that_answers_is_found_among_others(tmp_path: Path) -> None:
    context = server_context(tmp_path / "tls")
    pin = pinned(authority_of(tmp_path / "tls"))

    async def script() -> None:
        async with listening(context, []) as good:
            assert await meet([refusing(), good, refusing()], pin) == good
            tried = await attempt(good, pin)
            assert (tried.address, tried.error) == (good, "")

    asyncio.run(script())


def test_somebody_else_at_the_port_hears_nothing(tmp_path: Path) -> None:
    context = server_context(tmp_path / "theirs")
    server_context(tmp_path / "ours")
    pin = pinned(authority_of(tmp_path / "ours"))
    heard: list[bytes] = []

    async def script() -> None:
        async with listening(context, heard) as theirs:
            with pytest.raises(UnreachableError, match="none of its 1 address") as caught:
                await meet([theirs], pin)
            assert f"{theirs}: somebody else answers there" in caught.value.hint

    asyncio.run(script())
    assert b"".join(heard) == b""


def test_a_server_without_tls_is_somebody_else(tmp_path: Path) -> None:
    server_context(tmp_path / "ours")
    pin = pinned(authority_of(tmp_path / "ours"))

    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async def script() -> None:
        server = await asyncio.start_server(speak, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert "somebody else" in (await attempt(address, pin)).error
        server.close()

    asyncio.run(script())


def test_an_address_that_is_silent_costs_its_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel completes the connection; nobody ever says a word."""
    monkeypatch.setattr(addresses, "STAGGER_S", 0.01)
    context = server_context(tmp_path / "tls")
    pin = pinned(authority_of(tmp_path / "tls"))

    async def script() -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"127.0.0.1:{silent.getsockname()[1]}"
            assert (await attempt(address, pin, answer_s=0.05)).error == "no answer within 0.05 s"
            async with listening(context, []) as good:
                # Beside the silent one, not after it.
                async with asyncio.timeout(addresses.ANSWER_S * 0.9):
                    assert await meet([address, good], pin) == good

    asyncio.run(script())


def test_every_address_is_named_with_its_reason_when_none_answers(tmp_path: Path) -> None:
    server_context(tmp_path / "tls")
    pin = pinned(authority_of(tmp_path / "tls"))
    first = refusing()

    async def script() -> None:
        with pytest.raises(UnreachableError, match="none of its 2") as caught:
            await meet([first, "nonsense"], pin)
        assert f"{first}: Connection refused" in caught.value.hint
        assert "nonsense: 'nonsense' is no address" in caught.value.hint

    asyncio.run(script())
