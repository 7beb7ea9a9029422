"""Rate limits of password attempts (by account and address) and of registrations. Counted in memory.

Unknown tokens are not counted: 256 bits cannot be guessed, and one client with an old token must not lock out others behind the
same address.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter


@dataclass(frozen=True, slots=True)
class Rates:
    """Attempts allowed, as "count/time".

    One person's typing errors are counted by account and address together, so that nobody can lock a colleague out from
    another desk; guessing spread over many addresses meets the larger limit by account, guessing many accounts the one by
    address (a clinic's users may share one). Registering counts attempts, refused ones too: a course of thirty behind one
    address gets in, a program that fills the disk with accounts does not. Whether an e-mail address is in use shows when
    somebody wants it for an own account, so that is counted, too. Codes of six digits are tried by whoever knows the password
    already: 20 a day, three of them right at any moment, mean one guessed in about 45 years.
    """

    login_pair: str = "5/5 minutes"
    login_name: str = "50/15 minutes"
    login_address: str = "300/15 minutes"
    login_code: str = "20/day"
    provider_address: str = "300/15 minutes"
    provider_logout: str = "60/15 minutes"
    register_address: str = "60/hour"
    register_all: str = "300/hour"
    email_change: str = "10/hour"
    access_request: str = "20/day"


class Limiter:
    """Counts attempts and says how long to wait. Thread-safe."""

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates or Rates()

    @cached_property
    def _window(self) -> MovingWindowRateLimiter:
        from limits.strategies import MovingWindowRateLimiter  # here, because the command line does not need it

        from appliance.security.attempt_storage import BoundedStorage

        return MovingWindowRateLimiter(BoundedStorage())

    @cached_property
    def _items(self) -> dict[str, RateLimitItem]:
        from limits import parse

        return {name: parse(rate) for name, rate in asdict(self._rates).items()}

    def login_attempt(self, name: str, address: str) -> int:
        """Count an attempt to prove with a password to be `name` from `address`; return the seconds to wait, 0 = go on.

        `name` is the account's id, or what was typed where there is no such account: a log-in name, an address and an id
        of one account must not be three counters.

        Call it before the password is looked at (many attempts at once would slip past a count taken afterwards), and
        `login_succeeded` when the password was right. What is refused looks at no password, so it counts no further:
        else one desk that goes on trying would use up what its victim may try from everywhere. An address that has used up
        its own is asked for first, so that names it makes up afterwards are not kept.
        """
        counters = self._login(name, address)
        item, keys = counters[-1]
        if not self._window.test(item, *keys):
            return self._wait(item, *keys)
        for item, keys in counters:
            if not self._window.hit(item, *keys):
                return self._wait(item, *keys)
        return 0

    def login_succeeded(self, name: str, address: str) -> None:
        """Forget the attempts of this name at this address; those from other addresses stay counted."""
        self._window.clear(self._items["login_pair"], "pair", _name(name), network(address))

    def code_attempt(self, account: str) -> int:
        """Count an attempt to enter a code of an account's app; return the seconds to wait, 0 = proceed."""
        item, keys = self._items["login_code"], ("code", account)
        return 0 if self._window.hit(item, *keys) else self._wait(item, *keys)

    def code_succeeded(self, account: str) -> None:
        """Forget the code attempts of this account."""
        self._window.clear(self._items["login_code"], "code", account)

    def provider_attempt(self, address: str) -> int:
        """Count a return from a provider to `address`; each makes this server send a request there. Return the seconds to wait, 0 =
        proceed.
        """
        item, keys = self._items["provider_address"], ("provider", network(address))
        return 0 if self._window.hit(item, *keys) else self._wait(item, *keys)

    def logout_attempt(self, address: str) -> int:
        """Count a logout token from `address`, before it is checked; return the seconds to wait, 0 = proceed."""
        item, keys = self._items["provider_logout"], ("logout", network(address))
        return 0 if self._window.hit(item, *keys) else self._wait(item, *keys)

    def logout_succeeded(self, address: str) -> None:
        """Forget the tokens of this address: a provider may sign out all users at once."""
        self._window.clear(self._items["provider_logout"], "logout", network(address))

    def registration(self, address: str) -> int:
        """Count an attempt to register an account from `address`; return the seconds to wait, 0 = proceed."""
        limits = (
            (self._items["register_address"], ("register", network(address))),
            (self._items["register_all"], ("register",)),
        )
        for item, keys in limits:
            if not self._window.hit(item, *keys):
                return self._wait(item, *keys)
        return 0

    def email_change(self, account: str) -> int:
        """Count an attempt of an account to change its e-mail address; return the seconds to wait, 0 = proceed."""
        item, keys = self._items["email_change"], ("email", account)
        return 0 if self._window.hit(item, *keys) else self._wait(item, *keys)

    def access_request(self, account: str) -> int:
        """Count a request for access by an account; return the seconds to wait, 0 = proceed."""
        item, keys = self._items["access_request"], ("access", account)
        return 0 if self._window.hit(item, *keys) else self._wait(item, *keys)

    def _login(self, name: str, address: str) -> list[tuple[RateLimitItem, tuple[str, ...]]]:
        name, address = _name(name), network(address)
        return [
            (self._items["login_pair"], ("pair", name, address)),
            (self._items["login_name"], ("name", name)),
            (self._items["login_address"], ("address", address)),
        ]

    def _wait(self, item: RateLimitItem, *keys: str) -> int:
        return max(1, math.ceil(self._window.get_window_stats(item, *keys).reset_time - time.time()))


@lru_cache(maxsize=4096)
def network(address: str, ipv4_prefix: int = 32) -> str:
    """Return the network that limits count by: an IPv4 address or `ipv4_prefix` bits of it, or the /64 of an IPv6 address (one host owns
    all of it).
    """
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
