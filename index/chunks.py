"""Cut documents into passages: a few hundred characters inside one section or article, at their offsets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.records import Document, Gazette, Paragraph, Passage, Source

# Characters. On 130 questions over the real gazette, BM25 alone finds the evidence within five passages for 0.85 of them
# at 150, 0.90 at 250 and 300, 0.89 at 350, 0.92 at 400; what a reader has to go through grows with it (940 characters in
# five passages at 300, 1,250 at 400).
PASSAGE_LENGTH = 300

# Sentences first, then clauses; a closing quotation mark stays with its sentence. No line ends: inside a paragraph
# they are cuts of pages, in the middle of a sentence.
_SEPARATORS = [
    r"(?<=[。！？!?])(?![”’」』）)])|(?<=[。！？!?][”’」』）)])",
    r"(?=[一二三四五六七八九十][是要])(?<=[；;：:，,])",
    r"(?<=[；;：:])(?![”’」』）)])",
    r"(?<=[，,])",
    r"(?<=[、\s])",
    "",
]
_ROW_ENDS = [r"(?<=\n)", r"(?<=</tr>)", r"(?<=[\t|])", r"(?<=[，、,\s])", ""]


def split_passages(gazette: Gazette, source: Source, *, length: int = PASSAGE_LENGTH) -> list[Passage]:
    """The passages of a gazette in the order of its text, at most ``length`` characters each.

    Neighbouring paragraphs of one section are packed together; a passage never crosses a document, an article or a
    section. Headings go with the text under them. Every paragraph is covered, and ``source.text[start:end] == text``.

    Raises:
        ValueError: if ``length`` is below 40.
    """
    if length < 40:
        raise ValueError(f"length is {length}, a passage needs at least 40 characters")
    return [
        _passage(document, source, group, start, end)
        for document in gazette.documents
        for group, start, end in _spans(document.paragraphs, source.text, length)
    ]


def _passage(document: Document, source: Source, group: Sequence[Paragraph], start: int, end: int) -> Passage:
    first = group[0]
    return Passage(
        id=f"{source.id}-{start}-{end}",
        source_id=source.id,
        document_id=document.id,
        document=document.title,
        headings=_common_headings(group),
        start=start,
        end=end,
        text=source.text[start:end],
        article=group[-1].article,
        paragraph=first.n,
        page=source.page_at(start),
    )


def _common_headings(group: Sequence[Paragraph]) -> tuple[str, ...]:
    """The headings that hold for all of a passage: of its text where it has any, of its headings otherwise."""
    texts = [p.headings for p in group if p.kind != "heading"] or [group[-1].headings]
    common = texts[0]
    for headings in texts[1:]:
        kept = 0
        while kept < min(len(common), len(headings)) and common[kept] == headings[kept]:
            kept += 1
        common = common[:kept]
    return common


def _spans(paragraphs: Sequence[Paragraph], text: str, length: int) -> Iterator[tuple[list[Paragraph], int, int]]:
    """(paragraphs, start, end) of each passage, in order."""
    group: list[Paragraph] = []
    for paragraph in paragraphs:
        if group and not (_same_section(group, paragraph) and paragraph.end - group[0].start <= length):
            lead = _lead(group, paragraph, length)
            if len(lead) < len(group):
                done = group[: len(group) - len(lead)]
                yield done, done[0].start, done[-1].end
            group = lead
        if paragraph.end - (group[0].start if group else paragraph.start) > length:
            yield from _split(group, paragraph, text, length)
            group = []
        else:
            group.append(paragraph)
    if group:
        yield group, group[0].start, group[-1].end


def _same_section(group: Sequence[Paragraph], paragraph: Paragraph) -> bool:
    last = group[-1]
    if last.kind == "heading":
        # a heading opens the section of what comes next; an article's own heading line is in the article
        return last.article in (None, paragraph.article) and len(paragraph.headings) >= len(last.headings)
    if paragraph.kind == "heading":
        return False
    return last.article == paragraph.article and (last.article is not None or _section(last) == _section(paragraph))


def _section(paragraph: Paragraph) -> tuple[str, ...]:
    """The headings that bound packing: 一是 … and run-in headings do not, they are parts of one section's text."""
    return paragraph.headings[:1]


def _lead(group: Sequence[Paragraph], paragraph: Paragraph, length: int) -> list[Paragraph]:
    """The headings at the end of a group that belong to ``paragraph``, as far as they leave it room."""
    lead: list[Paragraph] = []
    for last in reversed(group):
        if last.kind != "heading" or not _same_section([last], paragraph) or paragraph.start - last.start > length // 2:
            break
        lead.insert(0, last)
    return lead


def _split(
    lead: Sequence[Paragraph], paragraph: Paragraph, text: str, length: int
) -> Iterator[tuple[list[Paragraph], int, int]]:
    """The pieces of a paragraph that is too long; the headings before it go with the first."""
    room = length - (paragraph.start - lead[0].start if lead else 0)
    at = paragraph.start
    for i, piece in enumerate(_pieces(text[at : paragraph.end], room, is_table=paragraph.kind == "table")):
        end = at + len(piece)
        start = lead[0].start if lead and i == 0 else at + len(piece) - len(piece.lstrip())
        stop = at + len(piece.rstrip())
        if stop > start:
            yield ([*lead, paragraph] if i == 0 else [paragraph]), start, stop
        at = end


def _pieces(words: str, length: int, *, is_table: bool) -> list[str]:
    """The words in pieces of at most ``length``, all of them: ``"".join(pieces) == words``."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter  # imported late: a short text needs none

    # pieces of about the same length read better than full ones and a rest
    even = min(length, -(-len(words) // -(-len(words) // length)) + length // 6)
    splitter = RecursiveCharacterTextSplitter(
        separators=_ROW_ENDS if is_table else _SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=even,
        chunk_overlap=0,
        strip_whitespace=False,
    )
    return splitter.split_text(words)
