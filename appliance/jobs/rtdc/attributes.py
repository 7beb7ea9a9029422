"""The metadata of a file: its root attributes as dclab's configuration, one by one, so that an odd one costs only itself."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from dclab import definitions as dfn
from dclab.rtdc_dataset import config as dclab_config

from appliance.model.messages import Message

from .errors import shown

_NO_VALUE = object()
#: What a type is called in a sentence; the first that fits.
_TYPES: tuple[tuple[tuple[type, ...], str], ...] = (
    ((bool, np.bool_), Message("yes or no")),
    ((numbers.Integral,), Message("a whole number")),
    ((numbers.Number,), Message("a number")),
    ((str, bytes), Message("text")),
    ((list, tuple, np.ndarray), Message("a list")),
)


@dataclass
class Metadata:
    """What was read. :ivar raw: the attributes that were understood, as a copy of the file gets them."""

    config: Any = field(default_factory=dclab_config.Configuration)
    raw: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def parse(h5: h5py.File, unread: Mapping[str, str]) -> Metadata:
    """Read the metadata. `unread`: what the pre-flight walk found, ``@key`` → reason. What is left out is noted."""
    found = Metadata()
    known = set(dfn.config_keys) | {"user", "filtering"}
    found.notes += [
        Message("The metadata key '%(key)s' is left out: %(why)s.", key=shown(key[1:]), why=why)
        for key, why in unread.items()
        if key[:1] == "@"
    ]
    for key, value in _values(h5, unread, found.notes):
        section, colon, name = key.partition(":")
        section = section.lower()
        if not colon or not name or ":" in name:
            found.notes.append(
                Message("The metadata key '%(key)s' is left out: it is not of the form 'section:key'.", key=shown(key))
            )
        elif section not in known:
            found.notes.append(
                Message("The metadata key '%(key)s' is left out: it belongs to no known section.", key=shown(key))
            )
        elif _set(found, section, name, value, key):
            found.raw[key] = value
    return found


def _values(h5: h5py.File, unread: Mapping[str, str], notes: list[str]) -> Iterator[tuple[str, Any]]:
    for key in h5.attrs:
        if not isinstance(key, str) or f"@{key}" in unread:
            continue
        try:
            value = h5.attrs[key]
        except (OSError, RuntimeError, TypeError, ValueError, KeyError):
            notes.append(
                Message(
                    "The metadata key '%(key)s' is left out: its value is neither a number nor text.", key=shown(key)
                )
            )
            continue
        if isinstance(value, h5py.Empty):
            notes.append(Message("The metadata key '%(key)s' is left out: it has no value.", key=shown(key)))
            continue
        if isinstance(value, np.ndarray) and value.size == 1:
            value = value.reshape(-1)[0]  # MATLAB writes lists of one; dclab reads them with old versions of NumPy only
        text, sure = _texts(value) if isinstance(value, np.ndarray) and value.dtype.kind in "SO" else decoded(value)
        if not _plain(text):
            notes.append(
                Message(
                    "The metadata key '%(key)s' is left out: its value is neither a number nor text.", key=shown(key)
                )
            )
            continue
        if not sure:
            notes.append(
                Message("The value of the metadata key '%(key)s' is not UTF-8; it was read as Latin-1.", key=shown(key))
            )
        yield key, text


def decoded(value: Any) -> tuple[Any, bool]:
    """→ (`value`, bytes as text; was it UTF-8?). Texts that are not are read as Latin-1, which old recording programs write."""
    if isinstance(value, str):  # h5py keeps undecodable bytes of texts of variable length as surrogates
        value = (
            value.encode("utf-8", "surrogateescape") if any("\ud800" <= char <= "\udfff" for char in value) else value
        )
    if not isinstance(value, bytes):
        return value, True
    try:
        return value.decode("utf-8"), True
    except UnicodeDecodeError:
        return value.decode("latin-1"), False


def _texts(values: Any) -> tuple[Any, bool]:
    """As `decoded`, for an array of texts; one that holds anything else stays what it is."""
    found = [decoded(value) for value in values.reshape(-1)]
    if not all(isinstance(text, str) for text, _ in found):
        return values, True
    texts = np.array([text for text, _ in found], dtype=h5py.string_dtype()).reshape(values.shape)
    return texts, all(sure for _, sure in found)


def _plain(value: Any) -> bool:
    """Is it a text, a number, or a list of them? Records, references and the like have no place in dclab's configuration."""
    kind = np.asarray(value).dtype
    return isinstance(value, str) or kind.kind in "iufb" or h5py.check_string_dtype(kind) is not None


def _set(found: Metadata, section: str, name: str, value: Any, key: str) -> bool:
    """Put a value into the configuration, converted as dclab does. → was it understood?"""
    for candidate in (value, _single(value)):
        if candidate is _NO_VALUE:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                found.config[section][name] = candidate
            except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
                continue
        found.notes += [_told(warning.category, key, section, name, candidate) for warning in caught]
        return True
    found.notes.append(
        Message("The metadata key '%(key)s' is left out: its value is of the wrong type.", key=shown(key))
    )
    return False


def _single(value: Any) -> Any:
    """The value of a list of one, as MATLAB writes single numbers."""
    return value.reshape(-1)[0] if isinstance(value, np.ndarray) and value.size == 1 else _NO_VALUE


def _told(category: type[Warning], key: str, section: str, name: str, value: Any) -> str:
    if issubclass(category, dclab_config.WrongConfigurationTypeWarning):
        wanted = dfn.get_config_value_type(section, name.lower())
        return Message(
            "The value of the metadata key '%(key)s' should be %(wanted)s, but is %(value)s.",
            key=shown(key),
            wanted=_called(wanted),
            value=_called(type(value)),
        )
    if issubclass(category, dclab_config.UnknownConfigurationKeyWarning):
        return Message("The metadata key '%(key)s' is not one that dclab knows.", key=shown(key))
    if issubclass(category, dclab_config.EmptyConfigurationKeyWarning):
        return Message("The metadata key '%(key)s' has no value.", key=shown(key))
    return Message("The value of the metadata key '%(key)s' is unusual.", key=shown(key))


def _called(kind: Any) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    for types, words in _TYPES:
        if any(isinstance(one, type) and issubclass(one, types) for one in kinds):
            return words
    return Message("something else")
