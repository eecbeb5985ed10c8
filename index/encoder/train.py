"""Train the shipped encoder: ``python -m index.encoder.train DATA [--out FOLDER] [--work FOLDER] [--seed 7]``.

DATA holds laws.tar.xz, gov_reports.tar.xz, lay_official.tsv and the pair files named in corpus.py. Five stages, each
kept in the work folder and not done again: count words, cut them into a tokenizer, skip-gram vectors, the sentence
encoder (model.safetensors), the word vectors (words.safetensors). Needs the extra ``train``. The README beside this
file says what came out.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from torch.nn import functional

from index.encoder.corpus import Pairs, documents, everyday, is_held_out, pairs, sentences_and_rest

WORDS = 34_000  # the most frequent words of two characters and more; single characters come on top
MOST = 39_648  # tokens in all: x 128 x 4 bytes are 20.3 MB
WORD_DIMENSIONS = 200
DIMENSIONS = 128
NEIGHBOURS = 8
PASSAGE_WORDS = 128  # different words of a passage that word matching is trained on
_SPEAKS = re.compile(r"[\u4e00-\u9fffa-z0-9]")
_HAN_OR_LATIN = re.compile(r"[\u4e00-\u9fff]+|[a-z]+")

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


def count_words(data: Path) -> tuple[Counter[str], Counter[str]]:
    """(words, characters) with their counts, folded as the tokenizer folds; words are those of jieba's dictionary."""
    import unicodedata

    import jieba

    words: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    asked = [row["query"] for row in everyday(data) if not is_held_out(row["positive"])]
    for text in (*documents(data), (data / "lay_official.tsv").read_text(encoding="utf-8"), "\n".join(asked)):
        folded = "".join(unicodedata.normalize("NFKC", text).lower().split())
        characters.update(folded)
        for run in _HAN_OR_LATIN.findall(folded):
            words.update(jieba.cut(run, HMM=False))
    return words, characters


def make_tokenizer(words: Counter[str], characters: Counter[str]) -> Tokenizer:
    """A Unigram tokenizer whose pieces are the counted words and characters, at their counted probabilities.

    Training Unigram itself on this much text takes hours; counting words with a dictionary takes a minute.
    """
    longer = sorted((w for w, n in words.items() if 2 <= len(w) <= 8 and n >= 3), key=lambda w: (-words[w], w))
    pieces = {word: words[word] for word in longer[:WORDS]}
    single = sorted((c for c, n in characters.items() if n >= 2), key=lambda c: (-characters[c], c))
    pieces |= {c: max(words[c], 1) for c in single[: MOST - 1 - len(pieces)]}
    total = sum(pieces.values())
    ranked = sorted(pieces.items(), key=lambda item: (-item[1], item[0]))
    vocabulary = [("<unk>", -20.0), *((piece, float(np.log(n / total))) for piece, n in ranked)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=False))
    padding = Regex(r"(?<=[\p{Han}\p{P}])\s+|\s+(?=[\p{Han}\p{P}])")  # 李 强, and lines broken by a page
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(padding, "")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.Punctuation("isolated"),
        ]
    )
    return tokenizer


