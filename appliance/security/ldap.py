"""Client of the directory (LDAP, Active Directory): always encrypted, and only to a server with a valid certificate.

User input is escaped in filters and never becomes part of a DN: the name is searched, and the entry found is used for the bind.
"""

from __future__ import annotations

import re
import ssl
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from appliance.model.directory import Group, Person
from appliance.model.problem import Problem, invalid
from appliance.signon_settings import Ldap

if TYPE_CHECKING:
    import ldap3

#: File in `secrets/` with the password of `ldap.bind_dn`.
PASSWORD = "ldap.password"  # noqa: S105 - the name of a file
_SERVER = re.compile(r"(ldaps?)://(\[[0-9A-Fa-f:]+\]|[^\s:/\[\]]+)(?::([0-9]{1,5}))?/?", re.IGNORECASE)
_LONGEST_LOGIN = 256
_AT_ONCE = 50  # people in one search
_PAGE = 500  # groups in one response
_PAGED = "1.2.840.113556.1.4.319"
_SUCCESS, _SIZE_LIMIT, _NO_OBJECT, _CREDENTIALS, _BUSY, _UNAVAILABLE = 0, 4, 32, 49, 51, 52
#: Attributes by which directories mark an account as disabled or expired.
_MARKS = ("userAccountControl", "accountExpires", "pwdAccountLockedTime", "nsAccountLock")
_AD_NEVER = (0, 0x7FFFFFFFFFFFFFFF)
#: Codes that Active Directory adds to a refused password. The first three are sent only when the password was right.
_AD_DATA = {"532": "password expired", "773": "password must be changed", "533": "disabled", "775": "locked"}


class DirectoryAway(Problem):
    """503: no server of the directory gives a usable response; the message lists what each said."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, "Service Unavailable", message=reason)


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the directory."""

    url: str
    host: str
    port: int
    tls: bool  # TLS from the first byte; otherwise StartTLS


def servers_of(text: str) -> list[Server]:
    """Parse `ldap.servers`. Raises Problem 409."""
    found = []
    for url in re.split(r"[\s,;]+", text.strip()):
        match = _SERVER.fullmatch(url)
        if match is None or int(match[3] or 1) > 65535:
            raise invalid(
                message=f"ldap.servers: '{url}' is not a directory server such as ldaps://dc1.hospital.example "
                "(or ldap:// for StartTLS)."
            )
        tls = match[1].lower() == "ldaps"
        found.append(Server(url, match[2].strip("[]"), int(match[3] or (636 if tls else 389)), tls))
    return found


