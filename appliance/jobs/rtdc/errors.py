"""The one error of the RT-DC kernel, and the translation of library errors into it.

Messages are shown to uploaders, so they are one line, say what is wrong with the file, and never hold a path of the
server. This module imports no HDF5 library: the parent process may import it to name the error.
"""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Iterator

from appliance.model import messages
from appliance.model.messages import Message
from appliance.model.values import printable

MAX_MESSAGE = 300

_PATHS = re.compile(r"""(?:[A-Za-z]:\\|\\\\|/)[^\s'",;:()\[\]]+(?:[/\\][^\s'",;:()\[\]]*)*""")
#: How h5py tells what HDF5 said: what it was to do, and in parentheses the innermost reason.
_HDF5_SAYS = re.compile(
    r"^(?:Unable to|Can't|Link iteration|Error iterating|Unspecified error)[^(]*\((.+)\)$", re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

#: What to do about a file; each follows a reason.
_EXPORT = Message("Check the file with dclab or DCKit, export it again, and upload it again.")
_COPY = Message("Copy it once more from where it was measured, compare the sizes, and upload it again.")
_CONVERT = Message("Upload the measurement as an .rtdc file; DCKit converts other formats.")
_ADMINISTRATOR = Message("Tell your administrator, who can repeat the job when there is room again.")
_NONE = ""  # the reason says it

_TRUNCATED = Message("The file is truncated or damaged: it points beyond its own end.")
_UNCLOSED = Message("The program that wrote the file did not close it (repair it with `h5clear -s`).")
_SUPERBLOCK = Message("The file is damaged: its superblock cannot be read.")
_CHECKSUM = Message("The file is damaged: a checksum does not match.")
_PACKED = Message("The file is damaged: stored data cannot be decompressed.")
_FILTER = Message("The file uses a compression filter that is not supported.")
_MEMORY = Message("The file requires more memory than is allowed.")
#: What HDF5 says → (kind, what we say, remedy). First match wins; matched against the lower-case message.
_KNOWN: tuple[tuple[str, str, str, str], ...] = (
    ("file signature not found", "not-hdf5", Message("This is not an HDF5 file."), _CONVERT),
    ("truncated file", "truncated", Message("The file is truncated: its end is missing."), _COPY),
    ("addr overflow", "truncated", _TRUNCATED, _COPY),
    ("file locking flag", "unclosed", _UNCLOSED, _NONE),
    ("consistency flags", "unclosed", _UNCLOSED, _NONE),
    ("superblock", "damaged", _SUPERBLOCK, _COPY),
    ("fletcher32", "damaged", _CHECKSUM, _COPY),
    ("checksum", "damaged", _CHECKSUM, _COPY),
    ("filter returned failure", "damaged", _PACKED, _COPY),
    ("inflate", "damaged", _PACKED, _COPY),
    ("can't open plugin", "filter", _FILTER, _EXPORT),
    ("required filter", "filter", _FILTER, _EXPORT),
    ("cannot allocate", "memory", _MEMORY, _EXPORT),
    ("memory allocation failed", "memory", _MEMORY, _EXPORT),
    ("unable to allocate", "memory", _MEMORY, _EXPORT),
    ("no space left", "storage", Message("There is no space left for the result."), _ADMINISTRATOR),
)


class RtdcError(Exception):
    """A file that cannot be processed, with a reason for people.

    `kind` is a short machine word (`not-hdf5`, `truncated`, `damaged`, `forbidden`, `metadata`, `features`, `memory`, …);
    `message` is one line without paths.
    """

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = one_line(message)
        super().__init__(self.message)

    def __reduce__(self) -> tuple[type[RtdcError], tuple[str, str]]:
        return (RtdcError, (self.kind, self.message))


def one_line(text: str) -> str:
    """→ `text` without control characters and cut to `MAX_MESSAGE` characters."""
    if isinstance(text, messages.Message):
        return messages.cut(messages.mapped(text, lambda part: _CONTROL.sub(" ", part)), MAX_MESSAGE)
    return messages.cut(_CONTROL.sub(" ", text).strip(), MAX_MESSAGE)


def shown(name: str) -> str:
    """→ a name out of a file for a message: printable, at most 80 characters."""
    return printable(name[:80])


def without_paths(text: str) -> str:
    """→ `text` with everything that looks like an absolute path (POSIX, Windows, UNC) replaced by `…`."""
    return _PATHS.sub("…", text)


def with_remedy(reason: str, remedy: str = _EXPORT) -> str:
    """→ `reason` followed by what to do about it; by default: check the file, export and upload it again."""
    return Message("%(reason)s %(remedy)s", reason=reason, remedy=remedy) if remedy else reason


def translate(exc: BaseException, doing: str) -> RtdcError:
    """→ the `RtdcError` for an exception of h5py, numpy or dclab raised while `doing` ("reading the metadata")."""
    if isinstance(exc, RtdcError):
        return exc
    text = str(exc.args[0]) if exc.args else ""
    lower = text.lower()
    for needle, kind, reason, remedy in _KNOWN:
        if needle in lower:
            return RtdcError(kind, with_remedy(reason, remedy))
    if isinstance(exc, MemoryError):
        return RtdcError("memory", with_remedy(_MEMORY))
    if isinstance(exc, RecursionError):
        return RtdcError("damaged", with_remedy(Message("The file is nested too deeply.")))
    # What libraries say to programmers helps nobody who uploads files; it goes into the job's log.
    traceback.print_exception(exc, limit=-6, file=sys.stderr)
    if _HDF5_SAYS.match(text):
        return RtdcError(
            "damaged",
            Message(
                "The file is damaged: it could not be read while %(doing)s. %(remedy)s", doing=doing, remedy=_EXPORT
            ),
        )
    return RtdcError(
        "damaged",
        Message(
            "The file contains something unexpected: an error occurred while %(doing)s. %(remedy)s",
            doing=doing,
            remedy=_EXPORT,
        ),
    )


@contextlib.contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn whatever a library raises inside into an `RtdcError` that says what was being done."""
    try:
        yield
    except RtdcError:
        raise
    except Exception as exc:
        raise translate(exc, doing) from exc
    except library_base_errors() as exc:
        raise translate(exc, doing) from exc


def library_base_errors() -> tuple[type[BaseException], ...]:
    """→ dclab's errors that derive from BaseException and so slip through `except Exception`."""
    from dclab.features.contour import NoValidContourFoundError
    from dclab.rtdc_dataset.feat_anc_core.af_fl_max_ctc import MissingCrosstalkMatrixElementsError
    from dclab.rtdc_dataset.fmt_hdf5.base import OldFormatNotSupportedError

    return (NoValidContourFoundError, MissingCrosstalkMatrixElementsError, OldFormatNotSupportedError)
