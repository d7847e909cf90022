"""What `--listen` and `--advertise` mean, and which addresses of this host are told to others."""

from __future__ import annotations

import socket

import pytest

from controller.api.listener import ListenError
from controller.client.announced import Connection, fault_for_nodes
from controller.runtime import interfaces, listening
from controller.runtime.listening import Address, Listening, bind, hosts_of, read_listening

TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.77.0.0/24 2 0 2
        |-- 10.77.0.0
           /24 link UNICAST
        |-- 10.77.0.1
           /32 host LOCAL
        |-- 10.77.0.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.1
           /32 host LOCAL
     |-- 169.254.3.4
        /32 host LOCAL
Local:
        |-- 10.77.0.1
           /32 host LOCAL
        |-- 10.77.0.2
           /32 host LOCAL
"""
IF_INET6 = """00000000000000000000000000000001 01 80 10 80       lo
fd000000000000000000000000000002 02 40 00 80     eth0
fd0000000000000000000000000000aa 02 40 00 01     eth0
fe800000000000000000000000000001 02 40 20 80     eth0
"""


@pytest.fixture
def kernel(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    place = Path(str(tmp_path))
    (place / "trie").write_text(TRIE)
    (place / "six").write_text(IF_INET6)
    monkeypatch.setattr(interfaces, "IPV4", place / "trie")
    monkeypatch.setattr(interfaces, "IPV6", place / "six")


def test_addresses_of_this_host_are_those_that_others_can_use(kernel: None) -> None:
    assert interfaces.local_addresses() == ("10.77.0.1", "10.77.0.2", "fd00::2")


def test_a_host_without_proc_has_no_addresses(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    for name in ("IPV4", "IPV6"):
        monkeypatch.setattr(interfaces, name, Path(str(tmp_path)) / "nothing")
    assert interfaces.local_addresses() == ()


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", False), ("localhost.localdomain", False), ("127.0.1.1", False), ("::1", False),
        ("0.0.0.0", False), ("fe80::1", False), ("10.0.0.1", True), ("login", True), ("fd00::2", True),
    ],
)  # fmt: skip
def test_loopback_is_not_for_others(host: str, answer: bool) -> None:
    assert interfaces.is_for_others(host) is answer


def test_everything_that_is_listened_at_is_told_addresses_before_names(
    kernel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "own_names", lambda: ("login.example.org", "login"))
    chosen = Listening(
        addresses=(Address("all", 0), Address("127.0.0.2", 0)), advertise=("login-hsn", "gate:22")
    )
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        port = one.getsockname()[1]
        assert hosts_of(chosen, (one, two)) == (
            ("login-hsn", port), ("gate", 22), ("10.77.0.1", port), ("10.77.0.2", port), ("fd00::2", port),
            ("login.example.org", port), ("login", port),
        )  # fmt: skip


def test_addresses_that_take_any_port_share_it() -> None:
    bound = bind(Listening(addresses=(Address("127.0.0.1", 0), Address("127.0.0.2", 0))))
    try:
        assert len({listening.getsockname()[1] for listening in bound}) == 1
    finally:
        for listening in bound:
            listening.close()


def test_nothing_stays_bound_when_one_address_cannot_be_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen at 127.0.0.1:{port}"):
            bind(Listening(addresses=(Address("127.0.0.2", port), Address("127.0.0.1", port))))
    with socket.create_server(("127.0.0.2", port)):
        pass


@pytest.mark.parametrize("text", ["", "a b", "user@host", "host/path", "host:0", "host:x", "host:99999"])
def test_what_cannot_be_an_address_is_not_advertised(text: str) -> None:
    with pytest.raises(ListenError):
        read_listening(["127.0.0.1:0"], [text], insecure=False)


def test_all_interfaces_are_listened_at_only_when_that_is_written() -> None:
    assert read_listening(["all:80"], insecure=False).addresses == (Address("all", 80),)
    with pytest.raises(ListenError, match="all interfaces") as caught:
        read_listening(["0.0.0.0:80"], insecure=False)
    assert "all:PORT" in caught.value.hint
    with pytest.raises(ListenError, match="plain HTTP"):
        read_listening(["all:80"], insecure=True)


def told(wandb_url: str = "", addresses: tuple[str, ...] = ()) -> Connection:
    return Connection(
        host="login1", boot_id="b", pid=1, socket="/s", instance="i", started_at=0.0, version="1",
        wandb_url=wandb_url, addresses=addresses,
    )  # fmt: skip


def test_a_controller_that_no_node_can_reach_is_told_with_what_to_do() -> None:
    for found, where in (
        (told(), "on its Unix socket only"),
        (told("https://127.0.0.1:1"), "on this machine only (https://127.0.0.1:1)"),
    ):
        fault = fault_for_nodes(found)
        assert fault is not None
        assert where in fault[0]
        assert "--listen all:0" in fault[1]
    assert fault_for_nodes(told("https://10.0.0.1:1", ("10.0.0.1:1",))) is None


def port_of(sockets: tuple[socket.socket, ...]) -> int:
    ports = {one.getsockname()[1] for one in sockets}
    for one in sockets:
        one.close()
    (port,) = ports
    return port


def test_port_of_our_own_choice_is_none_that_outgoing_connections_get() -> None:
    asked = Listening(addresses=(Address("127.0.0.1", 0), Address("127.0.0.2", 0)))
    first_given = listening._first_given_port()
    assert {listening.LOWEST_PORT <= port_of(bind(asked)) < first_given for _ in range(20)} == {True}


def test_where_the_kernel_gives_all_ports_or_ours_are_taken_it_chooses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = Listening(addresses=(Address("127.0.0.1", 0),))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(listening, "LOWEST_PORT", port)
        monkeypatch.setattr(listening, "_first_given_port", lambda: port + 1)
        assert port_of(bind(asked)) != port
        monkeypatch.setattr(listening, "_first_given_port", lambda: 1024)
        assert port_of(bind(asked)) != port
