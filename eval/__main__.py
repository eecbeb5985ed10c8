"""gazette-eval: score question files and public test collections, compare two runs, measure speed."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from index.records import GazetteError

if TYPE_CHECKING:
    from eval.questions import QuestionSet
    from eval.report import Report, Setting, Slice
    from eval.run import Asks, Outcome
    from eval.scores import Scores
    from eval.summaries import Written
    from index.store import Index
    from qa.generate import Model

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

T = TypeVar("T")
SCORES = Path(__file__).parent / "baseline" / "scores.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when it failed, found faults or a significant loss, 2 for wrong usage."""
    args = _parser().parse_args(arguments)
    args.command_line = shlex.join(["gazette-eval", *(sys.argv[1:] if arguments is None else arguments)])
    try:
        code: int = args.run(args)
    except (GazetteError, OSError) as fault:
        print(f"gazette-eval: {fault}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gazette-eval",
        description="评测检索、答案、引文、拒答与速度。Score question files and public collections, compare runs.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (
        _add_run,
        _add_compare,
        _add_baseline,
        _add_table,
        _add_retrieval,
        _add_squad,
        _add_rgb,
        _add_bench,
        _add_feedback,
        _add_check,
    ):
        add(commands)
    return parser


def _add_run(commands: Commands) -> None:
    from qa.options import add_model_options

    run = commands.add_parser("run", help="给题集评分，写出 report.json 与 report.html")
    run.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    run.add_argument(
        "--index",
        type=Path,
        metavar="DIR",
        help="索引文件夹；缺省为题集所问文本的索引（laws_*.jsonl 问 laws/，gazettes_dev.jsonl 问 gazettes/dev/，其余问 data/）",
    )
    run.add_argument(
        "--out", type=Path, default=Path("build/report"), metavar="DIR", help="报告文件夹（缺省 build/report）"
    )
    run.add_argument("--ablation", action="store_true", help="另测检索各部分单独与合用的效果")
    run.add_argument(
        "--baselines", nargs="*", metavar="NAME", help="另测这些基线；不写名称则测已装齐的全部（见 eval/baselines.py）"
    )
    run.add_argument("--summary", choices=("off", "extract"), default="off", help="另给摘要评分（缺省不做）")
    _add_reranker(run)
    _add_seed(run)
    add_model_options(run)
    run.set_defaults(run=_run)


def _add_compare(commands: Commands) -> None:
    compare = commands.add_parser("compare", help="两份报告的配对差异 B - A；显著变差时退出码为 1")
    compare.add_argument("before", type=Path, metavar="A", help="report.json 或其所在文件夹")
    compare.add_argument("after", type=Path, metavar="B")
    _add_seed(compare)
    compare.set_defaults(run=_compare)


def _add_baseline(commands: Commands) -> None:
    baseline = commands.add_parser("baseline", help="与仓库里的基准成绩比较；显著变差时退出码为 1")
    baseline.add_argument(
        "files", nargs="*", type=Path, metavar="FILE.jsonl", help="缺省为三份测试题集，其中 gazettes_test 每三题问一题"
    )
    baseline.add_argument("--renew", action="store_true", help="改为重写基准成绩")
    baseline.add_argument("--scores", type=Path, default=SCORES, metavar="FILE.json", help="缺省为仓库里的基准")
    _add_seed(baseline)
    baseline.set_defaults(run=_baseline)


def _add_table(commands: Commands) -> None:
    table = commands.add_parser("table", help="重算 README 里两行标记之间的成绩表")
    table.add_argument("document", type=Path, metavar="README.md")
    table.add_argument("files", nargs="*", type=Path, metavar="FILE.jsonl", help="缺省为全部七份题集")
    table.add_argument("--baselines", nargs="*", metavar="NAME", help="第一份题集上另列这些基线，同 run")
    table.add_argument("--out", type=Path, metavar="DIR", help="另把每份题集的报告写到此处的同名文件夹")
    _add_seed(table)
    table.set_defaults(run=_table)


def _add_retrieval(commands: Commands) -> None:
    retrieval = commands.add_parser("retrieval", help="BEIR 格式的检索集：recall、MRR、nDCG @ 1、5、10、100")
    retrieval.add_argument("--corpus", type=Path, required=True, metavar="C.jsonl[.gz]")
    retrieval.add_argument("--queries", type=Path, required=True, metavar="Q.jsonl[.gz]")
    retrieval.add_argument("--qrels", type=Path, metavar="R.tsv[.gz]", help="缺省时只写出 --run")
    retrieval.add_argument("--run", dest="trec", type=Path, metavar="OUT.trec", help="把排序写成 TREC run 格式")
    retrieval.add_argument("--keep", type=Path, metavar="DIR", help="索引留在此处；已有则直接使用")
    retrieval.add_argument("--depth", type=_count, default=100, help="每个查询排多少篇（缺省 100）")
    _add_reranker(retrieval)
    _add_collection_options(retrieval)
    retrieval.set_defaults(run=_retrieval, wrong_usage=retrieval.error)


