"""What readers said on the page -> a question file for a person to complete."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from eval.questions import QuestionFileError, fold_answer, read_json_lines
from qa.question import analyse

# What qa.question calls a kind -> what question files call a type; kinds left out have the same name or no type.
_TYPES = {
    "amount": "number", "percent": "number", "duration": "number", "post": "person", "article": "document",
    "number": "number", "person": "person", "date": "date", "place": "place", "organisation": "organisation",
    "document": "document", "list": "list", "yesno": "yesno", "reason": "reason", "definition": "definition",
}  # fmt: skip


def drafts(path: Path) -> list[dict[str, Any]]:
    """Question records drafted from feedback lines, in the order first asked; what a person must decide is left out.

    ``review`` says what is to be done; a draft passes ``gazette-eval check`` only once it is done (style is always
    left to a person). Of a question judged several times the last verdict counts, and ``review`` says so.

    Raises:
        QuestionFileError: if the file cannot be read or a line is no feedback.
    """
    latest: dict[str, dict[str, Any]] = {}
    verdicts: dict[str, set[str]] = {}
    for line, record in read_json_lines(path):
        try:
            key = fold_answer(record["resolved_question"])
            draft = _draft(record)
            verdicts.setdefault(key, set()).add(record["verdict"])
        except (KeyError, TypeError, AttributeError) as fault:
            raise QuestionFileError(f"{path}:{line}: not a line of feedback: {type(fault).__name__} {fault}") from None
        latest[key] = draft
    for key, draft in latest.items():
        if len(verdicts[key]) > 1:
            draft["review"] += f"；读者意见不一（{'、'.join(sorted(verdicts[key]))}），以最后一次为准"
    return list(latest.values())


def _draft(record: Mapping[str, Any]) -> dict[str, Any]:
    question = record["resolved_question"]
    refused = record["status"] == "not_found"
    verdict = record["verdict"]
    citations = record["citations"]
    draft: dict[str, Any] = {
        "id": "fb-" + hashlib.sha256(fold_answer(question).encode()).hexdigest()[:10],
        "question": question,
        "type": _TYPES.get(analyse(question).kind, ""),
        "style": "",
    }
    review = ["填写 style"]
    if refused and verdict == "right":
        draft["answerable"] = False
    else:
        keeps_answer = not refused and verdict != "wrong"
        draft["answers"] = [record["answer"]] if keeps_answer and record["answer"] else []
        draft["evidence"] = _distinct(c["quote"] for c in citations) if keeps_answer and verdict == "right" else []
        draft["document"] = citations[0]["document"] if citations and not refused else ""
        draft["answerable"] = True
        if not draft["answers"]:
            review.append("填写正确答案与证据；公报确无答案则改为 answerable: false")
        elif not draft["evidence"]:
            review.append("引文被判有误，填写正确证据")
    if record.get("note"):
        review.append(f"读者附言：{record['note']}")
    draft["review"] = "；".join(review)
    return draft


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
