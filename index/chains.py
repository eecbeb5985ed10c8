"""How documents hang together, and what is in force: a report answers an opinion, a decision repeals a regulation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from index.catalogue import similarity, title_bigrams
from index.numbering import iso_date
from index.records import Document, Gazette, Source
from index.statements import Link, Sentence, Statement, Status
from index.text import fold, folded, readable

# ---- links ----------------------------------------------------------------------------------------------------------

_SAME = 0.7  # bigram overlap of two titles of one document; different reports of a session have at most 0.6
_DRAFT = re.compile(r"\((?:草案|征求意见稿|送审稿|修订草案|书面|试行草案)[^()]*\)")
_TITLE_IN_TEXT = re.compile(r"《([^《》]{4,160})》")


def find_links(gazette: Gazette, found: Sequence[Sentence], source: Source) -> list[Link]:
    """Documents of a gazette that speak of another: by title (落实, 审议, 说明) and by text (批准, 审查).

    ``target_id`` is None where the other document is not in the gazette.
    """
    documents = [d for d in gazette.documents if d.kind != "封面"]
    out: list[Link] = []
    for document in documents:
        title = fold(document.title)
        relation = _relation_of_title(document, title)
        quoted = _outer_title(title) or (relation and _named_in_title(relation, title))
        if relation and quoted:
            target = _find(quoted, documents, document, _TARGETS[relation])
            out.append(
                Link(document.id, relation, _verbatim(document, quoted), target, _title_statement(document, source))
            )
    linked = {link.document_id for link in out if link.target_id}
    by_text = _links_of_text(documents, found, source, linked)
    named = {link.document_id for link in by_text}
    kept = [link for link in out if link.target_id or link.document_id not in named]
    return sorted([*kept, *by_text], key=lambda link: link.document_id)


_TARGETS = {
    "落实": ("审议意见",),
    "审议": ("报告",),
    "说明": ("决定", "办法", "条例", "规定", "决议"),
    "批准": ("报告",),
    "审查": ("报告",),
}


def _relation_of_title(document: Document, title: str) -> str | None:
    if document.kind == "报告" and re.search(
        r"(?:审议意见|意见|决定|决议).{0,12}(?:落实|办理|执行|整改|处理).{0,6}情况"
        r"|关于(?:贯彻|研究处理|办理|执行)?(?:落实|研究处理|办理|执行).{4,60}(?:审议意见|决定|决议)(?:情况)?的?(?:情况)?报告$",
        title,
    ):
        return "落实"
    return {"审议意见": "审议", "说明": "说明"}.get(document.kind)


def _outer_title(title: str) -> str | None:
    """The outermost title a title quotes: 关于《A〈B〉的C》落实情况的报告 → A〈B〉的C."""
    start, end = title.find("《"), title.rfind("》")
    return title[start + 1 : end] if 0 <= start < end else None


# Where a title names the other document without 《》: 关于对某某情况报告的审议意见, 关于落实某某审议意见情况的报告.
_NAMED_IN_TITLE = {
    "审议": re.compile(r"关于(?:对)?(?P<named>.{4,80}?报告)的?审议意见$"),
    "落实": re.compile(
        r"关于(?:对)?(?:贯彻|研究处理|办理|执行)?(?:落实|研究处理|办理|执行)?(?P<named>.{4,80}?(?:审议意见|决定|决议))"
        r"(?:的?(?:贯彻|研究|办理|执行|落实|整改|处理).{0,8})?(?:的|情况){0,3}报告$"
    ),
}


def _named_in_title(relation: str, title: str) -> str | None:
    pattern = _NAMED_IN_TITLE.get(relation)
    found = pattern.search(title) if pattern else None
    return found["named"] if found else None


def _verbatim(document: Document, quoted: str) -> str:
    view = folded(document.title)
    at = view.text.find(quoted)
    start, end = view.span(at, at + len(quoted))
    return document.title[start:end]


def _find(quoted: str, documents: Sequence[Document], asking: Document, kinds: Sequence[str]) -> str | None:
    """The document a quoted title means: the nearest title of the right kind, if it is near enough."""
    best, score = None, _SAME
    for document in documents:
        if document is not asking and document.kind in kinds:
            # two opinions share all but the report they quote, so what is quoted inside is compared as well
            near = min(_nearness(quoted, document), _similar(_inner(quoted), _inner(fold(document.title))))
            if near > score:
                best, score = document.id, near
    return best


def _nearness(quoted: str, document: Document) -> float:
    title = fold(document.title)
    return max(_similar(quoted, title), _similar(quoted, fold(document.organ or "") + title))


def _similar(left: str, right: str) -> float:
    return similarity(title_bigrams(_DRAFT.sub("", left)), title_bigrams(_DRAFT.sub("", right)))


def _inner(title: str) -> str:
    """The title a title quotes innermost, itself where it quotes none."""
    found = re.findall(r"[《〈<]([^《〈〉》<>]{4,})[〉》>]", title)
    return found[0] if found else title


def _links_of_text(
    documents: Sequence[Document], found: Sequence[Sentence], source: Source, linked: set[str]
) -> list[Link]:
    """决议 → the report it approves, 审查报告 → the report it examines, and those that a title did not lead to: by the
    title their text names first."""
    out: list[Link] = []
    done = set(linked)
    for sentence in found:
        document = sentence.document
        relation = _relation_of_text(document)
        if relation is None or document.id in done or sentence.paragraph.kind in ("title", "byline"):
            continue
        for match in _TITLE_IN_TEXT.finditer(sentence.text):
            target = _find(match[1], documents, document, _TARGETS[relation])
            if target:
                named = sentence.words(source, *match.span(1))
                out.append(Link(document.id, relation, named, target, sentence.statement(source)))
                done.add(document.id)
                break
    return out


def _relation_of_text(document: Document) -> str | None:
    title = fold(document.title)
    if document.kind == "决议" and "批准" in title:
        return "批准"
    if document.kind == "报告" and re.search(r"审查(?:结果|情况|意见)?(?:的?报告)$|初审", title):
        return "审查"
    relation = _relation_of_title(document, title)
    return relation if relation in ("审议", "落实") else None


def _title_statement(document: Document, source: Source) -> Statement:
    first = document.paragraphs[0]
    return Statement(
        document.id, document.title, first.start, first.end, readable(source.text[first.start : first.end])
    )


# ---- status ---------------------------------------------------------------------------------------------------------

_NORMS = ("决定", "决议", "办法", "条例", "规定", "法律", "通知", "公告")
_IN_FORCE = re.compile(
    r"(?:本(?P<this>办法|条例|规定|决定|决议|规则|细则|法|实施办法|通知|意见|公告)|《(?P<other>[^《》]{4,80})》)"
    r"(?:\([^()]{1,30}\))?[^。;]{0,12}?自(?P<from>通过|公布|发布|印发|颁布|批准|[^,。;自]{6,20}?日)(?:之日)?起(?:施行|实施|执行|生效)"
)
_REPEALED = re.compile(
    r"《(?P<title>[^《》]{4,160})》(?:\((?P<number>[^()]{0,20}\(\d{4}\)[^()]{1,10}号)\))?[^《》。;]{0,12}?(?:同时|即行|予以|即|一并)?废止"
)
# 废止2003年3月28日某州第十届人民代表大会第二次会议通过的《…》
_REPEALS = re.compile(
    r"废止(?:[^《。;]{0,10}|[^《。;]{0,80}(?:通过|公布|印发|发布|批准)的)《(?P<title>[^《》]{4,120})》"
)
_AMENDS = re.compile(r"修改(?:<|〈|《)(?P<title>[^《》〈〉<>]{4,80})(?:>|〉|》)")


def find_statuses(gazette: Gazette, found: Sequence[Sentence], source: Source) -> list[Status]:
    """What comes into force, is provisional, is repealed or amended, with the sentence that says so.

    自通过之日起施行 is dated by the document. Explanations and reports that only speak of it are passed over.
    """
    out: list[Status] = []
    for document in gazette.documents:
        if document.kind not in _NORMS:
            continue
        title = fold(document.title)
        if re.search(r"\((?:试行|暂行)\)|暂行|试行", title):
            out.append(Status(document.title, "试行", document.date, "", _title_statement(document, source)))
        amended = _AMENDS.search(title)
        if amended:
            out.append(
                Status(
                    _verbatim(document, amended["title"]), "修改", document.date, "", _title_statement(document, source)
                )
            )
    force: tuple[object, str | None] = (None, None)  # the paragraph that says when its document comes into force
    for sentence in found:
        if sentence.document.kind in _NORMS and sentence.paragraph.kind not in ("title", "table"):
            since = force[1] if force[0] is sentence.paragraph else None
            states = _statuses_of(sentence, source, since)
            dates = [s.date for s in states if s.state == "施行" and s.subject == sentence.document.title]
            force = (sentence.paragraph, dates[0]) if dates else force
            out += states
    return out


def _statuses_of(sentence: Sentence, source: Source, in_force: str | None) -> list[Status]:
    """What a sentence states. ``in_force`` is the day its paragraph gave before: 同时废止 is on that day too."""
    out: list[Status] = []
    text, document = sentence.text, sentence.document
    said = sentence.statement(source)
    for match in _IN_FORCE.finditer(text):
        subject = sentence.words(source, *match.span("other")) if match["other"] else document.title
        date = iso_date(match["from"]) or (document.date if match["from"] in ("通过", "公布", "发布", "批准") else None)
        out.append(Status(subject, "施行", date, "", said))
    for pattern in (_REPEALED, _REPEALS):
        for match in pattern.finditer(text):
            number = sentence.words(source, *match.span("number")) if match.groupdict().get("number") else ""
            since = [s.date for s in out if s.state == "施行"]
            date = since[0] if since else (in_force if "同时" in match[0] else None) or document.date
            out.append(Status(sentence.words(source, *match.span("title")), "废止", date, number, said))
    return out
