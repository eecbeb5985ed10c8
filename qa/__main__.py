"""gazette-ask: one answer with its citations, or one record a line for a file of questions."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from index.records import GazetteError
from qa.options import add_model_options, model_or_none

if TYPE_CHECKING:
    from index.store import Index
    from qa.ask import Assistant, SummaryKind
    from qa.rank import Reranker
    from qa.records import Answer, Summary, Turn


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0; 1 where the work failed; 2 for wrong usage."""
    parser = _parser()
    args = parser.parse_args(arguments)
    if sum(what is not None for what in (args.question, args.batch, args.digest)) != 1:
        parser.error("请给出一个问题，或用 --batch 给出一个问题文件，或用 --digest 给出一份文件的标题（三者取一）")
    if args.show_prompt and args.question is None:
        parser.error("--show-prompt 需要一个问题")
    if args.batch and not args.json:
        parser.error("--batch 需要同时使用 --json")
    if args.k < 1:
        parser.error(f"-k 是 {args.k}，至少为 1")
    try:
        return _run(args)
    except GazetteError as error:
        print(f"gazette-ask: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read us has enough (| head). Python would complain once more while closing standard output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (OSError, ValueError) as error:
        print(f"gazette-ask: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gazette-ask",
        description="向公报提问，得到原文中的答案和出处。Ask gazettes; get the exact words with their citations.",
        epilog='例: gazette-ask "全市义务教育阶段学校有多少所？"   gazette-ask --batch questions.jsonl --json > answers.jsonl',
    )
    parser.add_argument("question", nargs="?", help="问题")
    parser.add_argument("--index", type=Path, metavar="DIR", help="索引文件夹；缺省为 data/ 的索引，首次使用时建立")
    parser.add_argument("--json", action="store_true", help="输出 JSON 记录（一行一个）")
    parser.add_argument("-k", type=int, default=10, metavar="N", help="列出的段落数（缺省 10）")
    parser.add_argument("--reranker", metavar="NAME_OR_DIR", help="用 sentence-transformers 交叉编码器重排最前的十段")
    parser.add_argument("--no-expand", action="store_true", help="不用“口语词—公文词”对照表扩展检索")
    parser.add_argument(
        "--batch",
        metavar="FILE",
        help='JSON Lines 问题文件，每行 {"id", "question"} 或 {"id", "turns": [{"question"}, ...]}；- 为标准输入',
    )
    parser.add_argument("--summary", action="store_true", help="附要点；有 --model 时由模型写，逐句核对")
    parser.add_argument("--digest", metavar="TITLE", help="不提问，列出一份文件的一句话、要点、数字、要求与期限")
    parser.add_argument("--show-prompt", action="store_true", help="只显示会发给模型的全文，不问模型")
    add_model_options(parser)
    return parser


def _run(args: argparse.Namespace) -> int:
    from index.store import open_index
    from qa.ask import Assistant

    folder = args.index
    if folder is None:
        from index.home import default_index

        folder = default_index()
    with open_index(folder) as index:
        if args.digest is not None:
            return _digest(args, index)
        assistant = Assistant(
            index,
            reranker=_reranker(args.reranker),
            model=None if args.show_prompt else model_or_none(args, "gazette-ask"),
            rewrite=args.rewrite,
            seconds=args.model_seconds,
            expand=not args.no_expand,
        )
        if args.question is not None:
            return _one(args, assistant)
        with _opened(args.batch) as lines:
            for record in _records(lines, args.batch):
                for answer in _answers(assistant, record, args.k, _summary_kind(args)):
                    print(json.dumps(answer.to_json(index.source_names), ensure_ascii=False), flush=True)
    return 0


def _one(args: argparse.Namespace, assistant: Assistant) -> int:
    """One question, as a record or as a person reads it; a model's sentences are shown as they are proved."""
    if args.json and not args.show_prompt:
        answer = assistant.ask(args.question, k=args.k, summary=_summary_kind(args))
        print(json.dumps(answer.to_json(assistant.index.source_names), ensure_ascii=False))
        return 0
    wanted: SummaryKind = "extract" if args.summary or args.model or args.show_prompt else "off"
    answer = assistant.ask(args.question, k=args.k, summary=wanted)
    if args.show_prompt:
        from qa.generate import CONTEXT, MOST_TOKENS, roughly
        from qa.prompt import prompt_of

        print(prompt_of(answer, roughly, CONTEXT - MOST_TOKENS).text if answer.citations else _shown(answer))
        return 0
    print(_shown(answer), flush=True)
    if answer.summary is None:
        return 0
    if assistant.model is None:
        print("\n".join(["", *_points(answer.summary)]))
        return 0
    from qa.summarise import Draft

    draft = Draft(answer, assistant.model, seconds=assistant.seconds)
    print(f"\n{assistant.model.name}：")
    for sentence in draft.write():
        if sentence.support != "unsupported":
            print(f"  {sentence.text}{_marks(sentence.citations)}", flush=True)
    if not draft.stands:
        print("\n".join(_points(draft.summary)))
    elif draft.note:
        print(f"（{draft.note}）")
    return 0


def _points(summary: Summary) -> list[str]:
    """The summary's sentences that stand, one a line, and what is to be said about it."""
    said = [s for s in summary.sentences if s.support != "unsupported"]
    note = [f"（{summary.note}）"] if summary.note else []
    return [*note, "要点：", *(f"  · {s.text.replace('**', '')}{_marks(s.citations)}" for s in said)]


def _marks(numbers: Sequence[int]) -> str:
    return "".join(f"[{n}]" for n in numbers)


def _digest(args: argparse.Namespace, index: Index) -> int:
    from qa.digest import digest, find_document, shown

    found = digest(find_document(args.digest, index), index)
    print(json.dumps(found.to_json(), ensure_ascii=False) if args.json else shown(found))
    return 0


def _summary_kind(args: argparse.Namespace) -> SummaryKind:
    return "model" if args.model else "extract" if args.summary else "off"


def _reranker(name: str | None) -> Reranker | None:
    if name is None:
        return None
    from qa.rank import load_reranker

    return load_reranker(name)


def _opened(name: str) -> TextIO:
    return sys.stdin if name == "-" else Path(name).open(encoding="utf-8-sig")


def _records(lines: TextIO, name: str) -> Iterator[dict[str, Any]]:
    """The questions of a batch file, in order.

    Raises:
        GazetteError: naming the line that is no question.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise GazetteError(f"{name} 第 {number} 行不是 JSON（{error.msg}）") from error
        turns = record.get("turns") if isinstance(record, dict) else None
        single = isinstance(record, dict) and isinstance(record.get("question"), str)
        several = isinstance(turns, list) and all(
            isinstance(t, dict) and isinstance(t.get("question"), str) for t in turns
        )
        if not single and not several:
            raise GazetteError(f'{name} 第 {number} 行既没有 "question" 也没有 "turns"')
        yield record


def _answers(assistant: Assistant, record: dict[str, Any], k: int, summary: SummaryKind) -> Iterator[Answer]:
    """The answer to a question, or those of a dialogue in turn with ids d01.1, d01.2, ..."""
    from qa.records import Turn

    name = str(record.get("id", ""))
    if not record.get("turns"):
        yield _answer(assistant, record["question"], (), k, name, summary)
        return
    past: list[Turn] = []
    for n, turn in enumerate(record["turns"], 1):
        answer = _answer(assistant, turn["question"], past, k, f"{name}.{n}", summary)
        past.append(Turn(turn["question"], answer))
        yield answer


def _answer(
    assistant: Assistant, question: str, turns: Sequence[Turn], k: int, name: str, summary: SummaryKind
) -> Answer:
    """The answer; to what cannot be asked, an abstention with the reason: one bad line must not end the batch."""
    from qa.records import Answer

    try:
        return assistant.ask(question, turns=turns, k=k, summary=summary, id=name)
    except ValueError as error:
        return Answer(question, question, "not_found", reason=str(error), id=name)


def _shown(answer: Answer) -> str:
    """The answer as a person reads it in a terminal."""
    if answer.status == "not_found":
        from qa.english import is_english

        head, nearest = (
            ("Not found in the gazettes. ", "The nearest passages:")
            if is_english(answer.question)
            else ("公报中没有找到。", "最接近的段落：")
        )
        near = [f"  · {hit.passage.document}" for hit in answer.passages[:3]]
        return "\n".join([head + answer.reason, *([nearest, *dict.fromkeys(near)] if near else [])])
    lines = [answer.answer, "", answer.sentence]
    if answer.resolved_question != answer.question:
        lines.insert(0, f"（{answer.resolved_question}）")
    if answer.status == "conflict":
        lines.insert(0, "公报中说法不一：")
    for citation in answer.citations:
        place = "，".join(filter(None, (*citation.headings, citation.article, f"第{citation.paragraph}段")))
        lines += ["", f"[{citation.n}] “{citation.quote}”", f"    {citation.reference}（{place}）"]
    lines += ["", f"把握 {answer.confidence:.0%}，用时 {answer.timings.total:.0f} 毫秒"]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