class Cutter:
    """Texts to token numbers, and which tokens are words rather than marks."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.size = tokenizer.get_vocab_size()
        self.is_word = np.zeros(self.size, dtype=bool)
        for piece, number in tokenizer.get_vocab().items():
            self.is_word[number] = number > 0 and _SPEAKS.match(piece) is not None

    def cut(self, texts: Sequence[str], most: int = 400) -> list[Ids]:
        """The token numbers of each text, at most so many."""
        out: list[Ids] = []
        for first in range(0, len(texts), 20_000):
            encodings = self.tokenizer.encode_batch(list(texts[first : first + 20_000]), add_special_tokens=False)
            out += [np.array(e.ids[:most], dtype=np.int64) for e in encodings]
        return out

    def words(self, texts: Sequence[str]) -> list[Ids]:
        """The different words of each text."""
        return [np.unique(ids[self.is_word[ids]]) for ids in self.cut(texts)]


def skip_gram(data: Path, cutter: Cutter, seed: int) -> Floats:
    """(tokens, 200) vectors of words by the company they keep; zeros for a token that the texts do not show.

    Skip-gram with negative sampling (Mikolov et al., NIPS 2013). One worker: with two, the bytes differ each time.
    """
    from gensim.models import Word2Vec

    asked = [row["query"] for row in everyday(data) if not is_held_out(row["positive"])]
    lines = [s.strip(" #*　") for text in documents(data) for s in re.split(r"[。！？；\n]+", text)]
    lines = [line for line in lines if len(line) >= 4 and not line.startswith("<!--")] + asked
    sentences = [[str(i) for i in ids if cutter.is_word[i]] for ids in cutter.cut(lines)]
    model = Word2Vec(
        sentences, vector_size=WORD_DIMENSIONS, window=5, negative=8, sg=1, min_count=3, epochs=5, sample=1e-4,
        workers=1, seed=seed,
    )  # fmt: skip
    out = np.zeros((cutter.size, WORD_DIMENSIONS), dtype=np.float32)
    for word in model.wv.index_to_key:
        out[int(word)] = model.wv[word]
    return out


def _units(rows: Floats) -> Floats:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    units: Floats = rows / np.maximum(norms, 1e-9)
    return units


def _masked(scores: torch.Tensor, questions: Sequence[str], passages: Sequence[str]) -> torch.Tensor:
    """In-batch scores with other rows of an equal question or passage taken out: they are no wrong answers."""
    asked, given = np.array(questions, dtype=object), np.array(passages, dtype=object)
    equal = (asked[:, None] == asked) | (given[:, None] == given)
    np.fill_diagonal(equal, False)
    return scores.masked_fill(torch.from_numpy(equal), -1e4)


def _thinned(ids: Ids, keep: float, draw: np.random.Generator) -> Ids:
    kept = ids[draw.random(len(ids)) < keep]
    return kept if len(kept) else ids


def train_sentences(data: Path, cutter: Cutter, vectors: Floats, counts: Counter[str], seed: int) -> Floats:
    """(tokens, 128) rows whose mean is a sentence's vector.

    Starts from the skip-gram vectors, turned to their main axes and weighted by rarity (Arora et al., ICLR 2017), then
    contrastive training with in-batch negatives: first each passage against a sentence taken out of it, then the pairs.
    Few rounds, and four of ten words of each passage left out: else the pairs are learned by heart.
    """
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    total = sum(counts.values())
    rarity = np.zeros(cutter.size, dtype=np.float32)
    for piece, number in cutter.tokenizer.get_vocab().items():
        rarity[number] = (1e-4 / (1e-4 + counts[piece] / total)) ** 0.5
    start = _units(vectors) * rarity[:, None]
    axes = np.linalg.svd(start.T @ start)[0][:, :DIMENSIONS]
    start = start @ axes + draw.normal(0, 0.01, (cutter.size, DIMENSIONS))
    start /= np.linalg.norm(start, axis=1).mean()
    bag = torch.nn.EmbeddingBag(cutter.size, DIMENSIONS, mode="mean", sparse=True)
    bag.weight.data = torch.tensor(start, dtype=torch.float32)
    _contrast(bag, cutter, [sentences_and_rest(data, seed)], 2.0, draw)
    _contrast(bag, cutter, pairs(data), 2.5, draw)
    rows: Floats = bag.weight.detach().numpy().copy()
    rows[0] = 0  # the unknown word says nothing
    return rows


def _contrast(
    bag: torch.nn.EmbeddingBag, cutter: Cutter, kinds: Sequence[Pairs], rounds: float, draw: np.random.Generator
) -> None:
    size, temperature, rate, keep = 2048, 0.05, 0.008, 0.6
    questions = [q for kind in kinds for q in kind.questions]
    passages = [p for kind in kinds for p in kind.passages]
    chance = np.concatenate([np.full(len(kind.questions), kind.share) for kind in kinds])
    steps = int(rounds * chance.sum() / size)
    asked, given = cutter.cut(questions), cutter.cut(passages)
    optimizer = torch.optim.SparseAdam(bag.parameters(), lr=rate)

    def mean(ids: Sequence[Ids]) -> torch.Tensor:
        starts = np.cumsum([0, *map(len, ids[:-1])])
        rows: torch.Tensor = bag(torch.from_numpy(np.concatenate(ids)), torch.from_numpy(starts))
        return functional.normalize(rows, dim=1)

    for step in range(steps):
        wanted = draw.choice(len(questions), size, replace=False, p=chance / chance.sum())
        drawn = [i for i in wanted if len(asked[i]) and len(given[i])]
        optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 20) * (1 - 0.9 * step / steps)
        left = mean([_thinned(asked[i], (1 + keep) / 2, draw) for i in drawn])
        right = mean([_thinned(given[i], keep, draw) for i in drawn])
        scores = left @ right.T / temperature
        scores = _masked(scores, [questions[i] for i in drawn], [passages[i] for i in drawn])
        truth = torch.arange(len(drawn))
        loss = (functional.cross_entropy(scores, truth) + functional.cross_entropy(scores.T, truth)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 19:
            print(f"sentences {step + 1}/{steps}: loss {loss.item():.3f}", flush=True)


class WordMatcher(torch.nn.Module):
    """Score of a passage: over the question's words, weight times squared cosine of the nearest passage word."""

    def __init__(self, vectors: Floats, rarity: Floats) -> None:
        super().__init__()
        self.vectors = torch.nn.Embedding.from_pretrained(torch.tensor(vectors), freeze=False, sparse=True)
        logs = torch.tensor(np.log(np.maximum(rarity, 0.05)), dtype=torch.float32)[:, None]
        self.log_weights = torch.nn.Embedding.from_pretrained(logs, freeze=False, sparse=True)
        self.log_scale = torch.nn.Parameter(torch.tensor(-1.0))

    def forward(self, questions: Sequence[Ids], passages: Sequence[Ids]) -> torch.Tensor:
        """(questions, passages) scores."""
        asked, at = np.unique(np.concatenate(questions), return_inverse=True)
        present, place = np.unique(np.concatenate(passages), return_inverse=True)
        padded = np.full((len(passages), max(map(len, passages))), len(present))
        for row, part in zip(padded, np.split(place, np.cumsum([*map(len, passages)])[:-1]), strict=True):
            row[: len(part)] = part
        left = functional.normalize(self.vectors(torch.from_numpy(asked)), dim=1)
        right = functional.normalize(self.vectors(torch.from_numpy(present)), dim=1)
        close = functional.relu(left @ right.T) ** 2
        close = torch.cat([close, torch.zeros(len(asked), 1)], dim=1)  # the padding matches nothing
        best = close[:, torch.from_numpy(padded)].amax(dim=2)
        holds = torch.zeros(len(questions), len(asked))
        holds[np.repeat(np.arange(len(questions)), [*map(len, questions)]), at] = 1
        weights = torch.exp(self.log_weights(torch.from_numpy(asked))[:, 0])
        return (holds * weights) @ best * torch.exp(self.log_scale)


