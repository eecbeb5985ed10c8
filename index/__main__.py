"""gazette-index: build, change, list and check an index."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from index.records import FileReport, GazetteError

if TYPE_CHECKING:
    from index.intake import Progress
    from index.store import Index

_MARKS = {"indexed": "已收录", "unchanged": "未变", "duplicate": "重复", "skipped": "跳过", "removed": "已移除"}

_LEDGERS = ("appointments", "votes", "figures", "undertakings", "links", "status", "checks")
_PLACE = "索引所在的文件夹，或 Milvus：milvus+http://主机:19530、milvus+文件.db"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it worked, 1 when the work failed, 2 for wrong usage (from argparse)."""
    arguments = _parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except GazetteError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("已中断；再次运行同一命令会接着做", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gazette-index", description="把公报文件建成可检索的索引。")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="为文件和文件夹建立新索引（读不了的文件会注明原因并跳过）")
    build.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="公报文件、文件夹（含子文件夹）或 zip")
    build.add_argument("--out", "--store", required=True, type=Path, metavar="DIR", help=_PLACE)
    build.add_argument("--encoder", metavar="NAME_OR_DIR", help="sentence-transformers 模型名或文件夹（默认用自带的）")
    build.add_argument("--ray", type=int, metavar="N", help="由 Ray 集群的 N 个进程读取和编码（RAY_ADDRESS 指定集群）")
    build.set_defaults(run=_build)

    add = commands.add_parser("add", help="把文件加入索引；改过的文件替换旧版，没变的不动")
    add.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    add.add_argument(
        "--replace",
        choices=("file", "issue", "none"),
        default="file",
        help="file：替换同一文件的旧版（默认）；issue：同一刊物同一期的另一份也替换；none：各版并存",
    )
    add.set_defaults(run=_add)

    remove = commands.add_parser("remove", help="从索引移除来源")
    remove.add_argument("sources", nargs="+", metavar="SOURCE", help="文件名、来源编号或原来的路径")
    remove.set_defaults(run=_remove)

    listing = commands.add_parser("list", help="列出公报和其中的文件")
    listing.add_argument("--json", action="store_true", help="输出 JSON")
    listing.set_defaults(run=_list)

    facts = commands.add_parser("facts", help="导出台账：任免、表决、数字、承诺、文件关系、效力、核对")
    facts.add_argument("--kind", choices=_LEDGERS, default="figures", help="哪一种（默认 figures）")
    facts.add_argument(
        "--format", choices=("csv", "json"), default="csv", help="默认 csv；可能被表格软件执行的单元格加引号"
    )
    facts.set_defaults(run=_facts)

    check = commands.add_parser("verify", help="检查每个文件是否完整、彼此一致")
    check.set_defaults(run=_verify)

    for command in (add, remove, listing, facts, check):
        command.add_argument("--index", "--store", required=True, type=Path, metavar="DIR", help=_PLACE)
    return parser


def _build(arguments: argparse.Namespace) -> int:
    from index.building import build
    from index.embed import load_encoder
    from index.reading import cores

    if arguments.ray:
        from index.bulk import build_with_ray

        with _ProgressBar() as progress:
            workers, encoder_name = arguments.ray, arguments.encoder
            reports = build_with_ray(
                arguments.paths, arguments.out, encoder=encoder_name, workers=workers, progress=progress
            )
        return _tell(reports, {"indexed"})
    encoder = load_encoder(arguments.encoder)
    with _ProgressBar() as progress:
        reports = build(arguments.paths, arguments.out, encoder=encoder, progress=progress, workers=cores())
    return _tell(reports, {"indexed"})


def _add(arguments: argparse.Namespace) -> int:
    from index.building import add
    from index.reading import cores

    with _ProgressBar() as progress:
        reports = add(arguments.paths, arguments.index, progress=progress, workers=cores(), replace=arguments.replace)
    return _tell(reports, {"indexed", "unchanged", "duplicate"})


def _remove(arguments: argparse.Namespace) -> int:
    from index.building import remove

    return _tell(remove(arguments.sources, arguments.index), {"removed"})


def _tell(reports: Sequence[FileReport], good: set[str]) -> int:
    """One line a file: what is in the index on stdout, what is not on stderr; 1 if nothing worked."""
    for report in reports:
        if report.outcome == "skipped":
            print(f"{_MARKS[report.outcome]}：{report.reason}", file=sys.stderr)
            continue
        counts = f"（{report.documents} 件，{report.passages} 段）" if report.passages else ""
        reason = f"：{report.reason}" if report.reason else ""
        print(f"{_MARKS[report.outcome]}：{report.name}{counts}{reason}")
        for note in report.notes:
            print(f"  {report.name}：{note}", file=sys.stderr)
    if not any(report.outcome in good for report in reports):
        print("没有可以处理的来源", file=sys.stderr)
        return 1
    return 0


def _list(arguments: argparse.Namespace) -> int:
    from index.store import open_index

    with open_index(arguments.index) as index:
        if arguments.json:
            print(json.dumps(_listing(index), ensure_ascii=False, indent=1))
            return 0
        for gazette in index.gazettes:
            print(f"{gazette.source_id}  {gazette.issue}  （{index.source_names[gazette.source_id]}）")
            for document in gazette.documents:
                print(f"  {document.n:>3}  {document.kind}  {document.title}")
    return 0


def _listing(index: Index) -> dict[str, object]:
    names = index.source_names
    return {
        "encoder": {"name": index.card.name, "dimensions": index.card.dimensions},
        "passages": len(index),
        "gazettes": [
            {
                "source_id": gazette.source_id,
                "source": names[gazette.source_id],
                "title": gazette.title,
                "issue": gazette.issue,
                "organ": gazette.organ,
                "year": gazette.year,
                "number": gazette.number,
                "total_number": gazette.total_number,
                "documents": [
                    {
                        "id": document.id,
                        "n": document.n,
                        "title": document.title,
                        "kind": document.kind,
                        "organ": document.organ,
                        "speaker": document.speaker,
                        "date": document.date,
                        "session": document.session,
                        "start": document.start,
                        "end": document.end,
                    }
                    for document in gazette.documents
                ],
            }
            for gazette in index.gazettes
        ],
    }


def _facts(arguments: argparse.Namespace) -> int:
    from index.facts import facts_rows, safe_rows
    from index.store import open_index

    with open_index(arguments.index) as index:
        rows = [
            row
            for source_id in index.source_names
            for row in facts_rows(arguments.kind, index.gazette(source_id), index.source(source_id))
        ]
    if arguments.format == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    if rows:
        table = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(safe_rows(rows))
    print(f"{len(rows)} 条", file=sys.stderr)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from index.store import verify

    found = verify(arguments.index)
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print(f"{arguments.index}：有 {len(found)} 处问题；请用 gazette-index build 重建", file=sys.stderr)
        return 1
    print(f"{arguments.index}：完整")
    return 0


class _ProgressBar:
    """A bar on standard error, only where that is a terminal."""

    def __enter__(self) -> Progress | None:
        if not sys.stderr.isatty():
            return None
        from tqdm import tqdm

        self._bar = tqdm(unit=" 文件", dynamic_ncols=True)
        return self._show

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()

    def _show(self, done: int, total: int, rate: float) -> None:
        self._bar.total = total
        self._bar.set_postfix_str(f"{rate / 1e4:.1f} 万字/秒", refresh=False)
        self._bar.update(done - self._bar.n)


if __name__ == "__main__":
    sys.exit(main())
