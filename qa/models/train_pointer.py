"""Fit the pointer reader in steps, each a command; the last writes pointer.safetensors.

``python -m qa.models.train_pointer practice TEXT_FOLDER... --out build/practice.safetensors`` reads Markdown files
and learns from questions that qa.models.cloze makes of them.

``python -m qa.models.train_pointer questions DATA_FOLDER [MORE.jsonl...] --texts TEXTS --start build/practice.safetensors``
goes on with people's questions; TEXTS are the whole texts that MORE ask about. The shipped weights took five epochs so,
the last two with data/gazettes.jsonl.gz and before the windows of a question shared a softmax (see ``fit``), then two
with --most 3000, four with --most 1500 and four with --most 1500 --seed 2 and the questions over I01 to M10 as well, each
time --start from the last, at --rate 0.0007: four hours on two cores. They are the mean of those after the second and after
the last epoch with --most 1500: ``python -m qa.models.train_pointer average A.safetensors B.safetensors``.

DATA_FOLDER holds JSON lines of questions with the passage that answers and the answer in its
words (query, positive, answer): cmrc2018_train, drcd_dev_s and lay_questions; MORE are files of the same kind, where a
line with "answerable": false is a question that its passage does not answer. A question is read with the window of its
passage that holds the answer and with some that look like it and do not; where none does, the right pointer is "not here".
One passage in ten is held out, and the figures on stderr are of those.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, glu, normalize

from index.gazette import parse_gazette
from index.records import Source
from index.wordvectors import shipped_words
from qa.candidates import DocumentSentences, Sentence, context_sentences
from qa.models.cloze import clozes, stretches
from qa.pointer import (
    DILATIONS,
    FEATURES,
    FREQUENT,
    FUSED_AT,
    KINDS,
    LONGEST,
    QUESTION_TOKENS,
    WIDTH,
    Tokens,
    cut,
    match_features,
)
from qa.question import analyse
from qa.windows import windows_of

HERE = Path(__file__).parent
FILES = ("lay_questions", "cmrc2018_train", "drcd_dev_s")
TIMES = {"cmrc2018_train": 1, "drcd_dev_s": 1}  # an epoch sees each; others twice: the register of a gazette
SEED = 20210610
WORD, FINE = 96, 32
WINDOW = 260  # characters of a stretch that practice is about
NEAR = 8  # windows without the answer that a question is read with, those most like it
TOGETHER = {"practice": 2, "questions": 4}  # windows that a question is read with at once
BATCH = 48  # windows


@dataclass(frozen=True, slots=True)
class Example:
    question: Tokens
    kind: int
    passage: Tokens
    above: int  # its first tokens, which say what it stands under
    start: int  # of the answer, in tokens; -1 where the passage does not hold it
    end: int  # its last token
    source: str
    group: int  # examples of one question


def read_rows(path: Path, texts: Mapping[str, Path]) -> list[dict[str, Any]]:
    """The questions of a file that can be learned from, each with the passage, or the whole text, that it is about."""
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    whole = {n: texts[n].read_text("utf-8") for r in rows if (n := r.get("document", "")) in texts}
    for row in rows:
        row["query"] = row.get("query") or row["question"]
        row["answer"] = row["answer"] if "answer" in row else next(iter(row["answers"]), "")
        if row.get("document") in whole:
            row["positive"], row["whole"] = whole[row["document"]], True
    return [
        r
        for r in rows
        if r.get("answerable") is False
        or (r["answer"] and r.get("type") != "yesno" and bare(r["answer"]) in bare(r["positive"]))
    ]


def held_out(passage: str) -> bool:
    return int(hashlib.sha256(passage.encode()).hexdigest(), 16) % 10 == 0


@dataclass(frozen=True, slots=True)
class Piece:
    """A window as the model reads it, and in letters alone, as answers are looked for."""

    passage: Tokens
    above: int
    text: str
    bare: str

    @staticmethod
    def of(above: str, text: str) -> Piece:
        head, body = cut(above), cut(text)
        return Piece(body.after(head), len(head.ids), text, bare(text))

    def tokens_of(self, answer: str) -> tuple[int, int] | None:
        """First and last token of the answer where it first stands; None where it does not or is too long."""
        at = self.bare.find(bare(answer))
        if at < 0:
            return None
        places = [i for i, char in enumerate(self.text) if not char.isspace()]
        start, end = places[at], places[at + len(bare(answer)) - 1] + 1
        covered = [i for i, (a, b) in enumerate(self.passage.spans) if i >= self.above and a < end and b > start]
        return (covered[0], covered[-1]) if covered and covered[-1] - covered[0] < LONGEST else None


def bare(text: str) -> str:
    return "".join(text.split())


def sentences_of(row: dict[str, Any]) -> list[Sentence]:
    """The sentences of a question's passage; a whole text is read with its structure."""
    if "whole" not in row:
        return context_sentences(row["positive"], row.get("title") or "")
    text = row["positive"]
    source = Source("0" * 16, "training.md", text, "0" * 64)
    made = (DocumentSentences(d, text) for d in parse_gazette(source).documents)
    return [s for d in made for i in range(len(d.document.paragraphs)) for s in d.paragraph(i)]


