"""Reading a letter: who wrote, what about, its words and pictures; whatever it was made of.

A letter comes from anybody. Nothing here raises for what it contains: what cannot be read is
left out and said so (`problem`), and the letter is kept.
"""

from __future__ import annotations

import email
import email.policy
import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final

import nh3

from grids.blobs import MOST_BYTES, NotAPhoto, sniff

LONGEST_TEXT: Final = 20_000
LONGEST_LINE: Final = 300
#: A header longer than this is cut before it is decoded.
LONGEST_HEADER: Final = 4_000
MOST_PARTS: Final = 200
MOST_PICTURES: Final = 9
#: Marks that begin a line.
_BLOCKS: Final = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote"})
_BREAK: Final = re.compile(r"<br>|</(?:p|div|li|tr|h1|h2|h3|blockquote)>")
_TAG: Final = re.compile(r"<[^>]*>")
_MANY_BREAKS: Final = re.compile(r"\n\s*\n\s*\n+")
_ADDRESS: Final = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,255}")
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]{1,512}>")
#: Chinese letters name an old part of the newest standard, or nothing at all.
CHARSETS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030",
                   "us-ascii": "utf-8", "unknown-8bit": "utf-8", "": "utf-8"}  # fmt: skip
#: Values of the header Sensitivity (RFC 2156) that close a letter to others.
SENSITIVE: Final = frozenset({"personal", "private", "company-confidential"})


@dataclass(frozen=True)
class ReadLetter:
    """What could be read of a letter."""

    message_id: str = ""
    sender: str = ""
    subject: str = ""
    text: str = ""
    written_at: datetime | None = None
    pictures: tuple[bytes, ...] = ()
    left_out: int = 0  #: parts that were not taken
    is_confidential: bool = False
    problem: str = ""


@dataclass
class _Found:
    plain: list[str] = field(default_factory=list)
    marked: list[str] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    left_out: int = 0
    problem: str = ""


def read(raw: bytes) -> ReadLetter:
    """Read a letter as it came from the mail server."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.compat32)
    except Exception:
        return ReadLetter(problem="broken")
    head = read_head(message)
    found = _Found()
    try:
        _walk(message, found)
    except RecursionError:
        found.problem = "nested"
    except Exception:
        found.problem = "broken"
    text = "\n\n".join(found.plain) or "\n\n".join(map(to_text, found.marked))
    problem = found.problem or _defect(message)
    if not text.strip() and not found.pictures and not problem:
        problem = "empty"
    if not problem and len(text) > LONGEST_TEXT:
        problem = "cut"
    if not problem and is_automatic(message):
        problem = "automatic"
    return replace(
        head, text=_clean(text)[:LONGEST_TEXT], pictures=tuple(found.pictures),
        left_out=found.left_out, problem=problem,
    )  # fmt: skip


def read_head(message: Message) -> ReadLetter:
    """Read what the head of a letter says."""
    _name, address = parseaddr(_header(message, "Reply-To") or _header(message, "From"))
    found_id = _MESSAGE_ID.search(_header(message, "Message-ID"))
    return ReadLetter(
        message_id=found_id[0] if found_id else "",
        sender=address if _ADDRESS.fullmatch(address) else "",
        subject=_line(_header(message, "Subject")),
        written_at=_date(_header(message, "Date")),
        is_confidential=_header(message, "Sensitivity").strip().lower() in SENSITIVE,
    )


def is_automatic(message: Message) -> bool:
    """Say whether a machine wrote it: a receipt, a list, an answer while somebody is away."""
    submitted = _header(message, "Auto-Submitted").strip().lower()
    is_list = _header(message, "Precedence").strip().lower() in ("bulk", "list", "junk")
    return submitted not in ("", "no") or is_list


def to_text(markup: str) -> str:
    """Turn HTML into words: scripts, styles and every mark go, lines stay lines.

    >>> to_text("<p>路灯<b>不亮</b></p><script>alert(1)</script><p>&lt;第二行&gt;</p>")
    '路灯不亮\\n<第二行>'
    """
    bare = nh3.clean(markup, tags=set(_BLOCKS), attributes={}, strip_comments=True)
    lines = _TAG.sub("", _BREAK.sub("\n", bare.replace("\n", " ")))
    return "\n".join(" ".join(line.split()) for line in html.unescape(lines).split("\n")).strip()


def _walk(message: Message, found: _Found) -> None:
    for count, part in enumerate(_parts(message)):
        if count >= MOST_PARTS:
            found.problem = "many_parts"
            return
        _take(part, found)


def _parts(message: Message) -> Iterator[Message]:
    """Yield the leaves of a letter; a letter inside a letter is one attachment."""
    stack = [message]
    while stack:
        part = stack.pop()
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            stack += [one for one in reversed(inner) if isinstance(one, Message)]
        else:
            yield part


def _take(part: Message, found: _Found) -> None:
    kind = part.get_content_type()
    is_file = part.get_content_disposition() == "attachment" or part.get_filename() is not None
    if kind in ("text/plain", "text/html") and not is_file:
        words = _decoded(part)
        (found.plain if kind == "text/plain" else found.marked).append(words)
        return
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes) or not _is_picture(data):
        found.left_out += 1
    elif len(found.pictures) >= MOST_PICTURES or len(data) > MOST_BYTES:
        found.left_out += 1
        found.problem = found.problem or "pictures"
    else:
        found.pictures.append(data)


def _is_picture(data: bytes) -> bool:
    try:
        sniff(data[:64])
    except NotAPhoto:
        return False
    return True


def _decoded(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    named = str(part.get_content_charset() or "").lower()
    for charset in dict.fromkeys((CHARSETS.get(named, named), "utf-8", "gb18030")):
        try:
            return data.decode(charset)
        except (LookupError, UnicodeDecodeError):
            continue
    return data.decode("utf-8", "replace")


def _header(message: Message, name: str) -> str:
    raw = str(message.get(name, ""))[:LONGEST_HEADER]
    try:
        pieces = decode_header(raw)
    except Exception:
        return _clean(raw)
    words = []
    for text, charset in pieces:
        if isinstance(text, str):
            words.append(text)
            continue
        wanted = CHARSETS.get((charset or "").lower(), charset or "utf-8")
        try:
            words.append(text.decode(wanted))
        except (LookupError, UnicodeDecodeError):
            words.append(text.decode("gb18030", "replace"))
    return _clean("".join(words))


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_LINE]


def _clean(text: str) -> str:
    """Take out what no column holds and no page shows."""
    kept = "".join(
        letter for letter in text.replace("\r\n", "\n").replace("\r", "\n")
        if letter in "\n\t" or (letter.isprintable() and not "\ud800" <= letter <= "\udfff")
    )  # fmt: skip
    return _MANY_BREAKS.sub("\n\n", kept).strip()


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:
        return None


def _defect(message: Message) -> str:
    """Say that the form of a letter is broken, where that may hide something."""
    is_broken = any(part.defects for part in _parts(message)) or bool(message.defects)
    return "broken" if is_broken else ""
