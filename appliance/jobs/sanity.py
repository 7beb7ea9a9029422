"""The check before activation, done at once in the sandbox instead of as a job."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from appliance.actions.site import Sanity
from appliance.jobs.sandbox import Sandbox, SandboxError

_SECONDS = 60.0


def checker(sandbox: Sandbox, memory: int) -> Callable[[Path], Sanity]:
    """→ the function that `Site.check_sanity` wants; its children may take `memory` bytes. It never raises: what cannot be checked is not valid."""

    def check(path: Path) -> Sanity:
        """Is this file a valid measurement?"""
        try:
            answer = sandbox.run("sanity", path, {}, timeout=_SECONDS, memory=memory).answer
            return Sanity(bool(answer["valid"]), tuple(str(reason) for reason in answer["reasons"]))
        except SandboxError as error:
            return Sanity(False, (error.message,))
        except (KeyError, TypeError):
            return Sanity(False, ("The check gave no answer.",))

    return check