def examples(rows: Sequence[dict[str, Any]], source: str, first_group: int) -> Iterator[Example]:
    """Each question with the window that answers it and with windows that look like it and do not."""
    parts: dict[str, list[Piece]] = {}
    for row in rows:
        if row["positive"] not in parts:
            parts[row["positive"]] = [Piece.of(w.above, w.text) for w in windows_of(sentences_of(row))]
    everything = [(p, piece) for p, pieces in parts.items() for piece in pieces]
    firsts = {p: next(i for i, (q, _) in enumerate(everything) if q == p) for p, pieces in parts.items() if pieces}
    shape = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    matrix = shape.fit_transform([piece.bare for _, piece in everything]).T.tocsr()
    queries = shape.transform([r["query"] for r in rows])
    for n, row in enumerate(rows):
        if row["positive"] not in firsts:
            continue
        first, own = firsts[row["positive"]], parts[row["positive"]]
        question, kind = cut(row["query"])[:QUESTION_TOKENS], KINDS[analyse(row["query"]).kind]
        likeness = (queries[n] @ matrix).toarray()[0]
        made = partial(Example, question, kind, source=source, group=first_group + n)
        if row.get("answerable") is False:
            order = np.argsort(-likeness[first : first + len(own)], kind="stable")[:NEAR]
            yield from (made(own[i].passage, own[i].above, -1, -1) for i in order)
            continue
        proof = [bare(e) for e in row.get("evidence") or ()]
        holders = [
            (sum(e[:40] in piece.bare for e in proof), likeness[first + i], place, piece)
            for i, piece in enumerate(own)
            if (place := piece.tokens_of(row["answer"]))
        ]
        if not holders:
            continue
        *_, place, holder = max(holders, key=lambda h: h[:2])
        yield made(holder.passage, holder.above, *place)
        # Windows of the same text first: what an index of that text would bring up as well.
        home = np.zeros(len(everything), dtype=bool)
        home[first : first + len(own)] = "whole" in row
        order = np.lexsort((-likeness, ~home))[: 3 * NEAR]
        others = [i for i in order if bare(row["answer"]) not in everything[i][1].bare]
        yield from (made(everything[i][1].passage, everything[i][1].above, -1, -1) for i in others[:NEAR])


def practice(folders: Sequence[Path]) -> Iterator[Example]:
    """Practice questions with their stretch of text, and with that stretch less the sentence that answers."""
    rng = random.Random(SEED)  # noqa: S311 - a sample
    group = 0
    for path in sorted(p for folder in folders for p in folder.rglob("*.md")):
        source = ("held " if held_out(path.name) else "") + "practice"
        title = cut(re.split(r"[_(]", path.stem)[-2 if path.stem.endswith(")") else -1][-24:])
        for stretch in stretches([path.read_text(encoding="utf-8")], rng, WINDOW):
            for made in clozes(stretch, rng):
                passage = cut(made.text).after(title)
                above = len(title.ids)
                covered = [
                    i for i, (a, b) in enumerate(passage.spans) if i >= above and a < made.end and b > made.start
                ]
                if not covered or covered[-1] - covered[0] >= LONGEST:
                    continue
                group += 1
                question, kind = cut(made.question)[:QUESTION_TOKENS], KINDS[analyse(made.question).kind]
                yield Example(question, kind, passage, above, covered[0], covered[-1], source, group)
                if len(made.without.strip()) > 20:
                    without = cut(made.without).after(title)
                    yield Example(question, kind, without, above, -1, -1, source, group)


