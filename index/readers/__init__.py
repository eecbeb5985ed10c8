"""One reader a file format: bytes -> text with pages; ``index.sources`` chooses among them.

Readers take bytes, never paths, so a member of an archive and a file on disk are read alike. Their text looks like a
plain gazette: one paragraph a line, a blank line between, table cells parted by tabs with one row a line.
"""

from __future__ import annotations

from dataclasses import dataclass

from index.records import GazetteError


class Unreadable(GazetteError):  # noqa: N818 (a result with a name, as NotAGazette; nobody says UnreadableError)
    """A file that cannot be read as a gazette; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it is parsed. A gazette of 100 pages is about 1 MB as PDF and 200,000 characters."""

    file_bytes: int = 50_000_000
    characters: int = 20_000_000
    paragraphs: int = 500_000  # or pieces of lines in a PDF: each is an object of its own
    pages: int = 3_000
    unpacked_bytes: int = 200_000_000  # of an archive or a .docx, all members together
    ratio: int = 200  # unpacked to packed, of a member over 10 MB; prose in XML packs about 10 : 1
    members: int = 5_000
    archives: int = 3  # archives within archives
    nesting: int = 50_000  # of elements in HTML and XML
    seconds: float = 25.0  # without a page read


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of the bytes; the fields are those of ``Source``."""

    text: str
    encoding: str
    page_starts: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()
