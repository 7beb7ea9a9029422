"""Takes out of texts what names persons, machines, institutions and secrets; the same thing is always the same word in one bundle."""

from __future__ import annotations

import ipaddress
import random
import re
import unicodedata
from collections.abc import Iterable, Sequence

_LONGEST_FILE_NAME = 255
#: What is found by its form, in this order.
_FORMS = (
    (re.compile(r"(?<=//)[^/\s@]{1,200}@[\w.-]+"), "<address>"),
    (re.compile(r"(?<![^\s<>\"'(),:;@\[\]=])[^\s<>\"'(),:;@\[\]=]++@[\w.-]+"), "<address>"),
    (re.compile(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"), "<mac>"),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), "<ip>"),
    (
        # the last part ends at a blank, those before it at the comma: CN=Smith\\, Anna,OU=Ward 3,DC=clinic
        re.compile(
            r"(?<![\w,=])(?:(?:cn|ou|dc|uid|o)=(?:\\.|[^,\"\\\n]){1,200},\s?(?=(?:cn|ou|dc|uid|o)=)){0,20}"
            r"(?:cn|ou|dc|uid|o)=(?:\\.|[^,\s\"\\]){1,200}",
            re.IGNORECASE,
        ),
        "<dn>",
    ),
    (re.compile(r"(?<=/home/)[^/\s:\"']+|(?<=/Users/)[^/\s:\"']+|(?<=\\Users\\)[^\\\s\"']+"), "<person>"),
    (re.compile(r"\b[A-Za-z0-9_+=-]{40,}(?![A-Za-z0-9_+=-])"), "<secret>"),
)
_SECRET = re.compile(
    r"(?<![A-Za-z])(password|passphrase|passwd|secret|token|cookie|authorization|bearer|signature|api[_-]?key|code)"
    r"(\"?'?\s?[=:]\s?\"?'?(?:Bearer )?(?=[^\s\"',;&<]{6})|\s(?=[^\s\"',;&]*[0-9=])(?=[^\s\"',;&<]{8}))([^\s\"',;&<]+)",
    re.IGNORECASE,
)
_MAYBE_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+")
_FILE = re.compile(
    r"\.(?:rtdc|tdms|csv|tsv|ini|pdf|poly|sof|so2|ipynb|txt|json|xlsx|docx|tif|tiff|png)\b", re.IGNORECASE
)
_OURS = {"log.txt", "settings.json", "status.json", "inspect.json", "about.json", "incidents.json", "failed-jobs.json"}
_ESCAPED = re.compile(r"\\u(00[a-fA-F][0-9a-fA-F]|0[1-9a-fA-F][0-9a-fA-F]{2}|1[0-9a-fA-F]{3})")  # letters in JSON
_SPELLED = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
_TOKENS = re.compile(r"[\w.+-]+")
_ALNUM = re.compile(r"[^\W_]+")
_LETTERS = re.compile(r"[^\W\d_]+")


class Mask:
    """Replaces what names persons, machines, institutions or secrets.

    Persons are numbered in an order drawn anew for each mask, so a number tells nothing about the name and nothing about another bundle.

    :param people: for each person all names (log-in name, full name).
    :param hosts: names of machines; what else lies in their domains is masked, too.
    :param phrases: word → texts that are replaced by "<word>" wherever they stand.
    :param files: names of files, also such that have blanks.
    :param names: word → names that stand as a word of their own.
    """

    def __init__(
        self,
        people: Iterable[Sequence[str]],
        *,
        hosts: Iterable[str] = (),
        phrases: dict[str, Iterable[str]] | None = None,
        files: Iterable[str] = (),
        names: dict[str, Iterable[str]] | None = None,
    ) -> None:
        self._tokens: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        self._exact: dict[str, str] = {}
        persons = list(people)
        random.SystemRandom().shuffle(persons)
        for number, known_as in enumerate(persons, 1):
            self._add_person(f"<person {number}>", [name for name in known_as if name])
        self._hosts = {host.casefold() for host in hosts if len(host) > 2 and host != "localhost"}
        self._domains = tuple({f".{'.'.join(host.split('.')[-2:])}" for host in self._hosts if "." in host})
        for host in self._hosts:
            if len(host.split(".")[0]) > 3:
                self._tokens.setdefault(host.split(".")[0], "<host>")
        for word, texts in (names or {}).items():
            for text in texts:
                self._tokens.setdefault(text.casefold(), word)
        known = [(text, f"<{word}>") for word, texts in (phrases or {}).items() for text in texts if len(text) > 2]
        self._phrases = sorted(set(known), key=lambda one: len(one[0]), reverse=True)
        self._files = {name.casefold() for name in files}

    def _add_person(self, word: str, names: list[str]) -> None:
        for name in names:
            self._tokens[name.casefold()] = word
            for part in (*_ALNUM.findall(name), *_LETTERS.findall(name)):
                for form in _written(part):
                    if len(form) > 2:
                        known = self._parts.setdefault(form.casefold(), word)
                        if known != word:
                            self._parts[form.casefold()] = "<name>"  # of several persons
                    elif len(form) == 2 and form[0].isupper():
                        self._exact.setdefault(form, word)

    def __call__(self, text: str) -> str:
        """The text without them."""
        text = unicodedata.normalize("NFC", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text))
        text = _SECRET.sub(r"\1\2<secret>", text)
        folded = text.casefold()
        for phrase, word in self._phrases:
            if phrase.casefold() in folded:
                text = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", word, text, flags=re.IGNORECASE)
        text = self._without_files(text)
        for pattern, word in _FORMS[:2]:  # before names, which are parts of addresses
            text = pattern.sub(word, text)
        text = _MAYBE_IPV6.sub(_without_ipv6, text)
        for pattern, word in _FORMS[2:]:
            text = pattern.sub(word, text)
        text = _TOKENS.sub(lambda found: self._token(found.group()), text)
        text = _ALNUM.sub(lambda found: self._part(found.group()), text)
        return _LETTERS.sub(lambda found: self._part(found.group()), text)

    def _token(self, token: str) -> str:
        plain = token.strip(".-+")
        folded = plain.casefold()
        word = self._tokens.get(folded)
        if word is None and (folded in self._hosts or f".{folded}".endswith(self._domains or ("\0",))):
            word = "<host>"
        return token if word is None else token.replace(plain, word, 1)

    def _part(self, part: str) -> str:
        return self._parts.get(part.casefold()) or self._exact.get(part) or part

    def _without_files(self, text: str) -> str:
        """Names of files that are known, however they are written, and what looks like one."""
        pieces, end = [], 0
        for found in _FILE.finditer(text):
            before = text[max(end, found.start() - _LONGEST_FILE_NAME) : found.end()]
            start = next((at for at in range(len(before)) if before[at:].casefold() in self._files), None)
            if start is None:
                start = len(before) - (found.end() - found.start())
                while start and (before[start - 1].isalnum() or before[start - 1] in "_.+()[],-"):
                    start -= 1
            name = before[start:]
            if name.startswith(".") or name in _OURS:
                continue
            pieces += [text[end : found.end() - len(name)], "<file>"]
            end = found.end()
        return "".join([*pieces, text[end:]])


def _written(part: str) -> set[str]:
    """A name as it is, as it stands in JSON, without accents, and with ae for ä."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", part) if not unicodedata.combining(one))
    spelled = part
    for letter, instead in _SPELLED.items():
        spelled = spelled.replace(letter, instead)
    return {part, plain, spelled}


def _without_ipv6(found: re.Match[str]) -> str:
    """An address of IPv6 masked, whatever else has colons (times, names in C++) as it is."""
    text = found.group()
    address = text.rstrip(":.") if not text.endswith("::") else text
    if address.count(":") < 2 or not address.strip(":"):
        return text
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return text
    return "<ip>" + text[len(address) :]