def train_words(
    data: Path, cutter: Cutter, vectors: Floats, seed: int, steps: int = 1000, size: int = 96
) -> tuple[Floats, Floats]:
    """(tokens, 200) unit vectors and the weight of each word in a question; zeros for marks.

    Starts from skip-gram and from the rarity among the passages, then learns from the pairs with in-batch negatives of
    one kind: that 看病 is near 就医, and that 怎么 counts less than its rarity says.
    """
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    kinds = pairs(data)
    asked = [cutter.words(kind.questions) for kind in kinds]
    given = [cutter.words(kind.passages) for kind in kinds]
    seen = Counter[int]()
    texts = {
        p: ids for kind, rows in zip(kinds, given, strict=True) if kind.name != "words"
        for p, ids in zip(kind.passages, rows, strict=True)
    }  # fmt: skip
    for ids in texts.values():
        seen.update(ids.tolist())
    found = np.array([seen[i] for i in range(cutter.size)])
    rarity = np.minimum(np.log(1 + (len(texts) - found + 0.5) / (found + 0.5)), 9).astype(np.float32)
    start = np.where(vectors.any(axis=1, keepdims=True), vectors, draw.normal(0, 1, vectors.shape))
    model = WordMatcher(_units(start.astype(np.float32)), rarity)
    rates = (0.002, 0.02, 0.02)
    optimizers: list[Any] = [
        torch.optim.SparseAdam(model.vectors.parameters(), lr=rates[0]),
        torch.optim.SparseAdam(model.log_weights.parameters(), lr=rates[1]),
        torch.optim.Adam([model.log_scale], lr=rates[2]),
    ]
    chance = np.array([kind.share * len(kind.questions) for kind in kinds])
    for step in range(steps):
        n = int(draw.choice(len(kinds), p=chance / chance.sum()))
        many = min(4 * size if kinds[n].name == "words" else size, len(asked[n]))
        drawn = [i for i in draw.choice(len(asked[n]), many, replace=False) if len(asked[n][i]) and len(given[n][i])]
        shorter = [draw.permutation(_thinned(given[n][i], 0.7, draw))[:PASSAGE_WORDS] for i in drawn]
        scores = model([_thinned(asked[n][i], 0.85, draw) for i in drawn], shorter)
        scores = _masked(scores, [kinds[n].questions[i] for i in drawn], [kinds[n].passages[i] for i in drawn])
        loss = functional.cross_entropy(scores, torch.arange(len(drawn)))
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * min(1.0, (step + 1) / 50) * (1 - 0.9 * step / steps)
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        if step % 50 == 49:
            print(f"words {step + 1}/{steps}: {kinds[n].name}, loss {loss.item():.3f}", flush=True)
    rows: Floats = functional.normalize(model.vectors.weight.detach(), dim=1).numpy().copy()
    weights: Floats = torch.exp(model.log_weights.weight.detach()[:, 0]).numpy().copy()
    rows[~cutter.is_word] = 0
    weights[~cutter.is_word] = 0
    return rows, weights