class Directory:
    """The configured directory. Every method raises DirectoryAway when no server gives a valid response."""

    def __init__(self, settings: Ldap, password: str = "") -> None:
        try:
            import ldap3
        except ImportError as error:
            raise DirectoryAway("Support for directories is not installed: pip install dcor-appliance[ldap]") from error
        self._ldap3 = ldap3
        self._settings = settings
        self._password = password
        self.server = ""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection bound as the service account."""
        connection = self._connect(self._settings.bind_dn, self._password)
        try:
            result = connection.result
            if result["result"] != _SUCCESS:
                raise DirectoryAway(
                    f"{self.server} refuses the account {self._settings.bind_dn or '(anonymous)'}: {_response_text(result)}. "
                    "Set its password: sudo dcor ldap password"
                )
            yield Session(connection, self._settings, self.server)
        finally:
            _close(connection)

    def accepts(self, dn: str, password: str) -> tuple[bool, str]:
        """Is this the password of the entry `dn`? → (yes, what the directory said of it).

        An empty password is never sent: servers take it for a wish to be nobody, and say yes.
        """
        if not dn or not password or "\0" in password:
            return False, "empty"
        connection = self._connect(dn, password)
        try:
            result = connection.result
            if result["result"] in (_BUSY, _UNAVAILABLE):
                raise DirectoryAway(f"{self.server}: {_response_text(result)}")
            return result["result"] == _SUCCESS, "" if result["result"] == _SUCCESS else _response_text(result)
        finally:
            _close(connection)

    def _connect(self, dn: str, password: str) -> ldap3.Connection:
        """A bound connection to the first server that responds; `result` says whether the bind was accepted."""
        reasons = []
        for server in servers_of(self._settings.servers):
            self.server = server.url
            try:
                return self._bound(server, dn, password)
            except (self._ldap3.core.exceptions.LDAPException, OSError) as error:
                reasons.append(f"{server.url}: {_reason(error)}")
        raise DirectoryAway(f"No directory server can be used. {'; '.join(reasons)}")

    def _bound(self, server: Server, dn: str, password: str) -> ldap3.Connection:
        ldap3, timeout = self._ldap3, self._settings.timeout
        place = ldap3.Server(
            server.host, server.port, use_ssl=server.tls, get_info=ldap3.NONE, connect_timeout=timeout,
            tls=_verified_tls(self._settings.authority),
        )  # fmt: skip
        connection = ldap3.Connection(
            place, user=dn or None, password=password or None, authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
            auto_referrals=False, receive_timeout=timeout, check_names=False, read_only=True,
        )  # fmt: skip
        try:
            connection.open()
            if not server.tls:
                connection.start_tls(read_server_info=False)
            if not getattr(connection.socket, "getpeercert", None):
                raise OSError("the connection is not encrypted")
            connection.bind(read_server_info=False)
        except (ldap3.core.exceptions.LDAPException, OSError):
            _close(connection)
            raise
        return connection


class Session:
    """Searches with the permissions of the service account."""

    def __init__(self, connection: ldap3.Connection, settings: Ldap, server: str) -> None:
        self._connection = connection
        self._settings = settings
        self.server = server

    def by_login(self, login: str) -> Person | None:
        """The person with this log-in name, None for nobody. Raises Problem 409 when there are several."""
        if not login or len(login) > _LONGEST_LOGIN:
            return None
        found = self._people(f"({self._settings.login_attribute}={escaped(login)})", limit=2)
        if len(found) > 1:
            raise invalid(
                message=f"Several people in the directory sign in as '{login}'; ldap.user_base or ldap.user_filter is too wide."
            )
        return found[0] if found else None

    def by_subjects(self, subjects: Sequence[str]) -> dict[str, Person]:
        """Those of the people with these stable ids who exist and match the user filter."""
        found: dict[str, Person] = {}
        for start in range(0, len(subjects), _AT_ONCE):
            terms = "".join(self._id_term(one) for one in subjects[start : start + _AT_ONCE])
            found |= {person.subject: person for person in self._people(f"(|{terms})")}
        return found

    def groups(self, person: Person) -> list[Group]:
        """The groups of a person, as `ldap.group_filter` finds them."""
        filter_ = self._settings.group_filter.replace("{dn}", escaped(person.dn))
        filter_ = filter_.replace("{login}", escaped(person.login))
        base = self._settings.group_base or self._settings.user_base
        entries = self._search(base, filter_, ["cn"], what="ldap.group_base")
        return [Group(entry["dn"], _text(entry, "cn") or _first_value(entry["dn"])) for entry in entries]

    def _people(self, term: str, limit: int = 0) -> list[Person]:
        settings = self._settings
        wanted = [
            settings.login_attribute, settings.id_attribute, settings.name_attribute, settings.email_attribute, *_MARKS,
        ]  # fmt: skip
        entries = self._search(
            settings.user_base, f"(&{settings.user_filter}{term})", wanted, limit=limit, what="ldap.user_base"
        )
        return [self._person(entry) for entry in entries]

    def _person(self, entry: dict[str, Any]) -> Person:
        settings = self._settings
        return Person(
            subject=_subject(entry, settings.id_attribute),
            login=_text(entry, settings.login_attribute),
            dn=entry["dn"],
            fullname=_text(entry, settings.name_attribute),
            email=_text(entry, settings.email_attribute),
            ended=_ended(entry),
        )

    def _id_term(self, subject: str) -> str:
        name = self._settings.id_attribute
        if name.lower() == "objectguid":
            return f"({name}={escaped(uuid.UUID(subject).bytes_le)})"
        return f"({name}={escaped(subject)})"

    def _search(
        self, base: str, filter_: str, attributes: Iterable[str], *, limit: int = 0, what: str
    ) -> list[dict[str, Any]]:
        """Entries below `base`. A refused or incomplete search raises instead of returning nothing: all accounts would count as removed."""
        from ldap3.core.exceptions import LDAPException

        connection, entries, cookie = self._connection, list[dict[str, Any]](), None
        while True:
            try:
                connection.search(
                    base, filter_, attributes=list(attributes), size_limit=limit,
                    time_limit=self._settings.timeout, paged_size=None if limit else _PAGE, paged_cookie=cookie,
                )  # fmt: skip
            except (LDAPException, OSError) as error:
                raise DirectoryAway(f"{self.server}: the search {filter_} failed: {_reason(error)}") from error
            result = connection.result
            if result["result"] == _NO_OBJECT:
                raise DirectoryAway(f"{self.server}: {what} '{base}' does not exist, or may not be read")
            if result["result"] != _SUCCESS and not (limit and result["result"] == _SIZE_LIMIT):
                raise DirectoryAway(f"{self.server}: the search {filter_} in '{base}' failed: {_response_text(result)}")
            entries += [one for one in connection.response or () if one["type"] == "searchResEntry"]
            cookie = ((result.get("controls") or {}).get(_PAGED) or {}).get("value", {}).get("cookie")
            if not cookie:
                return entries


def escaped(value: str | bytes) -> str:
    """`value` escaped for a filter (RFC 4515)."""
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return "".join(chr(one) if chr(one).isascii() and chr(one).isalnum() else f"\\{one:02x}" for one in raw)


def _verified_tls(authority: str) -> Any:
    """TLS settings with Python's defaults, including verification of the host name."""
    import ldap3

    class VerifiedTls(ldap3.Tls):  # type: ignore[misc]
        """ldap3's own host name check differs from Python's; this uses Python's."""

        def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
            """Encrypt the connection. Raises ssl.SSLError, ssl.SSLCertVerificationError."""
            context = ssl.create_default_context(cafile=authority or None)
            connection.socket = context.wrap_socket(
                connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=True
            )

    return VerifiedTls(validate=ssl.CERT_REQUIRED)