class Pointer(nn.Module):
    """Dilated convolutions over the passage, one attention to the question; start, end and "not here" scores.

    After DrQA (Chen et al., ACL 2017: aligned question embedding, match features), QANet (Yu et al., ICLR 2018:
    convolutions for recurrence) and the no-answer score of SQuAD 2.0 readers (Clark & Gardner, ACL 2018).
    """

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.words = nn.Parameter(table, requires_grad=False)
        self.fine = nn.Embedding(FREQUENT, FINE)
        self.kind = nn.Embedding(len(KINDS), 16)
        self.question_in = nn.Linear(WORD + FINE + 16, WIDTH)
        self.question_conv = nn.Conv1d(WIDTH, 2 * WIDTH, 3, padding=1)
        self.question_pool = nn.Linear(WIDTH, 1)
        self.passage_in = nn.Linear(2 * WORD + FINE + FEATURES + 16, WIDTH)
        self.scale, self.shift = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fuse = nn.Linear(4 * WIDTH, WIDTH)
        self.convs = nn.ModuleList(nn.Conv1d(WIDTH, 2 * WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(len(DILATIONS) + 1))
        self.out = nn.Linear(WIDTH, 2)
        self.out_question = nn.Linear(WIDTH, 2 * WIDTH)
        self.cover = nn.Linear(4 * WIDTH, WIDTH)
        self.shift_covered = nn.Linear(WIDTH, WIDTH)
        self.none = nn.Linear(4 * WIDTH, 1)
        self.drop = nn.Dropout(0.25)

    def forward(self, q: Tensor, q_mask: Tensor, kind: Tensor, p: Tensor, p_mask: Tensor, feats: Tensor) -> Tensor:
        """(batch, 2, 1 + length): start and end logits, "not here" first."""

        def embed(ids: Tensor) -> Tensor:
            return torch.cat([self.words[ids], self.fine(ids.clamp(max=FREQUENT - 1))], -1)

        k = self.kind(kind)
        eq, ep = self.drop(embed(q)), self.drop(embed(p))
        hq = self.question_in(torch.cat([eq, k[:, None].expand(-1, q.shape[1], -1)], -1)).relu()
        hq = hq + glu(self.question_conv((hq * q_mask[..., None]).transpose(1, 2)), 1).transpose(1, 2)
        weight = self.question_pool(hq)[..., 0].masked_fill(~q_mask, -1e4).softmax(-1)
        pooled = (weight[:, None] @ hq)[:, 0]
        # Aligned question embedding: cosines of word vectors, sharpened.
        wq, wp = normalize(self.words[q], dim=-1), normalize(self.words[p], dim=-1)
        aligned = (8 * wp @ wq.transpose(1, 2)).masked_fill(~q_mask[:, None], -1e4).softmax(-1) @ self.words[q]
        h = self.passage_in(torch.cat([ep, aligned, feats, k[:, None].expand(-1, p.shape[1], -1)], -1)).relu()
        h = self.drop(h) * (1 + self.scale(pooled)[:, None]) + self.shift(pooled)[:, None]
        for i, conv in enumerate(self.convs):
            if i == FUSED_AT:
                met = h @ hq.transpose(1, 2) / WIDTH**0.5
                att = met.masked_fill(~q_mask[:, None], -1e4).softmax(-1) @ hq
                found = met.masked_fill(~p_mask[..., None], -1e4).softmax(1).transpose(1, 2) @ h
                beside = self.cover(torch.cat([hq, found, hq * found, (hq - found).abs()], -1)).relu()
                covered = (weight[:, None] @ beside)[:, 0]
                h = h + self.fuse(torch.cat([h, att, h * att, h * pooled[:, None]], -1)).relu()
                h = h + self.shift_covered(covered)[:, None]
            x = self.norms[i](h) * p_mask[..., None]
            h = h + self.drop(glu(conv(x.transpose(1, 2)), 1).transpose(1, 2))
        h = self.norms[-1](h)
        tilt = self.out_question(self.drop(pooled)).view(-1, 2, WIDTH)
        logits = self.out(h).transpose(1, 2) + tilt @ h.transpose(1, 2) / WIDTH**0.5
        logits = logits.masked_fill(~(p_mask & (feats[..., -1] == 0))[:, None], -30.0)
        best = h.masked_fill(~p_mask[..., None], -1e4).amax(1)
        none = self.none(torch.cat([best, pooled, best * pooled, covered], -1))
        return torch.cat([none[:, None].expand(-1, 2, -1), logits], -1)


def batch(rows: Sequence[Example]) -> list[Tensor]:
    n, nq, np_ = len(rows), max(len(r.question.ids) for r in rows), max(len(r.passage.ids) for r in rows)
    q, p = np.zeros((n, nq), np.int64), np.zeros((n, np_), np.int64)
    qm, pm = np.zeros((n, nq), bool), np.zeros((n, np_), bool)
    feats = np.zeros((n, np_, FEATURES), np.float32)
    for i, r in enumerate(rows):
        q[i, : len(r.question.ids)], qm[i, : len(r.question.ids)] = r.question.ids, True
        p[i, : len(r.passage.ids)], pm[i, : len(r.passage.ids)] = r.passage.ids, True
        feats[i, : len(r.passage.ids)] = match_features(r.question, r.passage, r.above)
    kind = np.array([r.kind for r in rows])
    return [torch.from_numpy(x) for x in (q, qm, kind, p, pm, feats)]


def relative(model: Pointer, rows: Sequence[Example]) -> Tensor:
    """(rows, 2, length) start and end logits above those of "not here"; out of reach where nothing may be pointed at."""
    made = batch(rows)
    logits = model(*made).float()
    allowed = made[4] & (made[5][..., -1] == 0)
    above: Tensor = logits[..., 1:] - logits[..., :1]
    return above.masked_fill(~allowed[:, None], -30.0)


def measure(model: Pointer, groups: Sequence[Sequence[Example]]) -> dict[str, float]:
    """Exact match and F1 of the best span of all windows of a question, and how well its score tells the questions
    with an answer from those without (AUC; absent where all have one)."""
    model.eval()
    exact, f1, score, here = [], [], [], []
    with torch.no_grad():
        for group in groups:
            best = (-np.inf, group[0], 0, 0)
            for row, (s, e) in zip(group, relative(model, group).numpy(), strict=True):
                total = s[:, None] + e[None, :]
                total[np.tril(np.ones_like(total, bool), -1) | np.triu(np.ones_like(total, bool), LONGEST)] = -1e9
                a, b = divmod(int(total.argmax()), total.shape[1])
                best = max(best, (float(total[a, b]), row, a, b), key=lambda x: x[0])
            score.append(best[0])
            here.append(group[0].start >= 0)
            if here[-1]:
                _, row, a, b = best
                common = max(0, min(b, row.end) - max(a, row.start) + 1) if row.start >= 0 else 0
                exact.append((a, b) == (row.start, row.end))
                f1.append(2 * common / (b - a + 1 + row.end - row.start + 1) if common else 0.0)
    made = {"exact": float(np.mean(exact)), "f1": float(np.mean(f1))}
    return made if all(here) else made | {"auc": float(roc_auc_score(here, score))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    cloze = commands.add_parser("practice")
    cloze.add_argument("folders", type=Path, nargs="+")
    cloze.add_argument("--out", type=Path, required=True)
    cloze.add_argument("--epochs", type=int, default=1)
    asked = commands.add_parser("questions")
    asked.add_argument("data", type=Path)
    asked.add_argument("more", type=Path, nargs="*")
    asked.add_argument("--start", type=Path)
    asked.add_argument("--texts", type=Path, help="folder of the whole texts that MORE ask about")
    asked.add_argument("--most", type=int, help="questions of each encyclopaedia file")
    asked.add_argument("--epochs", type=int, default=4)
    asked.add_argument("--rate", type=float, default=1e-3, help="highest learning rate")
    averaged = commands.add_parser("average")
    averaged.add_argument("weights", type=Path, nargs="+")
    averaged.add_argument("--out", type=Path, default=HERE / "pointer.safetensors")
    for command in (cloze, asked):
        command.add_argument("--seed", type=int, default=SEED, help="another for each step: which windows are drawn")
    asked.add_argument("--out", type=Path, default=HERE / "pointer.safetensors")
    args = parser.parse_args()
    if args.command == "average":
        save(average([restored(path) for path in args.weights]), args.out)
        return 0
    torch.manual_seed(args.seed)
    model = Pointer(word_table())
    if args.command == "practice":
        fit(model, list(practice(args.folders)), TOGETHER["practice"], args.epochs, 2e-3, args.seed)
        save_file(model.state_dict(), args.out)
        return 0
    if args.start:
        model.load_state_dict(restored(args.start))
    texts = {path.name: path for path in args.texts.rglob("*.md")} if args.texts else {}
    made = list(questions(args.data, args.more, args.most, texts))
    fit(model, made, TOGETHER["questions"], args.epochs, args.rate, args.seed)
    save(model.state_dict(), args.out)
    return 0


def word_table() -> Tensor:
    """(words, WORD): the shipped word vectors along their first axes; rows of words without one are zero."""
    words = shipped_words()
    vectors = words.vectors(np.arange(len(words))) * (words.weights > 0)[:, None]
    _, _, axes = np.linalg.svd(vectors.T @ vectors)
    return torch.from_numpy(vectors @ axes[:WORD].T)


def questions(data: Path, more: Sequence[Path], most: int | None, texts: Mapping[str, Path]) -> Iterator[Example]:
    """The examples of every file, of encyclopaedias (``TIMES``) those of at most ``most`` questions each."""
    first = 0
    for path in [*(data / f"{name}.jsonl.gz" for name in FILES), *more]:
        source = path.name.split(".")[0]
        read = read_rows(path, texts)
        if source in TIMES:
            read = read[:: max(1, len(read) // most)] if most else read
        for out in (False, True):
            part = [r for r in read if held_out(r["positive"]) == out]
            for _ in range(1 if out else TIMES.get(source, 2)):
                yield from examples(part, ("held " if out else "") + source, first)
                first += len(part)
        sys.stderr.write(f"{path.name}: {len(read)} questions\n")


def fit(model: Pointer, made: Sequence[Example], together: int, epochs: int, rate: float, seed: int) -> None:
    """Adjust the weights to all examples but those held out, on which each epoch is measured.

    The windows of a question share one softmax with one "not here" (Clark & Gardner, ACL 2018): scores of different
    windows are compared when it is asked of an index.
    """
    rng = np.random.default_rng(seed)
    gathered: dict[int, list[Example]] = {}
    for e in made:
        gathered.setdefault(e.group, []).append(e)
    held = [g for g in gathered.values() if g[0].source.startswith("held")]
    train = [g for g in gathered.values() if not g[0].source.startswith("held") and (g[0].start < 0 or len(g) > 1)]
    size = BATCH // together
    steps, step, began = epochs * len(train) // size, 0, time.time()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 2, pct_start=0.1)
    for epoch in range(epochs):
        model.train()
        chosen = [_some(group, together, rng) for group in train]
        noise = rng.random(len(chosen)) * 40
        order = np.argsort(noise + [max(len(e.passage.ids) for e in group) for group in chosen])
        batches = [order[at : at + size] for at in range(0, len(order), size)]
        losses = []
        for b in rng.permutation(len(batches)):
            if step >= steps:
                break
            rows = [e for i in batches[b] for e in chosen[i]]
            with torch.autocast("cpu", dtype=torch.bfloat16):  # 1.5 times as fast on a processor that has it
                scores = relative(model, rows)
            n, _, length = scores.shape
            scores = scores.view(n // together, together, 2, length).transpose(1, 2).flatten(2)
            scores = torch.cat([torch.zeros_like(scores[..., :1]), scores], -1)  # "not here" first
            gold = torch.tensor([[chosen[i][0].start + 1, chosen[i][0].end + 1] for i in batches[b]])
            loss = cross_entropy(scores.transpose(1, 2), gold)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 2.0)
            optimiser.step()
            schedule.step()
            step += 1
            losses.append(loss.item())
            if step % 100 == 0:
                sys.stderr.write(
                    f"step {step} of {steps}: loss {np.mean(losses[-100:]):.3f}, {time.time() - began:.0f} s\n"
                )
        line = f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, {time.time() - began:.0f} s"
        for source in dict.fromkeys(g[0].source for g in held):
            part = [g for g in held if g[0].source == source]
            line += f"; {source} ({len(part)}) " + " ".join(f"{k} {v:.3f}" for k, v in measure(model, part).items())
        sys.stderr.write(line + "\n")


def _some(group: Sequence[Example], n: int, rng: np.random.Generator) -> list[Example]:
    """``n`` of a question's windows, the one that answers first; some twice where there are fewer."""
    rest = group[1:] if group[0].start >= 0 else group
    wanted = n - (group[0].start >= 0)
    drawn = [rest[i] for i in rng.choice(len(rest), wanted, replace=len(rest) < wanted)]
    return [group[0], *drawn] if group[0].start >= 0 else drawn


def restored(path: Path) -> dict[str, Tensor]:
    """The weights of a file, also of one that ``save`` made small."""
    state = load_file(path)
    if (scale := state.pop("words.scale", None)) is not None:
        state["words"] = state["words"].float() * scale.float()[:, None]
    return {name: value.float() for name, value in state.items()}


def average(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of several steps of one training, surer than the last (Izmailov et al., UAI 2018)."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


def save(weights: Mapping[str, Tensor], path: Path) -> None:
    """Half precision, the word table as bytes with a scale for each row."""
    state = {name: value.half().contiguous() for name, value in weights.items() if name != "words"}
    table = weights["words"]
    scale = table.abs().amax(1).clamp(min=1e-6) / 127
    state |= {"words": (table / scale[:, None]).round().to(torch.int8), "words.scale": scale.half()}
    save_file(state, path)


if __name__ == "__main__":
    sys.exit(main())
