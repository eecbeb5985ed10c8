"""Public benchmark files as nouns: BEIR folders (retrieval), SQuAD files (reading), RGB files (reading among noise)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.records import GazetteError


class FormatError(GazetteError):
    """A benchmark file that is not what it should be; the message names file, place and fault."""


@dataclass(frozen=True, slots=True)
class CorpusText:
    """One entry of a BEIR corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class ReadingQuestion:
    """A question about one context; no accepted answers where the context does not answer it."""

    id: str
    text: str
    context: str
    title: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoisyQuestion:
    """A question of RGB: of every group one answer is wanted; documents that answer it, and others like them.

    ``positive`` holds a list for each fact that the answer is put together from; usually there is one.
    """

    id: str
    text: str
    groups: tuple[tuple[str, ...], ...]
    positive: tuple[tuple[str, ...], ...]
    negative: tuple[str, ...]


def read_corpus(path: Path) -> Iterator[CorpusText]:
    """The entries of corpus.jsonl, one at a time: ``_id`` or ``id``, ``title`` (may be missing), ``text``.

    Raises:
        FormatError: if the file cannot be read, a line is no such object, or an id stands twice.
    """
    seen: set[str] = set()
    for line, record in _json_lines(path):
        name = _id(path, line, record)
        if name in seen:
            raise FormatError(f"{path}:{line}: id {name!r} stands twice")
        seen.add(name)
        yield CorpusText(name, _text(record.get("title")), _text(record.get("text", record.get("contents"))))


def read_queries(path: Path) -> dict[str, str]:
    """``{id: question}`` of queries.jsonl, in order.

    Raises:
        FormatError: as ``read_corpus``.
    """
    queries: dict[str, str] = {}
    for line, record in _json_lines(path):
        name = _id(path, line, record)
        text = _text(record.get("text", record.get("query", record.get("question"))))
        if name in queries:
            raise FormatError(f"{path}:{line}: id {name!r} stands twice")
        queries[name] = text
    return queries


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """``{query id: {document id: grade}}``.

    Three columns ``query-id corpus-id score`` with or without a header (BEIR), or four as in TREC
    (``query 0 document grade``); separated by tabs, or by any white space where a line has no tab. Also JSON Lines
    with these fields, as the hub's copies of BEIR have them.

    Raises:
        FormatError: if a line has other columns or a grade is no number.
    """
    qrels: dict[str, dict[str, int]] = {}
    if ".jsonl" in path.suffixes:
        for number, record in _json_lines(path):
            query, document, grade = (_first(record, *names) for names in _QRELS)
            if query is None or document is None or grade is None:
                raise FormatError(f"{path}:{number}: 'query-id', 'corpus-id' and 'score' were expected")
            if (given := _grade(grade)) is None:
                raise FormatError(f"{path}:{number}: grade {grade!r} is no number")
            qrels.setdefault(_whole(str(query)), {})[_whole(str(document))] = given
        return qrels
    for number, line in enumerate(_lines(path), 1):
        cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
        if not any(cells):
            continue
        if len(cells) not in (3, 4):
            hint = "; commas do not part them" if "," in line else ""
            raise FormatError(f"{path}:{number}: 3 or 4 columns were expected, found {len(cells)}{hint}")
        query, document = cells[0], cells[-2]
        if (given := _grade(cells[-1])) is not None:
            qrels.setdefault(query, {})[document] = given
        elif number > 1:  # the first line is a header
            raise FormatError(f"{path}:{number}: grade {cells[-1]!r} is no number")
    return qrels


_QRELS = (("query-id", "query_id", "qid"), ("corpus-id", "corpus_id", "pid", "docid", "did"), ("score", "label", "rel"))


def _first(record: Mapping[str, Any], *names: str) -> Any:
    """The first of the fields that the record has."""
    return next((record[name] for name in names if name in record), None)


def _grade(said: object) -> int | None:
    try:
        return int(float(str(said)))
    except (ValueError, OverflowError):  # inf
        return None


def write_run(path: Path, run: Mapping[str, Sequence[tuple[str, float]]], tag: str = "gazette-qa") -> bool:
    """The ranking in TREC run format: ``query Q0 document rank score tag``, ranks from 1.

    Tabs part the columns where an id holds white space, which the format itself has no way to write; True if so.
    """
    tabs = any(
        len(name.split()) != 1 for name in [*run, *(document for ranking in run.values() for document, _ in ranking)]
    )
    gap = "\t" if tabs else " "
    with path.open("w", encoding="utf-8") as file:
        for query, ranking in run.items():
            for rank, (document, score) in enumerate(ranking, 1):
                file.write(gap.join((query, "Q0", document, str(rank), f"{score:.6f}", tag)) + "\n")
    return tabs


