"""Under which addresses and names other hosts may know this one; read from the kernel, nothing is sent.

Sources: proc(5) for `/proc/net/fib_trie` and `/proc/net/if_inet6`; the flags are those of `linux/if_addr.h`.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from pathlib import Path

IPV4 = Path("/proc/net/fib_trie")
IPV6 = Path("/proc/net/if_inet6")

_TEMPORARY, _DEPRECATED = 0x01, 0x20
_GLOBAL_SCOPE = 0x00

NAME_S = 1.0
"""How long the look-up of our own full name may take; it asks a name server that may not be there."""


def local_addresses() -> tuple[str, ...]:
    """Return this host's own addresses, loopback and link-local ones left out, IPv4 first."""
    found = (*_ipv4(_text(IPV4)), *_ipv6(_text(IPV6)))
    return tuple(address for address in dict.fromkeys(found) if is_for_others(address))


def is_for_others(host: str) -> bool:
    """Say whether other hosts might reach us by this name or address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() != "localhost" and not host.lower().startswith("localhost.")
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)


def own_names() -> tuple[str, ...]:
    """Return this host's full name and its short one."""
    full: list[str] = []
    # Not to be waited for: the look-up cannot be ended, only left alone.
    asking = threading.Thread(target=lambda: full.append(socket.getfqdn()), daemon=True)
    asking.start()
    asking.join(NAME_S)
    return tuple(name for name in dict.fromkeys((*full, socket.gethostname())) if is_for_others(name))


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""


def _ipv4(trie: str) -> tuple[str, ...]:
    """Return the leaves that the kernel calls local: a line with the address, then one with its kind."""
    found, last = [], ""
    for line in trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            last = words[1]
        elif words == ["/32", "host", "LOCAL"]:
            found.append(last)
    return tuple(found)


def _ipv6(table: str) -> tuple[str, ...]:
    found = []
    for line in table.splitlines():
        digits, _, _, scope, flags, *_ = line.split()
        if int(scope, 16) == _GLOBAL_SCOPE and not int(flags, 16) & (_TEMPORARY | _DEPRECATED):
            found.append(str(ipaddress.IPv6Address(int(digits, 16))))
    return tuple(found)