def _add_squad(commands: Commands) -> None:
    squad = commands.add_parser("squad", help="阅读理解集（SQuAD、CMRC、DRCD、XQuAD）：EM、F1、拒答")
    squad.add_argument("file", type=Path, metavar="FILE.json[.gz]")
    squad.add_argument("--predictions", type=Path, metavar="OUT.json", help="写出 {id: 答案}，供官方脚本评分")
    _add_collection_options(squad)
    squad.set_defaults(run=_squad)


def _add_rgb(commands: Commands) -> None:
    rgb = commands.add_parser("rgb", help="RGB：噪声文档中的正确率，全是噪声时的拒答率")
    rgb.add_argument("file", type=Path, metavar="FILE.json[.gz]")
    rgb.add_argument("--documents", type=int, default=5, metavar="N", help="每问给几篇文档（缺省 5）")
    _add_collection_options(rgb)
    rgb.set_defaults(run=_rgb)


def _add_bench(commands: Commands) -> None:
    bench = commands.add_parser("bench", help="建库速度、体积、问答用时、内存，输出 Markdown 表")
    bench.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="第一档：此文件夹（缺省 data/）")
    bench.add_argument("--texts", type=Path, metavar="DIR", help="再加一档：加上这些文本")
    bench.add_argument(
        "--passages",
        type=int,
        nargs="+",
        default=[],
        metavar="N",
        help="各加一档约 N 段：--texts 的一部分，不够则用其句子混编",
    )
    bench.add_argument("--questions", type=Path, metavar="FILE.jsonl", help="除 200 个随机短语外另问这些问题")
    bench.add_argument("--work", type=Path, metavar="DIR", help="在此处建索引（缺省为临时文件夹）")
    bench.set_defaults(run=_bench)


def _add_feedback(commands: Commands) -> None:
    feedback = commands.add_parser("feedback", help="把页面反馈转成待补全的题目")
    feedback.add_argument("file", type=Path, metavar="FEEDBACK.jsonl")
    feedback.set_defaults(run=_feedback)


def _add_check(commands: Commands) -> None:
    check = commands.add_parser("check", help="检查题集：编号、类型、证据是否在原文中、答案")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")
    check.add_argument("--source", action="append", type=Path, metavar="PATH", help="所问的文本或文件夹（缺省同 run）")
    check.set_defaults(run=_check)


def _count(said: str) -> int:
    """A whole number from 1."""
    if (number := int(said)) < 1:
        raise argparse.ArgumentTypeError(f"{said}: 至少为 1")
    return number


def _add_seed(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=0, help="自助法的随机种子（缺省 0）")


