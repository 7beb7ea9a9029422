"""Host names that clients can use, and the names that a certificate has to carry for them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.model.problem import invalid

#: Longest common name that X.509 allows [characters].
LONGEST_COMMON_NAME = 64

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a server in its certificate.

    :ivar common_name: what DCOR-Aid takes for the server's address: the host, with ":port" only for a try-out.
    :ivar dns: host names it may be reached by; `ips`: addresses it may be reached by.
    """

    common_name: str
    dns: tuple[str, ...]
    ips: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The main name without the port."""
        return self.common_name if self.common_name.count(":") > 1 else self.common_name.partition(":")[0]


def hostname_problems(hostname: str) -> list[str]:
    """Return, in sentences, why clients could not use `hostname` for a production server; empty = good.

    `hostname` is a bare name or IPv4 address, as users type it into DCOR-Aid.
    """
    if not hostname:
        return ["The host name is empty."]
    if "/" in hostname:
        name = hostname.partition("://")[2].partition("/")[0].partition(":")[0] or hostname.partition("/")[0]
        return [f"'{hostname}' is an address, not a name. The host name alone is: {name}"]
    if ":" in hostname:
        return [
            f"'{hostname}' carries a port (or is an IPv6 address): dclab opens datasets only on port 443 under a name or "
            "an IPv4 address. Leave the port away."
        ]
    if hostname != hostname.lower():
        return [
            f"'{hostname}' has capital letters: dclab's address patterns know only a-z, 0-9, '-' and '.'. "
            f"Use '{hostname.lower()}'."
        ]
    if is_ip(hostname):
        return []
    problems = _syntax_problems(hostname)
    if not problems and "." not in hostname:
        problems.append(
            f"'{hostname}' has no dot: dclab follows basins only to names with one. Use the full name, for example "
            f"'{hostname}.clinic.example'."
        )
    return problems


def names_for(hostname: str, *, port: int = 443, extra: Iterable[str] = (), try_out: bool = False) -> Names:
    """Return the certificate names of a server called `hostname`, reachable also by the `extra` names and addresses.

    With `try_out`, a name without a dot is accepted, localhost is added, and a port other than 443 goes into the
    common name, where DCOR-Aid finds it. Raises Problem 409 with the reasons when clients could not use a name.
    """
    problems = _syntax_problems(hostname) if try_out and not is_ip(hostname) else hostname_problems(hostname)
    others = [*extra, *(["localhost", "127.0.0.1", "::1"] if try_out else [])]
    for other in others:
        if not is_ip(other):
            problems += _syntax_problems(other)
    common_name = f"{hostname}:{port}" if try_out and port != 443 else hostname
    if len(common_name) > LONGEST_COMMON_NAME:
        problems.append(
            f"'{common_name}' has more than {LONGEST_COMMON_NAME} characters, which no certificate can carry as its "
            "common name, where DCOR-Aid looks for the server."
        )
    if problems:
        raise invalid({"hostname": problems})
    everything = list(dict.fromkeys([hostname, *others]))
    dns = tuple(name for name in everything if not is_ip(name))
    ips = tuple(str(ipaddress.ip_address(name)) for name in everything if is_ip(name))
    return Names(common_name, dns, ips)


def is_ip(name: str) -> bool:
    """Return whether `name` is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def matches(host: str, dns: Iterable[str], ips: Iterable[str]) -> bool:
    """Return whether a certificate with these names is valid for `host` (wildcards cover one label)."""
    if is_ip(host):
        return str(ipaddress.ip_address(host)) in set(ips)
    host = host.lower()
    parent = "*." + host.partition(".")[2]
    return any(name.lower() in (host, parent) for name in dns)


def _syntax_problems(name: str) -> list[str]:
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return [
            f"'{name}' is not a host name: only a-z, 0-9 and '-' between dots (names with other letters in their 'xn--' form)."
        ]
    if labels[-1].isdigit():
        return [f"'{name}' ends with a number but is no IPv4 address."]
    return []
