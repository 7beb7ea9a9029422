"""Rows in the shape in which CKAN's clients read them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from typing import Any


def community(row: sqlite3.Row, *, followers: int, package_count: int | None = None) -> dict[str, Any]:
    """A circle or collection."""
    circle = row["kind"] == "circle"
    found = {
        "approval_status": "approved",
        "created": row["created"],
        "description": row["description"],
        "display_name": row["title"] or row["name"],
        "id": row["id"],
        "image_display_url": row["image_url"],
        "image_url": row["image_url"],
        "is_organization": circle,
        "name": row["name"],
        "num_followers": followers,
        "state": row["state"],
        "title": row["title"],
        "type": "organization" if circle else "group",
    }
    return found if package_count is None else found | {"package_count": package_count}


def user(row: sqlite3.Row, *, number_created_packages: int, private: bool) -> dict[str, Any]:
    """A user; `private`: with the e-mail address, for the user and for admins."""
    found = {
        "id": row["id"],
        "name": row["name"],
        "fullname": row["fullname"],
        "display_name": row["fullname"] or row["name"],
        "created": row["created"],
        "about": row["about"],
        "last_active": row["last_active"],
        "activity_streams_email_notifications": False,
        "sysadmin": bool(row["sysadmin"]),
        "state": row["state"],
        "image_url": row["image_url"] or None,
        "image_display_url": row["image_url"] or None,
        "email_hash": hashlib.md5(row["email"].strip().lower().encode(), usedforsecurity=False).hexdigest()
        if private
        else "",
        "number_created_packages": number_created_packages,
    }
    return found | {"email": row["email"], "apikey": None} if private else found


def acquaintance(row: sqlite3.Row) -> dict[str, Any]:
    """A user as other users may find them: nothing but the names."""
    return {
        "id": row["id"],
        "name": row["name"],
        "fullname": row["fullname"],
        "display_name": row["fullname"] or row["name"],
        "state": row["state"],
    }


def member(row: sqlite3.Row) -> dict[str, Any]:
    """A user as a member of a circle or collection: no address, but the role as `capacity`."""
    return {
        "id": row["id"],
        "name": row["name"],
        "fullname": row["fullname"],
        "display_name": row["fullname"] or row["name"],
        "state": row["state"],
        "sysadmin": bool(row["sysadmin"]),
        "capacity": row["role"],
    }


def tag(row: sqlite3.Row) -> dict[str, Any]:
    """A tag."""
    return {"id": row["id"], "name": row["name"], "display_name": row["name"], "vocabulary_id": None}


def parsed(texts: Iterable[str]) -> list[Any]:
    """JSON texts as values."""
    return [json.loads(text) for text in texts]
