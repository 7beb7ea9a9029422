"""The releases that are tried, and the Pythons in which they may run, best first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Release:
    """A release of a client.

    :ivar requirements: what pip installs. :ivar pythons: versions of Python, the preferred one first.
    :ivar builds: packages that have no wheel for these Pythons, so that a C compiler is needed.
    :ivar extras: of the package, by default none of DCOR-Aid and "dcor" of dclab. :ivar variables: environment variables that name the server's certificate.
    :ivar needs: what its users have to do besides, in words.
    """

    package: str
    version: str
    pythons: tuple[str, ...]
    builds: tuple[str, ...] = ()
    extras: str = ""
    variables: tuple[str, ...] = ("REQUESTS_CA_BUNDLE",)
    needs: str = ""

    @property
    def name(self) -> str:
        """Name of its environment."""
        return "-".join([self.package, self.version, *self.extras.split(",")]).rstrip("-")

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        extras = self.extras or ("dcor" if self.package == "dclab" else "")
        return f"{self.package}[{extras}]=={self.version}" if extras else f"{self.package}=={self.version}"


RELEASES = (
    Release("dcoraid", "0.8.4", ("3.8",), ("dclab", "fcswrite")),
    Release("dcoraid", "0.10.0", ("3.8",), ("dclab", "fcswrite")),
    Release("dcoraid", "0.12.9", ("3.9", "3.10")),
    Release("dcoraid", "0.14.2", ("3.10", "3.11")),
    Release("dcoraid", "0.16.11", ("3.10", "3.11")),
    Release("dcoraid", "0.19.0", ("3.11", "3.12")),
    Release("dcoraid", "1.0.0", ("3.11", "3.12")),
    Release("dcoraid", "1.1.3", ("3.12", "3.11")),
    Release("dclab", "0.38.2", ("3.8",), ("dclab", "fcswrite")),
    Release("dclab", "0.46.0", ("3.8",), ("dclab", "fcswrite")),
    Release("dclab", "0.50.0", ("3.8", "3.9")),
    Release(
        "dclab",
        "0.55.0",
        ("3.10", "3.9", "3.11"),
        extras="dcor,http",
        variables=("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"),
        needs="it reads files through another library, which `pip install dclab[http]` installs, and whose certificates `SSL_CERT_FILE` names",
    ),
    Release("dclab", "0.60.0", ("3.10", "3.11")),
    Release("dclab", "0.62.0", ("3.11", "3.10", "3.12")),
    Release("dclab", "0.67.0", ("3.11", "3.12")),
    Release("dclab", "0.73.4", ("3.12", "3.11")),
)