def packed(rows: Floats, weights: Floats) -> dict[str, npt.NDArray[Any]]:
    """The arrays of words.safetensors: rows at 8 bits with their scales, weights, and each word's nearest words."""
    most = np.abs(rows).max(axis=1, keepdims=True)
    small = np.round(rows / np.where(most > 0, most / 127, 1)).astype(np.int8)
    norms = np.linalg.norm(small.astype(np.float32), axis=1)
    scales = np.where(norms > 0, 1 / np.maximum(norms, 1e-9), 0).astype(np.float32)
    units = small.astype(np.float32) * scales[:, None]
    nearest = np.zeros((len(units), NEIGHBOURS), dtype=np.uint16)
    cosines = np.zeros((len(units), NEIGHBOURS), dtype=np.float16)
    for first in range(0, len(units), 2000):
        close = torch.from_numpy(units[first : first + 2000]) @ torch.from_numpy(units).T
        close[torch.arange(len(close)), torch.arange(first, first + len(close))] = -1
        found, best = close.topk(NEIGHBOURS, dim=1)
        nearest[first : first + 2000] = best.numpy()
        cosines[first : first + 2000] = found.numpy()
    cosines[weights <= 0] = 0
    return {"vectors": small, "scales": scales, "weights": weights, "neighbours": nearest, "cosines": cosines}


def write_model(out: Path, tokenizer: Tokenizer, rows: Floats) -> None:
    """The folder that ``SentenceTransformer(out)`` loads."""
    compact = json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
    (out / "tokenizer.json").write_text(compact, encoding="utf-8")
    save_file({"embedding.weight": rows}, out / "model.safetensors")
    module = {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.StaticEmbedding"}
    (out / "modules.json").write_text(json.dumps([module], indent=2) + "\n", encoding="utf-8")
    settings = {
        "model_type": "SentenceTransformer",
        "prompts": {"query": "", "document": ""},
        "similarity_fn_name": "cosine",
    }
    (out / "config_sentence_transformers.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--work", type=Path, default=Path("build/encoder"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="of torch; one is faster than two on a busy machine")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    for line in _stages(arguments.data, arguments.out, arguments.work, arguments.seed):
        print(f"{time.perf_counter() - began:6.0f} s  {line}", flush=True)
    return 0


def _stages(data: Path, out: Path, work: Path, seed: int) -> Iterator[str]:
    counted, cut, grams, sentences = (work / n for n in ("counts.json", "tokenizer.json", "skipgram.npy", "rows.npy"))
    if not counted.exists():
        counted.write_text(json.dumps(count_words(data), ensure_ascii=False), encoding="utf-8")
    words, characters = (Counter[str](counts) for counts in json.loads(counted.read_text(encoding="utf-8")))
    yield f"{len(words)} words, {len(characters)} characters counted"
    if not cut.exists():
        make_tokenizer(words, characters).save(str(cut))
    cutter = Cutter(Tokenizer.from_file(str(cut)))
    yield f"tokenizer of {cutter.size} pieces"
    if not grams.exists():
        np.save(grams, skip_gram(data, cutter, seed))
    vectors = np.load(grams)
    yield "skip-gram vectors"
    if not sentences.exists():
        np.save(sentences, train_sentences(data, cutter, vectors, words, seed))
    write_model(out, cutter.tokenizer, np.load(sentences))
    yield "sentence encoder"
    save_file(packed(*train_words(data, cutter, vectors, seed)), out / "words.safetensors")
    yield "word vectors"


if __name__ == "__main__":
    raise SystemExit(main())
