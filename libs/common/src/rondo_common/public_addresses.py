"""Which network addresses are public: those a request on behalf of a stranger may be sent to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NEVER = tuple(
    ip_network(each)
    for each in (
        # Of these, versions of Python's library think differently.
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "168.63.129.16/32",  # Azure's host: metadata and health, at an address that looks public.
        "192.88.99.0/24",  # The former relay of 6to4.
        "::/96",  # IPv4 in an IPv6 address, the oldest way.
        "64:ff9b::/96",  # NAT64: leads to any IPv4 address, also to those inside.
        "64:ff9b:1::/48",  # The same, for a network's own use.
        "2001::/32",  # Teredo: carries an IPv4 address.
        "2002::/16",  # 6to4: carries one too.
        "100::/64",  # Discarded.
        "2001:db8::/32",  # For documents.
        "fc00::/7",
        "fec0::/10",  # What came before unique local addresses.
    )
)


def is_public(address: str) -> bool:
    """Whether ``address`` (an IPv4 or IPv6 address as text) is anybody's to reach over the internet.

    Not so are private, loopback, link-local (cloud metadata), shared (CGNAT), multicast, unspecified,
    reserved and documentation addresses, and those that carry an IPv4 address inside, whatever that is.

    Raises:
        ValueError: it is no address.
    """
    parsed = ip_address(address.partition("%")[0])  # Without a zone, such as %eth0.
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped  # The system connects to the IPv4 address.
    return _is_global(parsed)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if any(address.version == each.version and address in each for each in _NEVER):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
