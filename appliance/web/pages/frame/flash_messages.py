"""What a page says after a change. The redirect carries a word, not a text, so nobody can put words into our mouth."""

from __future__ import annotations

from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _

_MESSAGES = {
    "saved": N_("Saved."),
    "created": N_("Created."),
    "deleted": N_("Deleted."),
    "search-saved": N_("The search is saved."),
    "search-deleted": N_("Search deleted."),
    "comparison-deleted": N_("Comparison deleted."),
    "comparison-shared": N_("The comparison is shared."),
    "comparison-unshared": N_("The comparison is no longer shared with this person."),
    "draft-deleted": N_("Draft deleted. You can restore it until it is purged."),
    "drafts-deleted": N_("Drafts deleted. You can restore them until they are purged."),
    "restored": N_("Draft restored."),
    "all-restored": N_("Drafts restored."),
    "purged": N_("The dataset was purged."),
    "all-purged": N_("The datasets were purged."),
    "activated": N_("The dataset is now active. Its content can no longer be changed."),
    "published": N_("The dataset is now public."),
    "version-created": N_("The new version was created as a draft. Change it, then activate it."),
    "licence": N_("The licence was changed."),
    "shared": N_("Shared. The person can now see the dataset."),
    "access-granted": N_("Access granted. The person can now see the dataset."),
    "access-declined": N_("Request declined."),
    "unshared": N_("Sharing ended."),
    "member-added": N_("The member was added."),
    "member-changed": N_("The role was changed."),
    "member-removed": N_("The member was removed."),
    "added": N_("Added to the collection."),
    "removed": N_("Removed from the collection."),
    "followed": N_("You are following this dataset. It is listed under My data."),
    "unfollowed": N_("You no longer follow this dataset."),
    "reference-on": N_("The measurements of this dataset now count as references for their instruments."),
    "reference-off": N_("The measurements of this dataset no longer count as references."),
    "revoked": N_("Token revoked."),
    "password": N_("The password was changed. Other sessions were ended."),
    "two-step-off": N_("Two-step sign-in is off."),
    "registered": N_("The account was created. Sign in."),
    "signed-out": N_("You are signed out."),
    "session-ended": N_("The session was ended."),
    "retried": N_("The job was queued again."),
    "cancelled": N_("The job was cancelled."),
    "disabled": N_("The account was disabled. Its sessions and tokens no longer work."),
    "enabled": N_("The account was enabled."),
    "promoted": N_("The user is now an administrator."),
    "demoted": N_("The user is no longer an administrator."),
    "announced": N_("The announcement is now shown on every page."),
    "announcement-removed": N_("The announcement was removed."),
    "maintenance-on": N_("Maintenance mode is on: the API answers 503."),
    "maintenance-off": N_("Maintenance mode is off."),
    "setting": N_("The setting was changed. It is in effect now."),
    "backup-queued": N_("A backup was queued."),
}


def message(word: str) -> str:
    """The sentence for `word`, "" for a word that is none."""
    return _(_MESSAGES[word]) if word in _MESSAGES else ""
