"""What the domain refuses, in words for people. Its own texts are an interface of the API and stay as they are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.model.messages import Message, fill
from appliance.model.problem import Problem
from appliance.web.pages.frame.i18n import N_
from appliance.web.pages.frame.i18n import gettext as _
from appliance.web.pages.frame.message_translation import filled_in, translate

#: Texts and templates of the domain → the page's own wording, with the same values.
WORDINGS = {
    "Missing value": N_("Required"),
    "No such user": N_("No such user."),
    "This is your own comparison": N_("This is your own comparison."),
    "Group name already exists in database": N_("This name is already taken."),
    "That login name is not available.": N_("This name is already taken."),
    "Must be purely lowercase alphanumeric (ascii) characters and these symbols: -_": N_(
        "Use only lower-case letters a to z, digits, - and _."
    ),
    "Listing users is forbidden.": N_("You don't have permission."),
    "Email address is not valid": N_("This is not an e-mail address."),
    "The present password is not right": N_("The current password is wrong."),
    "You sign in with your institution's account; a second factor is set up there.": N_(
        "You sign in with your institution's account; a second factor is set up there."
    ),
    "Two-step sign-in is already on. To set up another app, turn it off first.": N_(
        "Two-step sign-in is already on. To set up another app, turn it off first."
    ),
    "Start over: no app is being set up.": N_("Start over: no app is being set up."),
    "Two-step sign-in is not on.": N_("Two-step sign-in is not on."),
    "The code is wrong or has already been used. Wait for the app's next code.": N_(
        "The code is wrong or has already been used. Wait for the app's next code."
    ),
    "This is no valid setup code. Ask another administrator for a new one (dcor user totp-setup NAME).": N_(
        "This is no valid setup code. Ask another administrator for a new one (dcor user totp-setup NAME)."
    ),
    "Set up two-step sign-in for your own account first.": N_("Set up two-step sign-in for your own account first."),
    "An organization must be provided": N_("Choose a circle."),
    "Organization does not exist": N_("This circle does not exist."),
    "Administrators cannot revoke their own admin status": N_(
        "You cannot remove your own admin role; ask another admin."
    ),
    "The last admin cannot leave; make somebody else an admin first": N_(
        "The last admin cannot leave; make someone else an admin first."
    ),
    "This is the last administrator; make someone else an administrator first.": N_(
        "This is the last administrator; make someone else an administrator first."
    ),
    "Cannot set state of dataset to 'active', because it does not contain any resources!": N_(
        "The dataset cannot be activated because it has no files yet."
    ),
    "Before activating a dataset, make sure that it contains a valid DC resource!": N_(
        "The dataset cannot be activated: none of its files is a valid measurement."
    ),
    "Cannot switch to more-restrictive license": N_("The licence can only become less restrictive."),
    "Organization cannot be deleted while it still has datasets": N_(
        "A circle that still has datasets cannot be deleted."
    ),
    "This comes from your institution and is changed there.": N_(
        "This comes from your institution and is changed there."
    ),
    "The password of this account is that of your institution, and is changed there.": N_(
        "The password of this account is that of your institution, and is changed there."
    ),
    "A group of your institution makes this account an administrator; take it out of that group (ldap.administrators, oidc.administrators).": N_(
        "A group of your institution makes this account an administrator; take it out of that group (ldap.administrators, oidc.administrators)."
    ),
    "This membership comes from a group of your institution (ldap.circles, oidc.circles); it is changed there, not here.": N_(
        "This membership comes from a group of your institution (ldap.circles, oidc.circles); it is changed there, not here."
    ),
    "Your rights changed while this request was waiting; nothing was changed. Try again.": N_(
        "Your rights changed while this request was waiting; nothing was changed. Try again."
    ),
    "This link has been used or has expired, or the account has changed since. Ask your administrator for a new one.": N_(
        "This link has been used or has expired, or the account has changed since. Ask your administrator for a new one."
    ),
    "The password must not be based on your name or address. Choose another one.": N_(
        "The password must not be based on your name or address. Choose another one."
    ),
    "This password is a simple sequence of characters. Choose another one.": N_(
        "This password is a simple sequence of characters. Choose another one."
    ),
    "This password is among the first an attacker would try. Choose another one.": N_(
        "This password is among the first an attacker would try. Choose another one."
    ),
    "Please choose a license_id: %(ids)s": N_("Choose a licence."),
    "Your password must be %(count)s characters or longer": N_("The password must have at least %(count)s characters."),
    "The email address '%(address)s' belongs to a registered user.": N_("Another user has the address %(address)s."),
    "Invalid value for '%(key)s': '%(value)s'!": N_("Invalid value “%(value)s”."),
    "Resource with name '%(name)s' already exists!": N_("There is already a file called %(name)s."),
    "Somebody has changed this value meanwhile. It is now '%(value)s'": N_(
        "Someone has changed this value in the meantime. It is now “%(value)s”."
    ),
    "Unsupported file extension '%(suffix)s'. Allowed file extensions are %(allowed)s.": N_(
        "Files ending in %(suffix)s are not accepted."
    ),
    "Invalid characters in file name: %(which)s": N_(
        "The file name contains characters that are not accepted: %(which)s"
    ),
    "Must be at least %(count)s characters long": N_("Use at least %(count)s characters."),
    "User %(user)s not authorized to %(what)s": N_("You don't have permission."),
}


def said(problem: Problem) -> str:
    """All that a refusal says, in the reader's language; "" where it says nothing."""
    texts = list(_texts(problem.fields)) if problem.fields and not problem.message else [problem.message]
    return " ".join(translated(text) if len(texts) == 1 else _ended(translated(text)) for text in texts)


def _texts(value: Any) -> Iterator[str]:
    """The texts of messages by field, also nested ones."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    else:
        yield str(value)


def _ended(text: str) -> str:
    """A sentence that others follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def translated(text: str) -> str:
    """`text` in the reader's language where it is one we know, else as it is."""
    if not isinstance(text, Message):
        return _(WORDINGS[text]) if text in WORDINGS else translate(text)
    if text.template not in WORDINGS:
        return translate(text)
    return fill(_(WORDINGS[text.template]), filled_in(text))
