"""Parameters that CKAN's actions take and this server does not honour: each is refused with the reason, none is ignored.

A value that says what is the case anyway (nothing, false, `type` "group" of a group …) is accepted: clients send whole descriptions
back. What an action honours is in its declaration. ``tests/contract/ckan_parameters.py`` has CKAN's parameters of all actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.model.problem import Fields, invalid


@dataclass(frozen=True, slots=True)
class Refused:
    """A parameter that is not honoured: the values that change nothing, and what a client reads about every other."""

    reason: str
    harmless: tuple[Any, ...] = ()


_EMPTY: tuple[Any, ...] = (None, "", False, "false", "False", [], {}, "[]", "{}")
_NO_PICTURES = Refused("Pictures are not uploaded here; give an address as 'image_url'")
_NO_PLUGINS = Refused("This server keeps no data of plugins")
_NO_HASHES = Refused("Hashes of passwords are neither taken nor given out")
_NO_VOCABULARY = Refused("There are no vocabularies here: all tags are free")
_NO_MAIL = Refused("This server sends no mail about activities")


def _community(word: str, *, circle: bool) -> dict[str, Refused]:
    return {
        "type": Refused(f"Here every {word} has the type '{word}'", (word,)),
        "is_organization": Refused(f"A {word} stays a {word}", (circle, str(circle), str(circle).lower())),
        "state": Refused(f"Use {word}_delete to delete it", ("active",)),
        "approval_status": Refused("Nothing needs an approval here", ("approved",)),
        "groups": Refused(f"A {word} is not part of another one here"),
        "tags": Refused(f"A {word} has no tags here"),
        "image_upload": _NO_PICTURES,
    }


_ORGANIZATION, _GROUP = _community("organization", circle=True), _community("group", circle=False)
_PACKAGES = {"packages": Refused("A dataset's organization is its owner_org; use package_owner_org_update to move it")}
_USER = {
    "password_hash": _NO_HASHES,
    "plugin_extras": _NO_PLUGINS,
    "image_upload": _NO_PICTURES,
    "activity_streams_email_notifications": _NO_MAIL,
    "apikey": Refused("Keys are made by the server; use api_token_create"),
    "reset_key": Refused("Keys are made by the server"),
}
_DATASET = {
    "plugin_data": _NO_PLUGINS,
    "type": Refused("Here every dataset has the type 'dataset'", ("dataset",)),
    "relationships_as_subject": Refused("Datasets have no relationships here; use 'references'"),
    "relationships_as_object": Refused("Datasets have no relationships here; use 'references'"),
}
_TAGS = {"vocabulary_id": _NO_VOCABULARY, "fields": Refused("Use 'query'")}

#: Action → parameter → why it is not honoured.
REFUSED: Mapping[str, Mapping[str, Refused]] = {
    "group_create": _GROUP,
    "group_update": _GROUP,
    "group_patch": _GROUP,
    "organization_create": _ORGANIZATION | _PACKAGES,
    "organization_update": _ORGANIZATION | _PACKAGES,
    "organization_patch": _ORGANIZATION | _PACKAGES,
    "package_create": _DATASET,
    "package_update": _DATASET,
    "package_patch": _DATASET,
    "package_show": {"include_plugin_data": _NO_PLUGINS},
    "user_create": _USER,
    "user_update": _USER,
    "user_patch": _USER,
    "user_show": {"include_plugin_extras": _NO_PLUGINS},
    "tag_search": _TAGS,
    "tag_autocomplete": _TAGS,
    "tag_show": {"vocabulary_id": _NO_VOCABULARY},
}


def refuse(action: str, data: Mapping[str, Any]) -> None:
    """Raises Problem 409 with every parameter of `data` that CKAN's action honours and this server does not."""
    errors: Fields = {
        name: [refused.reason]
        for name, refused in REFUSED.get(action, {}).items()
        if name in data and data[name] not in (*_EMPTY, *refused.harmless)
    }
    if errors:
        raise invalid(errors)
