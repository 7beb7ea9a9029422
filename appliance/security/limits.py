"""How often somebody may try to log in, by name and address, and register on a playground. Counted in memory.

Unknown tokens are not counted: nobody guesses 256 bits, and one forgotten client with an old token must not shut out its
neighbours behind the same address.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class Rates:
    """Attempts allowed, as "count/time".

    One person's typing errors are counted by name and address together, so that nobody can lock a colleague out from
    another desk; guessing spread over many addresses meets the larger limit by name, guessing many names the one by
    address (a clinic's users may share one). Registering counts attempts, refused ones too: a course of thirty behind one
    address gets in, a program that fills the disk with accounts does not.
    """

    login_pair: str = "5/5 minutes"
    login_name: str = "50/15 minutes"
    login_address: str = "300/15 minutes"
    register_address: str = "60/hour"
    register_all: str = "300/hour"


class Limiter:
    """Counts attempts and says how long to wait. All methods are safe to call from several threads."""

    def __init__(self, rates: Rates | None = None) -> None:
        rates = rates or Rates()
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._pair, self._name = parse(rates.login_pair), parse(rates.login_name)
        self._address = parse(rates.login_address)
        self._register, self._register_all = parse(rates.register_address), parse(rates.register_all)

    def login_attempt(self, name: str, address: str) -> int:
        """Count an attempt to log in as `name` from `address`; return the seconds to wait, 0 = go on.

        Call it before the password is looked at (many attempts at once would slip past a count taken afterwards), and
        `login_succeeded` when the password was right. What is refused looks at no password, so it counts no further:
        else one desk that goes on trying would use up what its victim may try from everywhere.
        """
        for item, keys in self._login(name, address):
            if not self._window.hit(item, *keys):
                return self._wait(item, *keys)
        return 0

    def login_succeeded(self, name: str, address: str) -> None:
        """Forget the attempts of this name at this address; those that others caused stay counted."""
        self._window.clear(self._pair, "pair", _name(name), network(address))

    def registration(self, address: str) -> int:
        """Count an attempt to register an account from `address`; return the seconds to wait, 0 = go on."""
        for item, keys in ((self._register, ("register", network(address))), (self._register_all, ("register",))):
            if not self._window.hit(item, *keys):
                return self._wait(item, *keys)
        return 0

    def _login(self, name: str, address: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
        name, address = _name(name), network(address)
        return [
            (self._pair, ("pair", name, address)),
            (self._name, ("name", name)),
            (self._address, ("address", address)),
        ]

    def _wait(self, item: RateLimitItem, *keys: str) -> int:
        return max(1, math.ceil(self._window.get_window_stats(item, *keys).reset_time - time.time()))


def network(address: str, ipv4_prefix: int = 32) -> str:
    """Return what counts as one place: an IPv4 address or `ipv4_prefix` bits of it, or the /64 of an IPv6 one (a single host owns all of it)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return str(parsed) if ipv4_prefix >= 32 else str(ipaddress.ip_network((parsed, ipv4_prefix), strict=False))


def _name(name: str) -> str:
    return name.strip().casefold()[:100]
