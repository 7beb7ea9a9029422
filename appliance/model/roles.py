"""Roles in circles and collections, capacities of collaborators."""

from __future__ import annotations

ROLES = ("admin", "editor", "member")
CAPACITIES = ("member", "editor")

#: What a role may do in its circle or collection (CKAN's permission words, as clients send them).
_PERMISSIONS = {
    "admin": frozenset(
        {
            "admin",
            "membership",
            "read",
            "create_dataset",
            "update_dataset",
            "delete_dataset",
            "manage_group",
            "update",
            "delete",
        }
    ),
    "editor": frozenset({"read", "create_dataset", "update_dataset", "delete_dataset", "manage_group"}),
    "member": frozenset({"read"}),
}


def allows(role: str | None, permission: str) -> bool:
    """Does `role` carry `permission`? An admin has every permission, also unknown ones."""
    return role == "admin" or permission in _PERMISSIONS.get(role or "", frozenset())
