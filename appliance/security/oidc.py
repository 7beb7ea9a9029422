"""Client of an OpenID provider: its metadata, its keys, and verification of its tokens (OpenID Connect Core, Back-Channel Logout).

Nothing in a token is used before its signature and claims have been verified.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from appliance.model.problem import Problem
from appliance.model.values import printable
from appliance.security.https_json import Answer, HttpsJson, ServerAway, Unreachable, require_https
from appliance.signon_settings import Oidc

#: File in `secrets/` with the client's secret, the issuer and the client's name that it belongs to.
SECRET = "oidc.secret"  # noqa: S105 - the name of a file
#: Asymmetric algorithms only: with HMAC or "none", whoever knows the client's secret, or nobody in particular, could
#: sign.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA"]
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
#: Time allowed to sign in at the provider [s], and clock skew.
FLOW_SECONDS, LEEWAY = 900, 60
_METADATA_SECONDS = 3600
#: Least time between two requests for the provider's keys.
KEYS_AGAIN_SECONDS = 60
#: Time before an unreachable provider is asked again [s]: sign-in attempts must not keep workers waiting.
_AWAY_SECONDS = 10
_OLDEST_LOGOUT = 600
_MOST_KEYS = 100
_T = TypeVar("_T")


class Refused(Problem):
    """403: the response of the provider or browser does not prove an identity; the message is for the administrator."""

    def __init__(self, reason: str, error: str = "") -> None:
        """:param error: the provider's error code (OAuth 2.0, 5.2)."""
        super().__init__(403, "Authorization Error", message=reason)
        self.error = error


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in attempt. All values derive from `secret`, which only the browser's cookie holds."""

    secret: str

    @property
    def state(self) -> str:
        """The `state` parameter."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """The nonce that the ID token must contain."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The PKCE code verifier (RFC 7636)."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The PKCE code challenge."""
        return _base64(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: str) -> str:
        return _base64(hmac.digest(self.secret.encode("utf-8", "replace"), f"dcor oidc 1 {purpose}".encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class Tokens:
    """The provider's response: verified claims of the ID token with those of the userinfo endpoint, and the refresh token, "" = none."""

    claims: dict[str, Any] = field(repr=False)
    refresh: str = field(repr=False, default="")


def new_flow() -> Flow:
    """A flow with a fresh secret."""
    return Flow(secrets.token_urlsafe(32))


