"""What the operating system says of a failed call, as messages that pages can translate."""

from __future__ import annotations

import errno

from appliance.model.messages import Message

#: The system's own English words, for what administrators meet.
_REASONS = {
    errno.ENOENT: Message("No such file or directory"),
    errno.EACCES: Message("Permission denied"),
    errno.EPERM: Message("Operation not permitted"),
    errno.ENOSPC: Message("No space left on device"),
    errno.EIO: Message("Input/output error"),
    errno.EROFS: Message("Read-only file system"),
    errno.ENOTDIR: Message("Not a directory"),
    errno.EISDIR: Message("Is a directory"),
    errno.ECONNREFUSED: Message("Connection refused"),
    errno.ECONNRESET: Message("Connection reset by peer"),
    errno.ETIMEDOUT: Message("Connection timed out"),
    errno.EHOSTUNREACH: Message("No route to host"),
    errno.ENETUNREACH: Message("Network is unreachable"),
}


def reason(error: OSError) -> str:
    """Why the call failed, in the system's words; never ""."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or type(error).__name__
