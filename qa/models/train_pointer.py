"""Fit the pointer reader in steps, each a command; the last writes pointer.safetensors.

``python -m qa.models.train_pointer practice TEXT_FOLDER... --out build/practice.safetensors`` reads Markdown files
and learns from questions that qa.models.cloze makes of them.

``python -m qa.models.train_pointer questions DATA_FOLDER [MORE.jsonl...] --start build/practice.safetensors`` goes on
with people's questions; the shipped weights went on once more from there, with --most 4000 --epochs 2, when the last
of the questions in data/near_misses.jsonl.gz were written. DATA_FOLDER holds JSON lines of questions with the passage that answers and the answer in its
words (query, positive, answer): cmrc2018_train, drcd_dev_s and lay_questions; MORE are files of the same kind, where a
line with "answerable": false is a question that its passage does not answer. A question is read with the window of its
passage that holds the answer, and with a window that looks like it and does not: then the right pointer is "not here".
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, glu, normalize

from index.wordvectors import shipped_words
from qa.models.cloze import clozes, stretches
from qa.pointer import DILATIONS, FREQUENT, KINDS, LONGEST, QUESTION_TOKENS, Tokens, cut, match_features
from qa.question import analyse

HERE = Path(__file__).parent
FILES = ("lay_questions", "cmrc2018_train", "drcd_dev_s")
TIMES = {"cmrc2018_train": 1, "drcd_dev_s": 1}  # an epoch sees each; others twice: the register of a gazette
SEED = 20210610
WIDTH, WORD, FINE = 96, 96, 32
WINDOW = 260  # characters
BATCH = 48


@dataclass(frozen=True, slots=True)
class Example:
    question: Tokens
    kind: int
    passage: Tokens
    start: int  # of the answer, in tokens; -1 where the passage does not hold it
    end: int  # its last token
    answer: str
    source: str
    group: int  # examples of one question


def read_rows(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    lines = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line]
    return [r for r in rows if r.get("answerable") is False or (r.get("answer") and r["answer"] in r["positive"])]


def held_out(passage: str) -> bool:
    return int(hashlib.sha256(passage.encode()).hexdigest(), 16) % 10 == 0


def windows(text: str) -> list[str]:
    """The text in stretches of whole sentences, at most about ``WINDOW`` characters each."""
    out, now = [], ""
    for sentence in re.findall(r"[^。！？；\n]*[。！？；\n]|[^。！？；\n]+$", text):
        if now and len(now) + len(sentence) > WINDOW:
            out.append(now)
            now = ""
        now += sentence
    return [*out, now] if now.strip() else out


def examples(rows: Sequence[dict[str, Any]], source: str, first_group: int) -> Iterator[Example]:
    parts = {p: windows(p) for p in dict.fromkeys(r["positive"] for r in rows)}
    everything = [(p, w) for p, ws in parts.items() for w in ws]
    shape = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    matrix = shape.fit_transform([w for _, w in everything]).T.tocsr()
    made = {w: cut(w) for w in dict.fromkeys(w for _, w in everything)}
    place = {w: i for i, (_, w) in enumerate(everything)}
    queries = shape.transform([r["query"] for r in rows])
    for n, row in enumerate(rows):
        answer = row["answer"]
        if row.get("answerable") is False:
            question, kind = cut(row["query"])[:QUESTION_TOKENS], KINDS[analyse(row["query"]).kind]
            for window in parts[row["positive"]]:
                yield Example(question, kind, made[window], -1, -1, "", source, first_group + n)
            continue
        holders = [w for w in parts[row["positive"]] if answer in w]
        if not holders:
            continue
        likeness = (queries[n] @ matrix).toarray()[0]
        order = np.argsort(-likeness, kind="stable")[:12]
        holder = max(holders, key=lambda w: likeness[place[w]])
        question, kind = cut(row["query"])[:QUESTION_TOKENS], KINDS[analyse(row["query"]).kind]
        passage = made[holder]
        begin = holder.index(answer)
        covered = [i for i, (a, b) in enumerate(passage.spans) if a < begin + len(answer) and b > begin]
        if covered and covered[-1] - covered[0] < LONGEST:
            yield Example(question, kind, passage, covered[0], covered[-1], answer, source, first_group + n)
        for i in [i for i in order if answer not in everything[i][1]][:2]:
            yield Example(question, kind, made[everything[i][1]], -1, -1, answer, source, first_group + n)


def practice(folders: Sequence[Path]) -> Iterator[Example]:
    """Practice questions with their stretch of text, and with that stretch less the sentence that answers."""
    rng = random.Random(SEED)  # noqa: S311 - a sample
    group = 0
    for path in sorted(p for folder in folders for p in folder.rglob("*.md")):
        source = ("held " if held_out(path.name) else "") + "practice"
        for stretch in stretches([path.read_text(encoding="utf-8")], rng, WINDOW):
            for made in clozes(stretch, rng):
                passage = cut(made.text)
                covered = [i for i, (a, b) in enumerate(passage.spans) if a < made.end and b > made.start]
                if not covered or covered[-1] - covered[0] >= LONGEST:
                    continue
                group += 1
                question, kind = cut(made.question)[:QUESTION_TOKENS], KINDS[analyse(made.question).kind]
                answer = made.text[made.start : made.end]
                yield Example(question, kind, passage, covered[0], covered[-1], answer, source, group)
                if len(made.without.strip()) > 20:
                    yield Example(question, kind, cut(made.without), -1, -1, answer, source, group)


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
        self.passage_in = nn.Linear(2 * WORD + FINE + 8 + 16, WIDTH)
        self.scale, self.shift = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fuse = nn.Linear(4 * WIDTH, WIDTH)
        self.convs = nn.ModuleList(nn.Conv1d(WIDTH, 2 * WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(len(DILATIONS) + 1))
        self.out = nn.Linear(WIDTH, 2)
        self.out_question = nn.Linear(WIDTH, 2 * WIDTH)
        self.none = nn.Linear(3 * WIDTH, 1)
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
            if i == 3:
                att = (h @ hq.transpose(1, 2) / WIDTH**0.5).masked_fill(~q_mask[:, None], -1e4).softmax(-1) @ hq
                h = h + self.fuse(torch.cat([h, att, h * att, h * pooled[:, None]], -1)).relu()
            x = self.norms[i](h) * p_mask[..., None]
            h = h + self.drop(glu(conv(x.transpose(1, 2)), 1).transpose(1, 2))
        h = self.norms[-1](h)
        tilt = self.out_question(self.drop(pooled)).view(-1, 2, WIDTH)
        logits = self.out(h).transpose(1, 2) + tilt @ h.transpose(1, 2) / WIDTH**0.5
        logits = logits.masked_fill(~p_mask[:, None], -1e4)
        best = h.masked_fill(~p_mask[..., None], -1e4).amax(1)
        none = self.none(torch.cat([best, pooled, best * pooled], -1))
        return torch.cat([none[:, None].expand(-1, 2, -1), logits], -1)


def batch(rows: Sequence[Example]) -> list[Tensor]:
    n, nq, np_ = len(rows), max(len(r.question.ids) for r in rows), max(len(r.passage.ids) for r in rows)
    q, p = np.zeros((n, nq), np.int64), np.zeros((n, np_), np.int64)
    qm, pm = np.zeros((n, nq), bool), np.zeros((n, np_), bool)
    feats = np.zeros((n, np_, 8), np.float32)
    for i, r in enumerate(rows):
        q[i, : len(r.question.ids)], qm[i, : len(r.question.ids)] = r.question.ids, True
        p[i, : len(r.passage.ids)], pm[i, : len(r.passage.ids)] = r.passage.ids, True
        feats[i, : len(r.passage.ids)] = match_features(r.question, r.passage)
    kind = np.array([r.kind for r in rows])
    return [torch.from_numpy(x) for x in (q, qm, kind, p, pm, feats)]


def measure(model: Pointer, rows: Sequence[Example]) -> dict[str, float]:
    """Exact match and F1 of spans where the answer is there, and how well "not here" tells the two apart (AUC)."""
    model.eval()
    exact, f1, score, here = [], [], [], []
    with torch.no_grad():
        for at in range(0, len(rows), 128):
            part = rows[at : at + 128]
            logits = model(*batch(part)).numpy()
            for r, (s, e) in zip(part, logits, strict=True):
                total = s[1:, None] + e[None, 1:]
                total[~np.triu(np.ones_like(total, bool)) | np.tril(np.ones_like(total, bool), -1)] = -1e9
                total[np.triu(np.ones_like(total, bool), LONGEST)] = -1e9
                a, b = np.unravel_index(total.argmax(), total.shape)
                score.append(total[a, b] - s[0] - e[0])
                here.append(r.start >= 0)
                if r.start >= 0:
                    common = min(b, r.end) - max(a, r.start) + 1
                    exact.append(a == r.start and b == r.end)
                    f1.append(max(0.0, 2 * common / (b - a + 1 + r.end - r.start + 1)))
    order = np.argsort(score)
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    yes = np.array(here)
    auc = (ranks[yes].sum() - yes.sum() * (yes.sum() + 1) / 2) / max(yes.sum() * (~yes).sum(), 1)
    return {"exact": float(np.mean(exact)), "f1": float(np.mean(f1)), "auc": float(auc)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    made = commands.add_parser("practice")
    made.add_argument("folders", type=Path, nargs="+")
    made.add_argument("--out", type=Path, required=True)
    made.add_argument("--epochs", type=int, default=1)
    asked = commands.add_parser("questions")
    asked.add_argument("data", type=Path)
    asked.add_argument("more", type=Path, nargs="*")
    asked.add_argument("--start", type=Path)
    asked.add_argument("--most", type=int, help="questions of each encyclopaedia file")
    asked.add_argument("--epochs", type=int, default=4)
    asked.add_argument("--out", type=Path, default=HERE / "pointer.safetensors")
    args = parser.parse_args()
    torch.manual_seed(SEED)
    model = Pointer(word_table())
    if args.command == "practice":
        fit(model, list(practice(args.folders)), args.epochs, 2e-3)
        save_file(model.state_dict(), args.out)
        return 0
    if args.start:
        model.load_state_dict(restored(args.start))
    fit(model, list(questions(args.data, args.more, args.most)), args.epochs, 1e-3 if args.start else 2e-3)
    save(model, args.out)
    return 0


def word_table() -> Tensor:
    """(words, WORD): the shipped word vectors along their first axes; rows of words without one are zero."""
    words = shipped_words()
    vectors = words.vectors(np.arange(len(words))) * (words.weights > 0)[:, None]
    _, _, axes = np.linalg.svd(vectors.T @ vectors)
    return torch.from_numpy(vectors @ axes[:WORD].T)


def questions(data: Path, more: Sequence[Path], most: int | None) -> Iterator[Example]:
    """The examples of every file, of encyclopaedias (``TIMES``) those of at most ``most`` questions each."""
    first = 0
    for path in [*(data / f"{name}.jsonl.gz" for name in FILES), *more]:
        source = path.name.split(".")[0]
        read = read_rows(path)
        if source in TIMES:
            read = read[:: max(1, len(read) // most)] if most else read
        for out in (False, True):
            part = [r for r in read if held_out(r["positive"]) == out]
            for _ in range(1 if out else TIMES.get(source, 2)):
                yield from examples(part, ("held " if out else "") + source, first)
                first += len(part)
        sys.stderr.write(f"{path.name}: {len(read)} questions\n")


def fit(model: Pointer, made: Sequence[Example], epochs: int, rate: float) -> None:
    """Adjust the weights to all examples but those held out, on which each epoch is measured."""
    rng = np.random.default_rng(SEED)
    train = [e for e in made if not e.source.startswith("held")]
    held = [e for e in made if e.source.startswith("held")]
    groups: dict[int, list[int]] = {}
    for i, e in enumerate(train):
        groups.setdefault(e.group, []).append(i)
    steps, step, began = epochs * sum(1 + (len(g) > 1) for g in groups.values()) // BATCH, 0, time.time()
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 2, pct_start=0.1)
    for epoch in range(epochs):
        model.train()
        # Each question once with its answer, once with one of the windows that only look like it.
        chosen = [
            i for g in groups.values() for i in (g[0], g[1 + int(rng.integers(len(g) - 1))] if len(g) > 1 else -1)
        ]
        chosen = [i for i in chosen if i >= 0]
        noise = rng.random(len(chosen)) * 40
        order = [chosen[i] for i in np.argsort(noise + [len(train[i].passage.ids) for i in chosen])]
        batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        losses = []
        for b in rng.permutation(len(batches)):
            if step >= steps:
                break
            rows = [train[i] for i in batches[b]]
            with torch.autocast("cpu", dtype=torch.bfloat16):  # 1.5 times as fast on a processor that has it
                logits = model(*batch(rows)).float()
            gold = torch.tensor([[r.start + 1, r.end + 1] for r in rows])
            loss = cross_entropy(logits.transpose(1, 2), gold, label_smoothing=0.02)
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
        for source in dict.fromkeys(e.source for e in held):
            part = [e for e in held if e.source == source]
            line += f"; {source} ({len(part)}) " + " ".join(f"{k} {v:.3f}" for k, v in measure(model, part).items())
        sys.stderr.write(line + "\n")


def restored(path: Path) -> dict[str, Tensor]:
    """The weights of a file, also of one that ``save`` made small."""
    state = load_file(path)
    if (scale := state.pop("words.scale", None)) is not None:
        state["words"] = state["words"].float() * scale.float()[:, None]
    return {name: value.float() for name, value in state.items()}


def save(model: Pointer, path: Path) -> None:
    """Half precision, the word table as bytes with a scale for each row."""
    state = {name: value.half().contiguous() for name, value in model.state_dict().items() if name != "words"}
    table = model.words.detach()
    scale = table.abs().amax(1).clamp(min=1e-6) / 127
    state |= {"words": (table / scale[:, None]).round().to(torch.int8), "words.scale": scale.half()}
    save_file(state, path)


if __name__ == "__main__":
    sys.exit(main())
