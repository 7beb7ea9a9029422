"""JSON requests to a server of the institution over HTTPS: valid certificate, no redirects, limited size and time."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.model.problem import Problem

#: Largest response [bytes].
MOST = 1 << 20
_PIECE = 1 << 14


class ServerAway(Problem):
    """503: the server gives no usable response; the message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(503, "Service Unavailable", message=reason)


class Unreachable(ServerAway):
    """No connection or a timeout: the next request would fail in the same way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON object of a response ({} where the body is not a JSON object)."""

    status: int
    data: dict[str, Any]


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any, **options: Any) -> None:
        """Refuse redirects: secrets and codes are sent only to the configured URL."""


class HttpsJson:
    """A client. Proxies are those of the environment (`https_proxy`, `no_proxy`); `authority` is a PEM file, "" = the system's."""

    def __init__(self, authority: str, timeout: int) -> None:
        self._authority = authority
        self._timeout = timeout

    def get(self, url: str, *, bearer: str = "") -> Answer:
        """GET. Raises ServerAway."""
        return self._asked(url, {"Authorization": f"Bearer {bearer}"} if bearer else {}, None)

    def post(self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None) -> Answer:
        """POST a form, with name and password by HTTP Basic (RFC 6749, 2.3.1). Raises ServerAway."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic is not None:
            plain = ":".join(urllib.parse.quote_plus(one) for one in basic)
            headers["Authorization"] = f"Basic {base64.b64encode(plain.encode()).decode()}"
        return self._asked(url, headers, urllib.parse.urlencode(form).encode())

    def _asked(self, url: str, headers: dict[str, str], body: bytes | None) -> Answer:
        require_https(url)
        request = urllib.request.Request(url, data=body, headers={"Accept": "application/json", **headers})  # noqa: S310 - https, above
        host = urllib.parse.urlsplit(url).netloc
        try:
            with self._opener().open(request, timeout=self._timeout) as answer:  # nosec B310
                return Answer(answer.status, _object(self._whole(answer)))
        except urllib.error.HTTPError as error:
            with error:
                if 300 <= error.code < 400:
                    raise ServerAway(f"{host} answers with a redirect, which is not followed.") from error
                return Answer(error.code, _object(self._whole(error)))
        except (OSError, ValueError, urllib.error.URLError) as error:
            raise Unreachable(f"{host} cannot be reached: {_reason(error)}") from error
        except http.client.HTTPException as error:
            raise ServerAway(f"{host} does not answer as a web server does.") from error

    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=self._authority or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return urllib.request.build_opener(urllib.request.HTTPSHandler(context=context), _NoRedirection())

    def _whole(self, answer: Any) -> bytes:
        """The complete body. Raises ServerAway when it is too large or takes too long."""
        pieces, size, deadline = [], 0, time.monotonic() + 2 * self._timeout
        while piece := answer.read1(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MOST:
                raise ServerAway(f"An answer has more than {MOST} bytes.")
            if time.monotonic() > deadline:
                raise ServerAway("An answer was not complete in time.")
        return b"".join(pieces)


def require_https(url: str) -> None:
    """Raises ServerAway for a URL that is not https://HOST… or contains a user name and password."""
    try:
        parts = urllib.parse.urlsplit(url)
        good = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and url.isascii()
        good = good and url.isprintable() and " " not in url and (parts.port or 443) > 0
    except ValueError:
        good = False
    if not good:
        raise ServerAway("The address of the provider must begin with https://.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", error)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"its certificate is not valid here ({inner.verify_message}); oidc.authority names the authority's file"
    if isinstance(inner, TimeoutError):
        return "no answer in time"
    return " ".join(str(getattr(inner, "strerror", None) or inner or type(error).__name__).split())[:200]
