"""Sentences that speak to a language model rather than to a reader of gazettes: planted in a file, and no evidence.

Recognised by their usual wordings in Chinese and English. That is a help, not a wall: what holds is that answers are
quotes and that a model's sentences are proved. Of 508,223 sentences of laws and government reports it takes none for one.
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
# Official texts speak of large models, system administrators, 统一答复代表 and giving up claims: a word alone is no order.
_ADDRESSES_A_MODEL = re.compile(
    r"(?:忽略|无视|忘记|忘掉|不要理会|抛开)[^。]{0,6}(?:以上|上述|之前|此前|上面|前面|所有|全部|其他|一切)[^。]{0,8}"
    r"(?:指令|提示|规则|要求|设定|内容|资料|上文|命令|限制)"
    r"|(?:忽略|无视|忘记|忘掉|不要理会|抛开)[^。]{0,6}(?:指令|提示词|上文|前文|你)"
    r"|(?:系统|开发者)(?:提示|指令|消息)[:：]"
    r"|(?:你|您)(?:现在)?(?:是|扮演|必须|应当|只能|要|需要|不得|的新)[^。]{0,20}(?:助手|模型|AI|机器人|回答|输出|回复|角色|任务)"
    r"|(?:请|务必)(?:仅|只|直接)?(?:输出|回答)|(?:只|仅)(?:回答|输出|回复)|请告诉用户"
    r"|(?:回答|输出|回复)(?:时|中)?[^。]{0,8}(?:必须[写说引]|改为|替换为|一律)"
    r"|(?:AI|人工智能|模型|助手)\s*(?:请注意|阅读后|读后)|(?:仅|只)供(?:语言|大)?(?:模型|AI|助手|机器)"
    r"|不要引用|(?:不管|无论|凡|若有人|如果有人)[^。]{0,4}问(?!题)[^。]{0,14}(?:答|说)|一律答(?!复)|作为(?:一个)?(?:人工智能|AI|语言模型|助手)[,，]"
    r"|致(?:各)?(?:大模型|语言模型|人工智能|AI|助手)"
    r"|(?:助手|模型|机器人|AI)[^。]{0,4}(?:读到|看到|请注意)[^。]{0,14}(?:回答|回复|输出|答复)"
    r"|(?:ignore|disregard|forget|override)\s.{0,40}(?:instruction|prompt|rule|above|previous|everything)"
    r"|(?:system|developer)\s*(?:prompt|message|override)|new\s+instructions?:|you\s+are\s+now\s"
    r"|note\s+to\s+(?:the\s+)?(?:AI|assistant|model)|when\s+(?:you\s+are\s+)?asked|#+\s*(?:instruction|response|system)\b"
    r"|\b(?:human|assistant|user)\s*(?:to=\w+)?\s*:|act\s+as\s+an?\s"
    r"|(?:answer|reply|respond|output|say)\s+(?:only|exactly|nothing\s+but)|tell\s+the\s+user"
    r"|\[/?INST\]|<\||<<SYS>>|</?think>|<(?:start|end)_of_turn>|<｜|^\s*#*\s*system\s*$",
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
