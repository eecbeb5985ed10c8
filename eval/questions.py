"""Question files: what is asked, which answers are accepted, which words prove them, and whether a file is sound."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.records import GazetteError

TYPES = (
    "number", "person", "date", "place", "organisation", "document", "list",
    "yesno", "definition", "reason", "table", "multi_hop", "conflict",
)  # fmt: skip
STYLES = ("lexical", "paraphrase", "colloquial", "english")
# Why a question has no answer: the text is about its matter but silent on it, it takes for granted what is not so, it
# asks about another text, or about nothing the texts deal with.
KINDS = ("near miss", "false premise", "other document", "off topic")
# Their answers may be computed or worded by the answerer, so they need not stand in the evidence word for word.
_FREE_TYPES = frozenset({"yesno", "multi_hop", "conflict"})
SHOWN_LIMIT = 300  # characters of answer and sentence together that can earn a point


class QuestionFileError(GazetteError):
    """A question file that cannot be used; the message names file, line and fault."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what counts as right. A dialogue's turn is one too, with id ``d01.2`` and its full wording.

    ``all_of`` holds groups, of each of which one string must be found; it takes the place of ``answers`` for lists.
    ``source`` only says where the evidence stands; ``within`` limits the search to that source, as a reader does who has
    one gazette open, so a question that names no place can be asked of an index over many.
    """

    id: str
    text: str
    type: str = ""
    style: str = ""
    answers: tuple[str, ...] = ()
    all_of: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()
    document: str = ""
    source: str = ""
    within: str = ""
    answerable: bool = True
    kind: str = ""  # of an unanswerable question: one of ``KINDS``, where its author said so
    absent: tuple[str, ...] = ()  # of an unanswerable question: words that must not stand in the text
    standalone: str = ""  # of a dialogue's turn: the question as it would be asked alone

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Of each group one string must be found: ``all_of``, or the one group of accepted answers."""
        return self.all_of or ((self.answers,) if self.answers else ())


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Questions asked one after the other, each with those before it as context."""

    id: str
    turns: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """What was read from one or more question files."""

    files: tuple[str, ...]
    sha256: str  # of the files' bytes, in order: two runs over the same set can be told from two over different ones
    questions: tuple[Question, ...]
    dialogues: tuple[Dialogue, ...]

    @property
    def asked(self) -> tuple[Question, ...]:
        """All questions, a dialogue's turns included."""
        return (*self.questions, *(turn for dialogue in self.dialogues for turn in dialogue.turns))


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a question file. A warning is worth a look; an error makes the record unfit to score by."""

    file: str
    line: int
    id: str
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {'error' if self.is_error else 'warning'}: [{self.id or '?'}] {self.message}"


def fold_answer(text: str) -> str:
    """A text as answers are compared: NFKC, case folded, white space removed (the public rule; see the README)."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def wording(text: str) -> str:
    """A question as it is compared with others: folded, letters and digits alone, so that marks make no other one."""
    return "".join(char for char in fold_answer(text) if char.isalnum())


def without_space(text: str) -> str:
    """A text as evidence is compared: white space removed, nothing else."""
    return "".join(text.split())


def load_questions(paths: Sequence[Path]) -> QuestionSet:
    """Questions and dialogues of the files, in order.

    Raises:
        QuestionFileError: if a line is not a question or a dialogue, or an id stands twice.
    """
    digest = hashlib.sha256()
    questions: list[Question] = []
    dialogues: list[Dialogue] = []
    seen: set[str] = set()
    for path in paths:
        digest.update(_read(path).encode())
        for line, record in read_json_lines(path):
            try:
                item = parse_record(record)
            except ValueError as fault:
                raise QuestionFileError(f"{path}:{line}: {fault}") from None
            if item.id in seen:
                raise QuestionFileError(f"{path}:{line}: id {item.id!r} stands twice")
            seen.add(item.id)
            if isinstance(item, Dialogue):
                dialogues.append(item)
            else:
                questions.append(item)
    if not seen:
        raise QuestionFileError(f"no questions in {', '.join(map(str, paths)) or 'no file'}")
    return QuestionSet(tuple(path.name for path in paths), digest.hexdigest(), tuple(questions), tuple(dialogues))


