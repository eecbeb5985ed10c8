"""Every reason of an abstention has its English."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eval.questions import load_questions
from index.store import Index
from qa.ask import Assistant
from qa.reasons import in_english

QUESTIONS = Path(__file__).parents[2] / "eval" / "questions" / "sample_dev.jsonl"
HAN = re.compile(r"[\u3400-\u9fff。，；]")


def outside_quotes(text: str) -> str:
    return re.sub(r"《.*》|“[^”]*”", "", text)


@pytest.mark.parametrize(
    ("reason", "english"),
    [
        ("公报中没有找到与“斑马、数量”有关的内容。", "Nothing about “斑马、数量” was found in the gazettes."),
        ("《办法》共二十一条，没有第三十条。", "《办法》 has 21 articles; there is no article 30."),
        ("《办法》第九条共1款，没有第3款。", "Article 9 of 《办法》 has 1 paragraphs; there is no paragraph 3."),
        ("《办法》第九条没有第（八）项。", "Article 9 of 《办法》 has no item (8)."),
        (
            "公报没有把“甲”与“乙”放在一起说；最接近的内容在《关于修改〈办法〉的决定》。",
            "The gazette does not speak of “甲” and “乙” together. The nearest is in 《关于修改〈办法〉的决定》.",
        ),
        ("别的话", "别的话"),
        ("", ""),
    ],
)
def test_forms(reason: str, english: str) -> None:
    assert in_english(reason) == english


def test_reasons_of_real_questions_all_have_a_form(shipped_index: Index) -> None:
    """Those to the unanswerable development questions, and to what is none, in the sample and by article number."""
    assistant = Assistant(shipped_index)
    questions = [q.text for q in load_questions([QUESTIONS]).questions if not q.answerable]
    questions += [
        "你好",
        "？？？",
        "履职评议办法第九十九条是什么",
        "履职评议办法第九条第九款是什么",
        "履职评议办法第九条第（九）项是什么",
    ]
    reasons = {answer.reason for answer in map(assistant.ask, questions) if answer.status == "not_found"}
    assert len(reasons) > 20
    assert not [reason for reason in reasons if HAN.search(outside_quotes(in_english(reason)))]
    assert {in_english(reason).split(" “")[0].split(" 《")[0] for reason in reasons} >= {
        "The gazette does not mention",
        "No definite answer was found in the gazettes. The nearest is in",
    }