def read_reading(path: Path) -> list[ReadingQuestion]:
    """The questions of a SQuAD-style file: SQuAD 1.1 and 2.0, XQuAD, DRCD, CMRC 2018 in either of its forms.

    Also JSON Lines of ``query``, ``positive``, ``answer``. A question marked ``is_impossible`` has no answers.

    Raises:
        FormatError: if the file is none of these.
    """
    if ".jsonl" in path.suffixes:
        return [_flat_question(path, line, record) for line, record in _json_lines(path)]
    try:
        record = json.loads("".join(_lines(path)))
    except json.JSONDecodeError as fault:
        raise FormatError(f"{path}: not JSON: {fault}") from None
    try:
        questions = list(_cmrc_questions(record) if isinstance(record, list) else _squad_questions(record["data"]))
    except (KeyError, TypeError, AttributeError) as fault:
        raise FormatError(f"{path}: not a SQuAD-style file: {type(fault).__name__} {fault}") from None
    if not questions:
        raise FormatError(f"{path}: no questions in it")
    return questions


def read_rgb(path: Path) -> list[NoisyQuestion]:
    """The questions of an RGB file (zh.json, en.json, zh_int.json and the like; JSON Lines whatever the name).

    Raises:
        FormatError: if a line is no such question, or there is none.
    """
    questions = [_noisy_question(path, line, record) for line, record in _json_lines(path)]
    if not questions:
        raise FormatError(f"{path}: no questions in it")
    return questions


def _noisy_question(path: Path, line: int, record: Mapping[str, Any]) -> NoisyQuestion:
    try:
        answer, positive = record["answer"], record["positive"]
        given = answer if isinstance(answer, list) else [answer]
        integrated = bool(positive) and isinstance(positive[0], list)
        return NoisyQuestion(
            str(record.get("id", line)),
            record["query"],
            tuple(tuple(map(str, group)) if isinstance(group, list) else (str(group),) for group in given),
            tuple(map(tuple, positive)) if integrated else (tuple(positive),),
            tuple(record["negative"]),
        )
    except (KeyError, TypeError) as fault:
        raise FormatError(f"{path}:{line}: not a question of RGB: {type(fault).__name__} {fault}") from None


def _squad_questions(data: Iterable[Mapping[str, Any]]) -> Iterator[ReadingQuestion]:
    for article in data:
        for paragraph in article["paragraphs"]:
            for entry in paragraph["qas"]:
                given = [] if entry.get("is_impossible") else entry.get("answers") or []
                yield ReadingQuestion(
                    str(entry["id"]),
                    entry["question"],
                    paragraph["context"],
                    article.get("title") or "",
                    tuple(dict.fromkeys(answer["text"] for answer in given if answer["text"])),
                )


def _cmrc_questions(contexts: Iterable[Mapping[str, Any]]) -> Iterator[ReadingQuestion]:
    for context in contexts:
        for entry in context["qas"]:
            yield ReadingQuestion(
                str(entry["query_id"]),
                entry["query_text"],
                context["context_text"],
                context.get("title") or "",
                tuple(dict.fromkeys(answer for answer in entry["answers"] if answer)),
            )


def _flat_question(path: Path, line: int, record: Mapping[str, Any]) -> ReadingQuestion:
    try:
        answer = record["answer"]
        question = ReadingQuestion(str(line), record["query"], record["positive"], record.get("title") or "", ())
    except KeyError as fault:
        raise FormatError(f"{path}:{line}: field {fault} is missing") from None
    answers = (answer,) if isinstance(answer, str) else tuple(answer or ())
    return ReadingQuestion(question.id, question.text, question.context, question.title, tuple(filter(None, answers)))


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text file, decompressed where it is a gzip file; a byte order mark is dropped."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"  # not by its name: downloads lose or gain a .gz
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig") as file:
            yield from file
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        raise FormatError(f"{path}: cannot be read: {fault}") from None


def _json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as fault:  # also a number of 5,000 digits, and brackets without end
            raise FormatError(f"{path}:{number}: not JSON: {fault}") from None
        if not isinstance(record, dict):
            raise FormatError(f"{path}:{number}: a JSON object was expected")
        yield number, record


def _id(path: Path, line: int, record: Mapping[str, Any]) -> str:
    name = record.get("_id", record.get("id"))
    if name is None or not str(name).strip():
        raise FormatError(f"{path}:{line}: neither '_id' nor 'id'")
    return _whole(str(name).strip())  # as the cells of the qrels are stripped


def _text(value: object) -> str:
    """A field as text: lists of paragraphs are joined, numbers are written; what is missing is empty."""
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return "" if value is None or isinstance(value, bool | dict) else _whole(str(value))


def _whole(text: str) -> str:
    """The text with lone surrogates, which JSON may name and UTF-8 cannot hold, as U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