def _close(connection: ldap3.Connection) -> None:
    from ldap3.core.exceptions import LDAPException

    try:
        connection.unbind()
    except (LDAPException, OSError):
        return


def _response_text(result: dict[str, Any]) -> str:
    """A server's response: the name of its code, and the detail that Active Directory adds."""
    data = re.search(r"\bdata ([0-9a-f]+)", str(result.get("message") or ""))
    added = _AD_DATA.get(data[1], "") if data else ""
    return f"{result['description']} ({added})" if added else str(result["description"])


def _reason(error: BaseException) -> str:
    """The reason of a failure in one line; certificate errors are explained."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
        found = re.search(r"certificate verify failed: ([^(]+)", text)
        return f"its certificate is not valid here ({(found[1] if found else text).strip()}); ldap.authority names the authority's file"
    return text


def _subject(entry: dict[str, Any], name: str) -> str:
    """The stable id as text. Raises Problem 409 where the directory does not return one."""
    value = _raw(entry, name)
    if value is None:
        raise invalid(
            message=f"{entry['dn']} has no attribute {name} that the account ldap.bind_dn may read; set ldap.id_attribute."
        )
    if name.lower() == "objectguid" and len(value) == 16:
        return str(uuid.UUID(bytes_le=value))
    return value.decode("utf-8", "replace")


def _ended(entry: dict[str, Any]) -> str:
    """Why an account may not sign in, by the attributes that directories use for it; "" when none is set."""
    control = _text(entry, "userAccountControl")
    if control.isdigit() and int(control) & 2:
        return "disabled"
    expires = _text(entry, "accountExpires")
    if expires.isdigit() and int(expires) not in _AD_NEVER and int(expires) / 1e7 - 11644473600 < time.time():
        return "expired"
    if _text(entry, "pwdAccountLockedTime").startswith("000001010000"):
        return "locked for good"
    if _text(entry, "nsAccountLock").lower() == "true":
        return "disabled"
    return ""


def _raw(entry: dict[str, Any], name: str) -> bytes | None:
    """The first value of an attribute, not decoded."""
    for key, values in entry["raw_attributes"].items():
        if key.lower() == name.lower() and values:
            return bytes(values[0])
    return None


def _text(entry: dict[str, Any], name: str) -> str:
    return (_raw(entry, name) or b"").decode("utf-8", "replace").strip()


def _first_value(dn: str) -> str:
    return re.split(r"(?<!\\),", dn)[0].partition("=")[2]