def _add_reranker(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reranker", metavar="NAME_OR_DIR", help="用 sentence-transformers 交叉编码器重排最前的十段")


def _add_collection_options(command: argparse.ArgumentParser) -> None:
    """What the public collections share."""
    command.add_argument("--encoder", metavar="NAME_OR_DIR", help="不用自带的编码器，换用此名称或文件夹")
    command.add_argument("--workers", type=_count, metavar="N", help="进程数（缺省为核数）")
    _add_seed(command)


def _run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from eval import ablation, report
    from eval.questions import load_questions
    from qa.options import model_of

    questions = load_questions(args.files)
    parts = _by_index(args)
    if len(parts) > 1 and (args.ablation or args.baselines is not None):
        raise GazetteError("--ablation and --baselines compare ways of searching one index: name files of one corpus")
    begun = time.perf_counter()
    outcomes: list[Outcome] = []
    written: list[Written] = []
    model = model_of(args)
    with ExitStack() as opened:
        indexes = [opened.enter_context(_open(folder)) for folder in parts]
        for index, files in zip(indexes, parts.values(), strict=True):
            outcomes += _ask(load_questions(files), _assistant(index, args, model, written), index, "ours")
        cost = {"seconds": time.perf_counter() - begun, "peak_mb": _peak_megabytes()}
        result = report.summarise(outcomes, _setting(args, indexes, questions), cost)
        if args.ablation:
            result = replace(result, ablation=tuple(ablation.run(indexes[0], questions.questions, seed=args.seed)))
        if args.baselines is not None:
            result = replace(result, baselines=tuple(_baselines(args, indexes[0], questions)))
    _write(result, args.out)
    print(report.text(result))
    if args.model:
        from eval.summaries import lines

        print("\n".join(lines(written)))
    print(f"misses and figures: {args.out / 'report.html'}", file=sys.stderr)
    return 0


def _write(result: Report, folder: Path) -> None:
    """report.json and report.html into a folder, which is made."""
    from eval import page, report

    folder.mkdir(parents=True, exist_ok=True)
    report.save(result, folder / "report.json")
    (folder / "report.html").write_text(page.render(result), encoding="utf-8")


def _baselines(args: argparse.Namespace, index: Index, questions: QuestionSet) -> Iterator[Slice]:
    """A slice for every baseline named, over the single questions."""
    from dataclasses import replace

    from eval import baselines, report

    single = replace(questions, dialogues=())
    for name, make in baselines.chosen(args.baselines).items():
        yield report.make_slice(name, _ask(single, make(index), index, name), args.seed)


def _by_index(args: argparse.Namespace) -> dict[Path, list[Path]]:
    """The files of each index: the one named, else that of the texts each file asks about."""
    from eval.corpora import by_corpus, index_over

    if args.index:
        return {args.index: list(args.files)}
    return {index_over(corpus, told=_note): files for corpus, files in by_corpus(args.files).items()}


def _open(folder: Path) -> Index:
    from index.store import open_index

    return open_index(folder)


def _assistant(index: Index, args: argparse.Namespace, model: Model | None, written: list[Written]) -> Asks:
    """The assistant as asked for; what a model writes goes to ``written``."""
    from eval.run import Summarising
    from eval.summaries import Writing
    from qa.ask import Assistant

    reranker = None
    if args.reranker:
        from qa.rank import load_reranker

        reranker = load_reranker(args.reranker)
    if model is not None:
        assistant = Assistant(index, reranker=reranker, model=model, rewrite=args.rewrite, seconds=args.model_seconds)
        return Writing(assistant, written)
    plain = Assistant(index, reranker=reranker)
    return plain if args.summary == "off" else Summarising(plain)


def _ask(questions: QuestionSet, assistant: Asks, index: Index, name: str) -> list[Outcome]:
    from eval.run import IndexTexts, run

    with _bar(len(questions.asked), name) as advance:
        return run(questions, assistant, IndexTexts(index), progress=advance)


def _peak_megabytes() -> float:
    """The most memory this process has held so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 if sys.platform == "darwin" else 1 / 1024) / 2**20  # bytes there, kilobytes elsewhere


def _setting(args: argparse.Namespace, indexes: Sequence[Index], questions: QuestionSet) -> Setting:
    from eval.report import Setting, machine

    return Setting(
        system="gazette-qa",
        questions=questions.files,
        questions_sha256=questions.sha256,
        index=" + ".join(index.folder.name for index in indexes),
        passages=sum(map(len, indexes)),
        encoder=indexes[0].encoder.name,
        encoder_fingerprint=indexes[0].encoder.fingerprint,
        seed=args.seed,
        command=args.command_line,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        commit=_commit(),
    )


def _commit() -> str:
    """The commit of the code, with "+" where files differ from it; "" where git does not know."""
    import subprocess

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)  # noqa: S603, S607
        return done.stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + "+" * bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return ""


def _compare(args: argparse.Namespace) -> int:
    from eval.scores import load_scores

    return _compared(*load_scores(args.before), *load_scores(args.after), args.seed)


def _compared(before: Scores, old: Mapping[str, Any], after: Scores, new: Mapping[str, Any], seed: int) -> int:
    """Print the differences of two runs; 1 on a significant loss."""
    from eval import compare

    if old["questions_sha256"] != new["questions_sha256"]:
        print("the question files differ: only questions of the same id and wording are compared", file=sys.stderr)
    differences = compare.compare(before, after, seed=seed)
    print(compare.table(differences))
    return 1 if any(difference.is_loss for difference in differences) else 0


def _baseline(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from eval import baseline
    from eval.questions import load_questions
    from eval.scores import load_scores, save_scores, scores_of

    files = args.files or baseline.FILES
    every = {} if args.files else baseline.EVERY  # what is named is asked as a whole
    outcomes = [outcome for part in baseline.ask_all(files, every=every, told=_note) for outcome in part]
    with ExitStack() as opened:
        indexes = [opened.enter_context(_open(folder)) for folder in baseline.folders(files)]
        setting = asdict(_setting(args, indexes, load_questions(files)))
    if args.renew:
        save_scores(scores_of(outcomes), setting, args.scores)
        print(f"{len(outcomes)} scores written to {args.scores}", file=sys.stderr)
        return 0
    before, old = load_scores(args.scores)
    code = _compared(before, old, scores_of(outcomes), setting, args.seed)
    if code:
        print(f"significant loss against {args.scores}; if it is meant: {baseline.RENEW}", file=sys.stderr)
    return code


def _table(args: argparse.Namespace) -> int:
    from eval import baseline, report, table
    from eval.questions import load_questions

    files = args.files or [baseline.QUESTIONS / f"{name}.jsonl" for name in table.TITLES]
    document = args.document.read_text(encoding="utf-8")
    table.replaced(document, "")  # before the work: are the marks there
    asked = baseline.ask_all(files, every={}, told=_note)
    reports, systems = {}, []
    for n, (file, folder, outcomes) in enumerate(zip(files, baseline.folders(files), asked, strict=True)):
        with _open(folder) as index:
            questions = load_questions([file])
            reports[file.stem] = report.summarise(outcomes, _setting(args, [index], questions))
            if n == 0 and args.baselines is not None:
                systems = list(_baselines(args, index, questions))
        if args.out:
            _write(reports[file.stem], args.out / file.stem)
    block = table.markdown(table.Results(reports, systems))
    args.document.write_text(table.replaced(document, block), encoding="utf-8")
    print(block)
    return 0


def _retrieval(args: argparse.Namespace) -> int:
    from eval import formats, retrieval
    from eval.report import align
    from index.embed import load_encoder
    from index.store import build_from_passages, open_index

    if not (args.qrels or args.trec):
        args.wrong_usage("--qrels 与 --run 至少给出一个")
    if args.reranker:  # what is wrong with it is told before the indexing, not after
        from qa.rank import load_reranker

        load_reranker(args.reranker)
    queries = formats.read_queries(args.queries)
    if not queries:
        raise GazetteError(f"{args.queries}: no queries in it")
    qrels = formats.read_qrels(args.qrels) if args.qrels else {}
    judged = {query: grades for query, grades in qrels.items() if query in queries}
    if args.qrels and not any(grade > 0 for grades in judged.values() for grade in grades.values()):
        raise GazetteError(f"{args.qrels}: none of the {len(queries)} queries has a relevant document in it")
    given = len(queries)
    if not args.trec:  # a BEIR file holds the queries of every part, its qrels those of one
        queries = {name: text for name, text in queries.items() if name in judged}
    with TemporaryDirectory() as place:
        folder = args.keep or Path(place) / "index"
        if not folder.exists():
            begun = time.perf_counter()
            with _bar(None, "corpus") as advance:
                corpus = _counted(formats.read_corpus(args.corpus), advance)
                build_from_passages(retrieval.corpus_passages(corpus), folder, encoder=load_encoder(args.encoder))
            print(f"indexed in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
        with open_index(folder) as index:
            print(f"{len(index)} passages, encoder {index.encoder.name}", file=sys.stderr)
        begun = time.perf_counter()
        with _bar(len(queries), "queries") as advance:
            run = retrieval.rank(
                folder,
                queries,
                depth=args.depth,
                workers=args.workers,
                encoder=args.encoder,
                reranker=args.reranker,
                progress=advance,
            )
    print(f"{len(queries)} queries ranked in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    if args.trec and formats.write_run(args.trec, run):
        print(f"{args.trec}: tabs part its columns, since an id holds white space", file=sys.stderr)
    if not args.qrels:
        return 0
    found = retrieval.figures(judged, run, seed=args.seed)
    print(align(retrieval.matrix(found)))
    print(f"n={found['recall@1'].n} queries with a relevant document, of {given}")
    return 0


def _squad(args: argparse.Namespace) -> int:
    from eval import formats, reading
    from eval.report import align
    from qa.confidence import THRESHOLD

    questions = formats.read_reading(args.file)
    begun = time.perf_counter()
    with _bar(len(questions), "questions") as advance:
        predictions = reading.read_all(questions, encoder=args.encoder, workers=args.workers, progress=advance)
    seconds = time.perf_counter() - begun
    figures = reading.score(questions, predictions, THRESHOLD, seed=args.seed)
    print(align(reading.lines(figures)))
    print(f"n={len(questions)}, abstaining below {THRESHOLD}, {1000 * seconds / len(questions):.1f} ms a question")
    if args.predictions:
        given = {question.id: words for question, (words, _) in zip(questions, predictions, strict=True)}
        args.predictions.write_text(json.dumps(given, ensure_ascii=False, indent=1), encoding="utf-8")
    return 0


def _rgb(args: argparse.Namespace) -> int:
    from eval import formats, noise, reading
    from eval.report import align
    from qa.confidence import THRESHOLD

    questions = formats.read_rgb(args.file)
    given = [pair for share in noise.NOISE for pair in noise.contexts(questions, share, args.documents, seed=args.seed)]
    with _bar(len(given), "questions") as advance:
        read = reading.read_all(given, encoder=args.encoder, workers=args.workers, progress=advance)
    size = len(questions)
    predictions = {share: read[n * size : (n + 1) * size] for n, share in enumerate(noise.NOISE)}
    figures = noise.score(questions, predictions, THRESHOLD, seed=args.seed)
    print(align([[name, f"{e.value:.4f}", f"[{e.low:.3f}, {e.high:.3f}]"] for name, e in figures.items()]))
    print(f"n={len(questions)}, {args.documents} documents each, abstaining below {THRESHOLD}")
    return 0


def _bench(args: argparse.Namespace) -> int:
    from eval import bench
    from eval.questions import load_questions
    from eval.report import machine

    if args.passages and not args.texts:
        raise GazetteError("--passages mixes sentences of --texts: name a folder of texts")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the page runs, for the processes that measure
    own = list(_texts([args.data]).values())
    questions = [q.text for q in load_questions([args.questions]).questions] if args.questions else []
    questions += bench.phrases(own, 200)
    scales = []
    with TemporaryDirectory() as place:
        work = args.work or Path(place)
        files = sorted(path for path in args.texts.rglob("*.md") if path.is_file()) if args.texts else []
        some = {n: bench.some_of(files, n) for n in sorted(args.passages)}
        paths = {"sample": [args.data]}
        paths |= {f"{n:,}": [args.data, *chosen] for n, chosen in some.items() if chosen}
        if args.texts:
            paths["with texts"] = [args.data, args.texts]
        for n in (n for n, chosen in some.items() if not chosen):
            paths[f"{n:,}"] = [args.data, bench.write_mixture(files, work / f"mixture-{n}", n)]
        for n, (name, given) in enumerate(paths.items()):
            scales.append(bench.measure(name, given, work / f"index-{n}", questions, _note))
    print(f"Machine: {machine()}\n\n```\n{args.command_line}\n```\n\n{bench.markdown(scales)}")
    return 0 if all(scale.asked.same for scale in scales) else 1


def _feedback(args: argparse.Namespace) -> int:
    from eval.feedback import drafts

    for draft in drafts(args.file):
        print(json.dumps(draft, ensure_ascii=False))
    return 0


def _check(args: argparse.Namespace) -> int:
    from eval.corpora import by_corpus
    from eval.questions import check_files, counts, load_questions

    parts = {None: args.files} if args.source else by_corpus(args.files)
    problems = []
    for corpus, files in parts.items():
        problems += check_files(files, _texts(args.source if corpus is None else [corpus]))
    for problem in problems:
        print(problem)
    errors = sum(problem.is_error for problem in problems)
    print(f"{errors} errors, {len(problems) - errors} warnings", file=sys.stderr)
    if errors:
        return 1
    questions = load_questions(args.files)
    print(f"{len(questions.questions)} questions, {len(questions.dialogues)} dialogues")
    for name, table in counts(questions.questions).items():
        print(f"  {name}: " + ", ".join(f"{key} {count}" for key, count in table.most_common()))
    return 0


def _texts(paths: Sequence[Path]) -> dict[str, str]:
    """Source name -> text, of the files and folders."""
    from index.sources import find_sources, read_source

    sources = [read_source(path) for path in find_sources(paths)]
    if not sources:
        raise GazetteError(f"no text under {', '.join(map(str, paths))}: name the gazettes that are asked about")
    return {source.name: source.text for source in sources}


def _note(line: str) -> None:
    print(line, file=sys.stderr)


@contextmanager
def _bar(total: int | None, name: str) -> Iterator[Callable[[int], object]]:
    """A progress bar on a terminal, nothing elsewhere; gives what is to be called with each step."""
    from tqdm import tqdm

    with tqdm(total=total, desc=name, disable=None, leave=False) as bar:
        yield bar.update


def _counted(items: Iterable[T], advance: Callable[[int], object]) -> Iterator[T]:
    for item in items:
        advance(1)
        yield item


if __name__ == "__main__":
    raise SystemExit(main())
