"""The plain-text port: it redirects pages to HTTPS and does nothing else."""

from __future__ import annotations

from appliance.web.gateway.hosts import Hosts, host_name
from appliance.web.http import Request, Response, text


class Redirect:
    """Answers plain-text requests. :param port: the HTTPS port."""

    def __init__(self, hosts: Hosts, port: int) -> None:
        self.hosts = hosts
        self._port = port

    def __call__(self, request: Request) -> tuple[str, Response]:
        """301 for a page; 403 for the API, because a client that sends its token in plain text must not get used to it."""
        if not self.hosts.accept(request.host):
            return "redirect", text(421, "This server does not go by that name.\n")
        if request.method not in {"GET", "HEAD"} or request.path == "/api" or request.path.startswith("/api/"):
            return "redirect", text(403, "Use https:// for this server; plain http:// is not accepted.\n")
        port = "" if self._port == 443 else f":{self._port}"
        location = f"https://{host_name(request.host)}{port}{request.target}"
        return "redirect", text(301, "This server is reached by https://.\n", [("Location", location)])
