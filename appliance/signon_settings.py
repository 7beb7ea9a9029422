"""Settings of signing in with accounts that are kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.model.setting_values import option as _option


@dataclass(frozen=True, slots=True)
class Ldap:
    """Signing in with an account of the institution's directory; nothing is asked without a server."""

    servers: str = _option(
        "", "Servers of the directory, tried in this order: ldaps://HOST[:PORT], or ldap:// for StartTLS; empty = none"
    )
    authority: str = _option(
        "", "PEM file of the authority that signed their certificates; empty = the system's authorities"
    )
    bind_dn: str = _option("", "Account that searches; `dcor ldap password` sets its password; empty = anonymously")
    user_base: str = _option("", "Base DN for people, such as ou=people,dc=hospital,dc=example")
    user_filter: str = _option(
        "(objectClass=person)", "Filter that finds people; anyone it does not find is locked out"
    )
    login_attribute: str = _option("uid", "Attribute with the name to sign in with; Active Directory: sAMAccountName")
    id_attribute: str = _option("entryUUID", "Attribute that never changes; Active Directory: objectGUID")
    name_attribute: str = _option("cn", "Attribute with the full name; Active Directory: displayName")
    email_attribute: str = _option("mail", "Attribute with the e-mail address")
    group_base: str = _option("", "Base DN for groups; empty = user_base")
    group_filter: str = _option(
        "(member={dn})",
        "Groups of a person, with {dn} and {login}; Active Directory, with groups in groups: (member:1.2.840.113556.1.4.1941:={dn})",
    )
    users: str = _option(
        "", "Further groups whose members may sign in, separated by ; (name or DN); * = everyone the filter finds"
    )
    circles: str = _option(
        "", "Roles granted by groups, separated by ;: GROUP -> CIRCLE:ROLE (member, editor or admin)"
    )
    administrators: str = _option("", "Groups whose members administer this server, separated by ;")
    second_factor: bool = _option(
        False,
        "The directory itself asks for a second factor (such as a code behind the password): administrators who sign in with it need none of this server's",
    )
    refresh: int = _option(180, "How often people and groups are compared with the directory", "s", least=60)
    offline: int = _option(
        86400,
        "How long sessions and tokens keep working while no server answers; then they are suspended until one does",
        "s",
        least=600,
    )
    timeout: int = _option(5, "Longest time for one response", "s", least=1, most=60)


@dataclass(frozen=True, slots=True)
class Oidc:
    """Signing in at an OpenID provider; it is not offered without an issuer."""

    issuer: str = _option("", "The provider's issuer URL, exactly as it states it: https://HOST[/PATH]; empty = none")
    client_id: str = _option("", "Client ID of this server at the provider; `dcor oidc secret` sets its secret")
    authority: str = _option(
        "", "PEM file of the authority that signed the provider's certificate; empty = the system's authorities"
    )
    name: str = _option("", "Name of the provider on the sign-in button; empty = its host name")
    scopes: str = _option(
        "openid profile email", "Scopes requested; add offline_access if the provider gives refresh tokens only with it"
    )
    prompt: str = _option(
        "auto",
        "What the provider asks people each time; auto = for consent where offline_access is asked for, else as it likes; nothing = as it likes "
        "(Entra ID, where an administrator has consented for all)",
        choices=("auto", "nothing", "consent", "login", "select_account"),
    )
    login_claim: str = _option("preferred_username", "Claim with the name of the account")
    name_claim: str = _option("name", "Claim with the full name")
    email_claim: str = _option("email", "Claim with the e-mail address")
    email_trusted: bool = _option(
        False,
        "The provider vouches for addresses without saying so: they count where it sends no email_verified (Entra ID)",
    )
    groups_claim: str = _option("groups", "Claim with the groups, a list of names")
    users: str = _option(
        "", "Further groups whose members may sign in, separated by ; (or * = everyone the provider lets in)"
    )
    circles: str = _option(
        "", "Roles granted by groups, separated by ;: GROUP -> CIRCLE:ROLE (member, editor or admin)"
    )
    administrators: str = _option("", "Groups whose members administer this server, separated by ;")
    refresh: int = _option(180, "How often the provider is asked about people who are signed in", "s", least=60)
    offline: int = _option(
        43200,
        "How long a session lasts without confirmation by the provider; then the person must sign in again",
        "s",
        least=600,
    )
    tokens: int = _option(
        30,
        "How long API tokens keep working after the provider last confirmed the person; then a sign-in is needed",
        "d",
        least=1,
    )
    timeout: int = _option(5, "Longest time for one response", "s", least=1, most=60)
