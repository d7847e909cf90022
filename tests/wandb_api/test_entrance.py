"""Address, certificate and connections: where we are met, and how many strangers we bear."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from controller.api.listener import ListenError
from controller.runtime import listening, tcp
from controller.settings import Home
from controller.wandb_api.certificate import Files, server_context
from controller.wandb_api.faults import Complaints
from tests.wandb_api.shop import Shop, Tell


def test_web_pages_and_foreign_hosts_are_kept_out(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        for headers in (
            {"Origin": "http://127.0.0.1"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Host": "evil.example"},
            {"Host": "127.0.0.1.evil.example:80"},
        ):
            url = shop.server.url + "/graphql"
            sent = {**shop.headers(), **headers}
            async with shop.session.post(url, json={"query": "{ viewer { id } }"}, headers=sent) as answer:
                assert answer.status == 403

    tell(story)


def test_certificate_names_the_host_and_its_key_is_private(tmp_path: Path) -> None:
    files = Files(directory=tmp_path / "tls")
    server_context(files.directory, "127.0.0.1")
    assert files.key.stat().st_mode & 0o777 == 0o600
    leaf, authority = x509.load_pem_x509_certificates(files.chain.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    before = files.chain.read_bytes()
    server_context(files.directory, "127.0.0.1")
    assert files.chain.read_bytes() == before
    server_context(files.directory, "other.example")
    assert files.chain.read_bytes() != before


def test_bundle_trusts_us_and_whom_the_system_trusts(tmp_path: Path) -> None:
    files = Files(directory=tmp_path / "tls")
    server_context(files.directory, "127.0.0.1")
    ours = x509.load_pem_x509_certificates(files.chain.read_bytes())[1]
    context = ssl.create_default_context(cafile=str(files.bundle))
    subjects = [str(found["subject"]) for found in context.get_ca_certs()]
    assert any("tui-sweeps authority" in subject for subject in subjects)
    assert ours.subject.rfc4514_string() in "CN=tui-sweeps authority"
    if Path("/etc/ssl/certs/ca-certificates.crt").exists():
        assert len(subjects) > 1


@pytest.mark.parametrize(
    ("text", "insecure", "reason"),
    [
        ("8080", False, "no address"),
        (":8080", False, "no address"),
        ("host:", False, "no address"),
        ("host:99999", False, "no address"),
        ("0.0.0.0:80", False, "all interfaces"),
        ("[::]:80", False, "all interfaces"),
        ("192.0.2.1:80", True, "plain HTTP"),
        ("login1:80", True, "plain HTTP"),
    ],
)
def test_address_that_must_not_be_listened_at_is_refused(text: str, insecure: bool, reason: str) -> None:
    with pytest.raises(ListenError, match=reason):
        listening.read_listening([text], insecure=insecure)


def test_address_is_kept_for_the_next_start(tmp_path: Path) -> None:
    home = Home(tmp_path)
    chosen = listening.read_listening(["127.0.0.1:0"], insecure=True)
    first = tcp.prepare(home, chosen)
    assert first is not None
    port = first.place.listening.getsockname()[1]
    first.place.listening.close()
    again = tcp.prepare(home, None)
    assert again is not None
    assert again.place.listening.getsockname()[1] == port
    other = tcp.prepare(home, None)  # taken: another port will do, and the first is tried again next time
    assert other is not None
    assert other.place.listening.getsockname()[1] != port
    other.place.listening.close()
    with pytest.raises(ListenError, match="cannot listen"):
        tcp.prepare(home, listening.read_listening([f"127.0.0.1:{port}"], insecure=True))
    again.place.listening.close()
    assert tcp.prepare(home, listening.read_listening(["off"], insecure=False)) is None
    assert tcp.prepare(home, None) is None
    assert os.stat(home.listen).st_mode & 0o777 == 0o600


def test_listening_that_fails_stops_a_start_only_when_it_was_asked_for_now(tmp_path: Path) -> None:
    home = Home(tmp_path)
    chosen = listening.read_listening(["127.0.0.1:0"], insecure=False)
    home.tls.write_text("no directory")
    with pytest.raises(ListenError, match="cannot be kept"):
        tcp.prepare(home, chosen)
    assert listening.saved(home) is not None
    assert tcp.prepare(home, None) is None


def test_connection_that_says_nothing_is_cut_off(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        port = int(shop.server.url.rpartition(":")[2])
        shop.server.entrance.first_s = 0.05
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert (await shop.ask("{ viewer { entity } }"))["viewer"]["entity"] == "local"

    tell(story)


def test_connections_beyond_the_limit_cost_the_oldest_stranger_its_place(
    tell: Tell,
) -> None:
    async def story(shop: Shop) -> None:
        port = int(shop.server.url.rpartition(":")[2])
        shop.server.entrance.n_max = 2
        first = await asyncio.open_connection("127.0.0.1", port)
        second = await asyncio.open_connection("127.0.0.1", port)
        assert (await shop.ask("{ viewer { entity } }"))["viewer"]["entity"] == "local"
        with contextlib.suppress(ConnectionResetError):
            assert await first[0].read() == b""
        for _, writer in (first, second):
            writer.close()

    tell(story)


def test_connections_beyond_the_limit_are_refused_when_all_have_keys(tell: Tell) -> None:
    async def story(shop: Shop) -> None:
        port = int(shop.server.url.rpartition(":")[2])
        await shop.ask("{ viewer { entity } }")
        shop.server.entrance.n_max = 1
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()
        assert (await shop.ask("{ viewer { entity } }"))["viewer"]["entity"] == "local"

    tell(story)


def test_refusals_fill_no_disk() -> None:
    written: list[str] = []
    complaints = Complaints(written.append, n_a_minute=3)
    for _ in range(10_000):
        complaints.tell("refused", 100.0)
    assert written == ["refused"] * 3
    complaints.tell("later", 161.0)
    assert written[3:] == ["9997 more refusals were not written down", "later"]