def parse_record(record: Mapping[str, Any]) -> Question | Dialogue:
    """One record of a question file as a noun.

    Raises:
        ValueError: if a field is missing or has the wrong form; the message names the field.
    """
    name = _string(record, "id")
    if not name:
        raise ValueError("field 'id' is missing or empty")
    if "turns" not in record:
        return _question(record, name)
    turns = record["turns"]
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns) or not turns:
        raise ValueError("field 'turns' must be a list of objects")
    return Dialogue(name, tuple(_question(turn, f"{name}.{n}") for n, turn in enumerate(turns, 1)))


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of each line that is not blank.

    Raises:
        QuestionFileError: if the file cannot be read or a line is not a JSON object.
    """
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as fault:
            raise QuestionFileError(f"{path}:{number}: not JSON: {fault}") from None
        if not isinstance(record, dict):
            raise QuestionFileError(f"{path}:{number}: a JSON object was expected, found {type(record).__name__}")
        yield number, record


def check_files(paths: Sequence[Path], sources: Mapping[str, str]) -> list[Problem]:
    """What is wrong with the files, measured against the texts they ask about; empty when nothing is.

    ``sources`` maps a source's file name to its text. Messages name ids and fields, never a question's words, so a
    held-out part can be checked without being read.
    """
    spaceless = {name: without_space(text) for name, text in sources.items()}
    problems: list[Problem] = []
    ids: Counter[str] = Counter()
    # Of each source and wording the file and id of the question first asked so. Two gazettes may be asked the same.
    wordings: dict[tuple[str, str], tuple[str, str]] = {}
    for path in paths:
        for line, record in read_json_lines(path):
            where = (path.name, line)
            try:
                item = parse_record(record)
            except ValueError as fault:
                problems.append(Problem(*where, str(record.get("id", "")), str(fault)))
                continue
            ids[item.id] += 1
            if ids[item.id] > 1:
                problems.append(Problem(*where, item.id, "this id stands twice"))
            if isinstance(item, Dialogue):
                faults = list(_dialogue_faults(item, spaceless))
            else:
                faults = [(item.id, *fault) for fault in _question_faults(item, spaceless)]
            for name, text, is_turn in _wordings(item):
                within = item.within if isinstance(item, Question) else item.turns[0].within
                file, first = wordings.setdefault((within, wording(text)), (path.name, name))
                # A dialogue may start from a question of its own part; of another part it would give that one away.
                if first != name and not (is_turn and file == path.name):
                    faults.append((name, f"asked before, as {first}" + f" in {file}" * (file != path.name), True))
            problems += [Problem(*where, name, message, is_error) for name, message, is_error in faults]
    return problems


def _wordings(item: Question | Dialogue) -> Iterator[tuple[str, str, bool]]:
    """(id, full wording, is it a dialogue's turn) of what a record asks."""
    if isinstance(item, Question):
        yield item.id, item.text, False
    else:
        yield from ((turn.id, turn.standalone or turn.text, True) for turn in item.turns)


def counts(questions: Iterable[Question]) -> dict[str, Counter[str]]:
    """How many questions there are by type, by style, by document and by whether they can be answered."""
    table: dict[str, Counter[str]] = {key: Counter() for key in ("answerable", "kind", "type", "style", "document")}
    for question in questions:
        table["answerable"]["yes" if question.answerable else "no"] += 1
        if not question.answerable:
            table["kind"][question.kind or "-"] += 1
        table["type"][question.type or "-"] += 1
        table["style"][question.style or "-"] += 1
        table["document"][question.document or "-"] += 1
    return table


def _question(record: Mapping[str, Any], name: str) -> Question:
    text = _string(record, "question")
    if not text.strip():
        raise ValueError("field 'question' is missing or empty")
    answerable = record.get("answerable", True)
    if not isinstance(answerable, bool):
        raise ValueError("field 'answerable' must be true or false")
    groups = record.get("all_of") or []
    if not isinstance(groups, list):
        raise ValueError("field 'all_of' must be a list of lists of strings")
    return Question(
        id=name,
        text=text,
        type=_string(record, "type"),
        style=_string(record, "style"),
        answers=_strings(record.get("answers"), "answers"),
        all_of=tuple(_strings(group, "all_of") for group in groups),
        evidence=_strings(record.get("evidence"), "evidence"),
        document=_string(record, "document"),
        source=_string(record, "source") or _string(record, "within"),
        within=_string(record, "within"),
        answerable=answerable,
        kind=_string(record, "kind"),
        absent=_strings(record.get("absent"), "absent"),
        standalone=_string(record, "standalone"),
    )


def _string(record: Mapping[str, Any], field: str) -> str:
    value = record.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"field {field!r} must be a string")
    return value