class Provider:
    """The configured provider. Every method raises ServerAway when it gives no valid response. Thread-safe."""

    def __init__(self, settings: Oidc, secret: str = "") -> None:
        self.settings = settings
        self._secret = secret
        self._http = HttpsJson(settings.authority, settings.timeout)
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._read = self._keys_read = float("-inf")
        self._keys: Any = None
        self._away: dict[str, tuple[float, str]] = {}

    # --- metadata

    def metadata(self) -> Mapping[str, Any]:
        """The discovery document, cached for up to an hour."""
        with self._lock:
            if not self._metadata or time.monotonic() - self._read > _METADATA_SECONDS:
                self._metadata, self._read = self._unless_away("metadata", self._discovered), time.monotonic()
            return self._metadata

    def _unless_away(self, what: str, ask: Callable[[], _T], failure: type[ServerAway] = ServerAway) -> _T:
        """The result of `ask`, unless it failed with `failure` a few seconds ago. Raises ServerAway."""
        since, reason = self._away.get(what, (float("-inf"), ""))
        if time.monotonic() - since < _AWAY_SECONDS:
            raise ServerAway(reason)
        try:
            return ask()
        except failure as problem:
            self._away[what] = time.monotonic(), str(problem)
            raise

    def endpoint(self, name: str) -> str:
        """A URL from the discovery document; "" where it is absent."""
        url = self.metadata().get(f"{name}_endpoint")
        if not isinstance(url, str) or not url:
            return ""
        require_https(url)
        return url

    def _discovered(self) -> dict[str, Any]:
        issuer = self.settings.issuer
        require_https(issuer)
        answer = self._http.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if answer.status != 200 or answer.data.get("issuer") != issuer:
            raise ServerAway(
                f"{issuer} is not an OpenID provider with this issuer: status {answer.status}, issuer "
                f"'{str(answer.data.get('issuer', ''))[:200]}'. oidc.issuer must be exactly what the provider states."
            )
        missing = [
            one for one in ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if not isinstance(answer.data.get(one), str)
        ]  # fmt: skip
        if missing:
            raise ServerAway(f"{issuer} names no {', '.join(missing)}.")
        return answer.data

    # --- signing in ------------------------------------------------------------------------------------------------------

    def address(self, flow: Flow, redirect_uri: str) -> str:
        """The URL to which the browser is redirected to sign in."""
        query = {
            "response_type": "code", "client_id": self.settings.client_id, "redirect_uri": redirect_uri,
            "scope": self.settings.scopes, "state": flow.state, "nonce": flow.nonce,
            "code_challenge": flow.challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        prompt = self.settings.prompt
        if prompt == "auto":  # OpenID Connect Core, 11
            prompt = "consent" if "offline_access" in self.settings.scopes.split() else ""
        if prompt not in ("", "nothing"):
            query["prompt"] = prompt
        url = self.endpoint("authorization")
        return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"

    def exchange(self, flow: Flow, code: str, redirect_uri: str) -> Tokens:
        """Exchange the authorization code for tokens. Raises Refused."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }  # fmt: skip
        answer = self._unless_away("token", lambda: self._asked_for_tokens(form), Unreachable)
        claims = self._id_token(answer)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), flow.nonce.encode()):
            raise Refused("The ID token has another nonce than was asked for.")
        whole = self._unless_away("userinfo", lambda: self._whole(answer, claims), Unreachable)
        return Tokens(whole, _refresh_token(answer))

    def refresh(self, token: str, subject: str, keep: Callable[[str], None]) -> Tokens:
        """Claims of somebody who has signed in before, by refresh token. Raises Refused when the provider refuses.

        :param keep: called with the next refresh token as soon as it is known: the old one is invalid from then on.
        """
        answer = self._asked_for_tokens({"grant_type": "refresh_token", "refresh_token": token})
        renewed = _refresh_token(answer) or token
        if renewed != token:
            keep(renewed)
        claims = self._id_token(answer) if "id_token" in answer.data else {"sub": subject}
        if claims.get("sub") != subject:
            raise Refused("The refreshed tokens belong to someone else.")
        return Tokens(self._whole(answer, claims), renewed)

    def _asked_for_tokens(self, form: dict[str, str]) -> Answer:
        methods = self.metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        basic = None
        if self._secret and "client_secret_basic" in methods:
            basic = (self.settings.client_id, self._secret)
        else:
            form |= {"client_id": self.settings.client_id} | ({"client_secret": self._secret} if self._secret else {})
        answer = self._http.post(self.endpoint("token"), form, basic=basic)
        if answer.status == 200 and isinstance(answer.data.get("access_token"), str):
            return answer
        reason = f"{answer.status} {_short(answer.data.get('error'))} {_short(answer.data.get('error_description'))}"
        if answer.status in (400, 401, 403) and answer.data.get("error") != "invalid_client":
            raise Refused(f"The provider refuses: {reason.strip()}", str(answer.data.get("error") or ""))
        raise ServerAway(f"The provider gives no tokens: {reason.strip()}. Is the secret right? sudo dcor oidc secret")

    def _whole(self, answer: Answer, claims: dict[str, Any]) -> dict[str, Any]:
        """Tokens with the claims of the userinfo endpoint, which are used only if they are about the same person."""
        url = self.endpoint("userinfo")
        if url:
            told = self._http.get(url, bearer=answer.data["access_token"])
            if told.status in (401, 403):
                raise Refused(f"The provider gives no information on this person ({told.status}).")
            if told.status != 200 or not told.data:
                raise ServerAway(f"The userinfo endpoint does not answer with JSON ({told.status}).")
            if told.data.get("sub") != claims["sub"]:
                raise Refused("The userinfo endpoint describes someone else.")
            claims = told.data | claims
        return claims

    # --- signatures ------------------------------------------------------------------------------------------------------

    def _id_token(self, answer: Answer) -> dict[str, Any]:
        claims = self._signed(answer.data.get("id_token"))
        if "sub" not in claims:
            raise Refused("The ID token names nobody (sub).")
        audience = claims.get("aud")
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.settings.client_id:
            raise Refused("The ID token was issued for another client (azp).")
        if not isinstance(claims.get("exp"), int | float) or claims["exp"] < time.time() - LEEWAY:
            raise Refused("The ID token has expired.")
        return claims

    def logout_claims(self, token: object) -> dict[str, Any]:
        """The claims of a logout token (Back-Channel Logout 1.0, 2.6). Raises Refused."""
        claims = self._signed(token)
        events = claims.get("events")
        if not isinstance(events, dict) or LOGOUT_EVENT not in events or "nonce" in claims:
            raise Refused("This is not a logout token.")
        if claims["iat"] < time.time() - _OLDEST_LOGOUT or claims.get("exp", time.time()) < time.time() - LEEWAY:
            raise Refused("The logout token is too old.")
        if not isinstance(claims.get("jti"), str) or not (claims.get("sub") or claims.get("sid")):
            raise Refused("The logout token names nobody, or has no jti.")
        return claims

    def _signed(self, token: object) -> dict[str, Any]:
        """The claims of a token signed by the provider for this client. Raises Refused."""
        from joserfc import jwt
        from joserfc.errors import JoseError

        if not isinstance(token, str) or not token.isascii() or len(token) > 65536:
            raise Refused("There is no token.")
        claims: dict[str, Any] = {}
        for again in (False, True):  # the provider rotates keys: fetch them once for an unknown key id
            try:
                decoded = jwt.decode(token, self._key_set(again=again), algorithms=ALGORITHMS)
                claims = dict(decoded.claims)
                break
            except (JoseError, ValueError, TypeError, KeyError) as error:
                if again or not self._may_read_keys():
                    raise Refused(
                        f"The token is not signed by the provider: {_short(error) or type(error).__name__}"
                    ) from error
        audience, subject, issued = claims.get("aud"), claims.get("sub"), claims.get("iat")
        if claims.get("iss") != self.settings.issuer:
            raise Refused("The token is from another issuer.")
        if self.settings.client_id not in (audience if isinstance(audience, list) else [audience]):
            raise Refused("The token was issued for another client (aud).")
        if subject is not None and (not isinstance(subject, str) or not 0 < len(subject) <= 255):
            raise Refused("The token names nobody (sub).")
        if not isinstance(issued, int | float) or isinstance(issued, bool) or issued > time.time() + LEEWAY:
            raise Refused("The token was issued in the future, or does not say when.")
        return claims

    def number_of_keys(self) -> int:
        """Number of signing keys that the provider publishes."""
        return len(self._key_set(again=False).keys)

    def _may_read_keys(self) -> bool:
        return time.monotonic() - self._keys_read > KEYS_AGAIN_SECONDS

    def _key_set(self, *, again: bool) -> Any:
        url = str(self.metadata()["jwks_uri"])
        with self._lock:
            if self._keys is None or again or time.monotonic() - self._keys_read > _METADATA_SECONDS:
                self._keys_read = time.monotonic()
                self._keys = self._unless_away("keys", lambda: self._shown_keys(url))
            return self._keys

    def _shown_keys(self, url: str) -> Any:
        """The valid published keys; an invalid one does not affect the others. Raises ServerAway when there are none."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        answer = self._http.get(url)
        listed = answer.data.get("keys")
        keys: list[Any] = []
        for one in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
            with suppress(JoseError, ValueError, TypeError, KeyError, AttributeError):
                keys += KeySet.import_key_set({"keys": [one]}).keys if _can_sign(one) else []
        if answer.status != 200 or not keys:
            raise ServerAway(f"The provider publishes no keys that can be read ({answer.status}).")
        return KeySet(keys)


def _refresh_token(answer: Answer) -> str:
    """The refresh token in a response, "" for none."""
    found = answer.data.get("refresh_token")
    return found if isinstance(found, str) and len(found) <= 8192 else ""


def _can_sign(key: object) -> bool:
    """Is this a public key for signatures? Symmetric (oct) keys are not accepted."""
    return isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP") and key.get("use", "sig") == "sig"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _short(value: object) -> str:
    """Text from outside as one line of printable characters."""
    return printable(str(value or "")[:200])
