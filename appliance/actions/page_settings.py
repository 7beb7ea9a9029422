"""Settings that an administrator changes on the page: those that are read at each use, so they count at once."""

from __future__ import annotations

from appliance import settings as settings_module
from appliance.actions.site import Site
from appliance.model.messages import Message
from appliance.model.problem import Problem, invalid, not_found
from appliance.model.viewer import Viewer
from appliance.security import policy
from appliance.settings import Settings
from appliance.store import audit, second_factors


def change(site: Site, viewer: Viewer, key: str, value: str | None) -> None:
    """Give a setting another value; None: as in the file. It counts from now on, and is in the audit log.

    :raises Problem: 403, 404 for what is no setting of the page, 409 for a value that it cannot have or one that the environment fixes.
    """
    policy.require(viewer, "site:administer")
    option = settings_module.options().get(key)
    if option is None or not option.metadata["live"]:
        raise not_found()
    old = site.settings
    if is_fixed(old, key):
        raise Problem(
            409,
            "Validation Error",
            message=Message(
                "This value was given when the service was started (%(origin)s) and can be changed only there.",
                origin=old.origins[key],
            ),
        )
    with site.db.read() as conn:
        if (
            key == "policy.administrators_totp"
            and value == "true"
            and not second_factors.is_on(conn, viewer.user_id or "")
        ):
            raise invalid({key: ["Set up two-step sign-in for your own account first."]})
    with site.db.write() as tx:
        new = old.replace(**{key: value}) if value is not None else None
        typed = None if new is None else new.chosen()[key]
        audit.add(
            tx, viewer, "site.setting", "site", key=key, value="" if typed is None else str(typed), file=new is None
        )
        settings_module.change_on_page(old.data, key, typed)
        flags = {name: one for name, one in old.chosen().items() if old.origins[name] == "flag"}
        site.use_settings(settings_module.load(old.data, flags=flags))


def is_fixed(settings: Settings, key: str) -> bool:
    """Was the value given by the environment or a flag when the service started?"""
    return settings.origins.get(key, settings_module.FILE) not in (settings_module.FILE, settings_module.PAGE)