def _strings(value: object, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise ValueError(f"field {field!r} must be a list of strings that are not empty")
    return tuple(value)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise QuestionFileError(f"{path}: cannot be read: {fault}") from None


Fault = tuple[str, bool]  # message, is it an error


def _question_faults(question: Question, sources: Mapping[str, str], *, is_turn: bool = False) -> Iterator[Fault]:
    if question.type not in TYPES and not (is_turn and not question.type):
        yield f"type {question.type!r} is none of {', '.join(TYPES)}", True
    if question.style not in STYLES and not (is_turn and not question.style):
        yield f"style {question.style!r} is none of {', '.join(STYLES)}", True
    if not question.answerable:
        if question.answers or question.all_of or question.evidence:
            yield "marked unanswerable, but has answers, all_of or evidence", True
        if question.kind and question.kind not in KINDS:
            yield f"kind {question.kind!r} is none of {', '.join(KINDS)}", True
        texts, fault = _texts_of(question, sources)
        if fault:
            yield fault, True
        for n, word in enumerate(question.absent, 1):
            if any(without_space(word) in text for text in texts):
                yield f"absent {n} does stand in the text", True
        return
    if question.kind or question.absent:
        yield "answerable, but has kind or absent", True
    if not question.groups:
        yield "answerable, but has neither answers nor all_of", True
    if question.answers and question.all_of:
        yield "has both answers and all_of: all_of alone is scored", False
    if not question.evidence:
        yield "answerable, but has no evidence", True
    yield from _evidence_faults(question, sources)
    yield from _answer_faults(question)


def _evidence_faults(question: Question, sources: Mapping[str, str]) -> Iterator[Fault]:
    texts, fault = _texts_of(question, sources)
    if fault:
        yield fault, True
        return
    for n, quote in enumerate(question.evidence, 1):
        wanted = without_space(quote)
        if not any(wanted in text for text in texts):
            yield f"evidence {n} does not stand in the text word for word", True
        elif len(wanted) < 4:
            yield f"evidence {n} has {len(wanted)} characters: too short to tell one place from another", False
        elif max(text.count(wanted) for text in texts) > 3:
            yield f"evidence {n} stands in more than three places: a longer quote would tell which is meant", False
        elif len(wanted) > 200:
            yield (
                f"evidence {n} has {len(wanted)} characters: a passage may end inside it, so it could not be hit",
                False,
            )
    title = without_space(question.document)
    if title and not any(title in text for text in texts):
        yield "document is no title that stands in the text", False


def _texts_of(question: Question, sources: Mapping[str, str]) -> tuple[list[str], str]:
    """The texts in which the question's quotes must stand and its absent words must not; or none and the fault."""
    if question.within and question.source != question.within:
        return [], f"searched within {question.within!r}, but its source is {question.source!r}"
    if question.source and question.source not in sources:
        return [], f"source {question.source!r} is not among the texts given"
    # A question without an answer is about all texts that are searched, whatever text it was written against.
    name = question.source if question.answerable else question.within
    return [sources[name]] if name else list(sources.values()), ""


def _answer_faults(question: Question) -> Iterator[Fault]:
    evidence = fold_answer("".join(question.evidence))
    for n, group in enumerate(question.groups, 1):
        folded = [fold_answer(answer) for answer in group]
        where = f"all_of group {n}" if question.all_of else "answers"
        if not group:
            yield f"{where}: empty", True
        elif min(map(len, folded)) > SHOWN_LIMIT:
            yield f"{where}: longer than the {SHOWN_LIMIT} characters that are looked at", True
        if len(set(folded)) < len(folded):
            yield f"{where}: the same answer twice once folded", False
        if group and not any(answer in evidence for answer in folded):
            free = question.type in _FREE_TYPES or question.style == "english" or not question.type
            yield f"{where}: none stands in the evidence", not free
    if sum(min(len(fold_answer(a)) for a in group) for group in question.groups if group) > SHOWN_LIMIT:
        yield f"the shortest right answer is longer than the {SHOWN_LIMIT} characters that are looked at", True


def _dialogue_faults(dialogue: Dialogue, sources: Mapping[str, str]) -> Iterator[tuple[str, str, bool]]:
    if len(dialogue.turns) < 2:
        yield dialogue.id, "a dialogue needs at least two turns", True
    for turn in dialogue.turns:
        if not turn.standalone:
            yield turn.id, "turn has no 'standalone' wording", True
        for message, is_error in _question_faults(turn, sources, is_turn=True):
            yield turn.id, message, is_error
