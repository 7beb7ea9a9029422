"""Pseudonymised copies of measurements, made in the sandbox by the configured rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.jobs.artefact_publishing import hash_file
from appliance.jobs.registry import processor_seconds
from appliance.jobs.sandbox import Sandbox
from appliance.jobs.sandbox_child import Progress, SandboxError
from appliance.jobs.scratch import open_plain, remove_tree
from appliance.model.problem import Problem, invalid
from appliance.model.pseudonymised import RESULT, Changes, Copy, Original, listed
from appliance.settings import Settings

_ROOM = 64 << 20
#: Tells run identifiers of copies from everything else that is made of a checksum.
_RUN = b"dcor pseudonymised run "


def most_bytes(size: int) -> int:
    """Limit for the copy of a file of `size` bytes [bytes]: other compression, the same data."""
    return _ROOM + 3 * size


class PseudonymisedCopies:
    """A `model.pseudonymised.Copier`. :param sandbox: its scratch folders take the copies; :param progress: of the copy that is made."""

    def __init__(self, settings: Settings, sandbox: Sandbox, progress: Progress | None = None) -> None:
        self._settings, self._sandbox, self._progress = settings, sandbox, progress

    def changes(self, original: Original) -> Changes:
        """The changes that a copy would contain. Raises Problem 409."""
        folder = self._sandbox.new_scratch()
        try:
            answer = self._run(original, folder, write=False)
        finally:
            remove_tree(folder)
        return Changes(_texts(answer.get("changes")), _texts(answer.get("kept")))

    @contextmanager
    def made(self, original: Original) -> Iterator[Copy]:
        """A copy, removed at the end of the context. Raises Problem 409."""
        folder = self._sandbox.new_scratch()
        try:
            answer = self._run(original, folder, write=True)
            path = folder / RESULT
            open_plain(path).close()
            hashes = hash_file(path)
            yield Copy(path, hashes.size, hashes.sha256, hashes.etag, _texts(answer.get("personal")))
        finally:
            remove_tree(folder)

    def _run(self, original: Original, folder: Path, *, write: bool) -> dict[str, Any]:
        rules = self._settings.publish
        request = {
            "sample": original.sample,
            "run": hashlib.sha256(_RUN + original.sha256.encode()).hexdigest()[:32],
            "dates": rules.dates,
            "keep": listed(rules.keep_metadata),
            "logs": listed(rules.keep_logs),
            "tables": listed(rules.keep_tables),
            "words": list(original.words),
            "write": write,
        }
        jobs = self._settings.jobs
        try:
            outcome = self._sandbox.run(
                "pseudonymise", original.path, request, scratch=folder, timeout=jobs.timeout, memory=jobs.memory,
                progress=self._progress, outputs=(RESULT,) if write else (), file_size=most_bytes(original.size),
                cpu=min(jobs.timeout, processor_seconds(original.size, 4 * original.size)),
            )  # fmt: skip
        except SandboxError as error:
            status = 409 if error.permanent else 503
            raise Problem(status, "Validation Error", message=error.message) from error
        if not isinstance(outcome.answer, dict):
            raise invalid(message="The answer of the process that copies the file could not be read.")
        return outcome.answer


def _texts(value: Any) -> list[dict[str, str]]:
    """Validate the response of a child, which may be compromised: a list of texts by name, or Problem 409."""
    if isinstance(value, list) and all(
        isinstance(one, dict) and all(isinstance(text, str) for pair in one.items() for text in pair) for one in value
    ):
        return value
    raise invalid(message="The answer of the process that copies the file could not be read.")
