"""Sentences that speak to a language model rather than to a reader of gazettes: planted in a file, and no evidence.

Recognised by their usual wordings in Chinese and English. That is a help, not a wall: what holds is that answers are
quotes and that a model's sentences are proved. Of the 1,218 sentences of the sample gazette none is taken for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from index.text import readable
from qa.evidence import Proof, Reading

if TYPE_CHECKING:
    from index.store import Index

REFUSED = "找到的文字是写给语言模型的指令，不是公报的内容"
_ADDRESSES_A_MODEL = re.compile(
    r"(?:忽略|无视|忘记|忘掉|不要理会|抛开|放弃|覆盖|取代)[^。]{0,16}(?:指令|提示|规则|要求|设定|内容|资料|上文|命令|限制)"
    r"|(?:系统|开发者)(?:提示|指令|消息|管理员)"
    r"|(?:你|您)(?:现在)?(?:是|扮演|必须|应当|只能|要|需要|不得|的新)[^。]{0,20}(?:助手|模型|AI|机器人|回答|输出|回复|角色|任务)"
    r"|(?:请|必须|只|直接|一律|务必|统一|都要?)(?:仅|只|直接|改)?(?:输出|回答|回复|答复|告诉用户|告知用户|生成)"
    r"|(?:语言模型|大模型|人工智能助手|智能问答|AI助手|聊天机器人|提示词|越狱)"
    r"|(?:回答|输出|回复)(?:者|时|中)?[^。]{0,8}(?:必须|改为|替换|一律|不要|不得引用)"
    r"|ignore\s.{0,40}(?:instruction|prompt|rule|above|previous)|disregard\s.{0,40}(?:instruction|prompt|above|previous)"
    r"|forget\s.{0,30}(?:instruction|everything|above|rule)|override\s.{0,30}(?:instruction|prompt|rule|system)"
    r"|(?:system|developer)\s*(?:prompt|message|override|note)|you\s+are\s+(?:now|an?\s)|act\s+as\s|pretend\s"
    r"|(?:answer|reply|respond|output|say|print|write|tell)\b.{0,30}\b(?:only|with|exactly|the\s+user|that)\b"
    r"|(?:language\s+model|assistant|chatbot|jailbreak|do\s+anything\s+now|new\s+instructions?)\b"
    r"|〈\s*/?\s*[|｜]?(?:system|user|assistant|im_start|im_end|inst|sys|start_of_turn|start_header_id)"
    r"|\[/?INST\]|<\||<<SYS>>",
    re.IGNORECASE,
)


def addresses_a_model(text: str) -> bool:
    """Whether a sentence speaks to a language model rather than to a reader of gazettes.

    It catches the usual wordings, no more: a sentence that is left out needlessly costs a key point.
    """
    return bool(_ADDRESSES_A_MODEL.search(readable(text)))


def without_orders(reading: Reading, index: Index) -> Reading:
    """What was read, without proofs from paragraphs that speak to a model.

    Of a conflict the other side is left; where what is left does not carry the answer, it is an abstention.
    """
    kept = tuple(proof for proof in reading.proofs if not _is_order(proof, index))
    if len(kept) == len(reading.proofs):
        return reading
    if reading.status != "conflict" or not kept:
        return Reading(reason=REFUSED)
    if len(kept) > 1:
        return _of(reading, kept, index)
    return replace(_of(reading, kept, index), status="answered", made="span")


def _of(reading: Reading, proofs: tuple[Proof, ...], index: Index) -> Reading:
    """The reading with the words of these proofs alone."""

    def words(part: Callable[[Proof], tuple[int, int]]) -> list[str]:
        spans = ((index.source(proof.source_id).text, part(proof)) for proof in proofs)
        return [readable(text[start:end]) for text, (start, end) in spans]

    values = words(lambda proof: proof.answer or (proof.start, proof.end))
    quotes = words(lambda proof: (proof.start, proof.end))
    return replace(reading, answer="；".join(values), sentence=" ".join(quotes), proofs=proofs)


def _is_order(proof: Proof, index: Index) -> bool:
    text = index.source(proof.source_id).text
    paragraphs = index.documents[proof.document_id].paragraphs
    around = [
        text[p.start : p.end] for p in paragraphs if p.start < proof.end and proof.start < p.end and p.kind != "table"
    ]
    return any(map(addresses_a_model, around or [text[proof.start : proof.end]]))
