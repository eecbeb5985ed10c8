"""A report as one HTML file: nothing is fetched, nothing is run, every text is escaped."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape

from eval.metrics import Bin, Estimate
from eval.report import COLUMNS, MEASURES, RANKED, Report, Slice, cost_line, misses
from eval.run import Cause, Outcome

CAUSES: dict[Cause, str] = {
    "not retrieved": "未检索到证据",
    "evidence cut": "证据被段落切断",
    "ranked low": "检索到但排在后面",
    "retrieved, not read": "检索到但未选中",
    "wrong span": "选中句子但答案不对",
    "wrongly refused": "误拒",
    "answered unanswerable": "无答案却作答",
    "long form only": "引句对，短答案不对",
}

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --ink: #1f5f99; --bad: #b3402a }
@media (prefers-color-scheme: dark) { :root { --ink: #7db7ea; --bad: #ef8a73 } }
body { font: 15px/1.6 system-ui, "Noto Sans CJK SC", sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-variant-numeric: tabular-nums }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .7rem; text-align: right; vertical-align: top }
th:first-child, td:first-child { text-align: left }
.text { text-align: left; overflow-wrap: anywhere }
small { opacity: .7 }
figure { display: inline-block; margin: 0 2rem 1rem 0 }
svg { width: 22rem; max-width: 100%; height: auto }
.broad svg { width: 40rem }
details { border-bottom: 1px solid var(--line); padding: .3rem 0 }
summary { cursor: pointer }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .5rem 1rem }
dt { opacity: .7 }
dd { margin: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto }
"""


def render(report: Report) -> str:
    """The whole page."""
    setting = report.setting
    parts = [
        "<!DOCTYPE html>",
        '<html lang="zh-CN"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>评测报告：{escape(' '.join(setting.questions))}</title><style>{_STYLE}</style></head><body>",
        "<h1>评测报告</h1>",
        _setting(report),
        *_overall(report),
        "<h2>按风格、题型与文件</h2>",
        *_types(report),
        _slices(report.slices),
        *_section("消融", report.ablation),
        *_section("基线", report.baselines),
        *_confidence(report),
        *_times(report),
        *_misses(report),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _setting(report: Report) -> str:
    s = report.setting
    rows = {
        "系统": s.system,
        "题集": f"{'、'.join(s.questions)}（SHA-256 {s.questions_sha256[:16]}…）",
        "索引": f"{s.index}（{s.passages} 段）",
        "编码器": f"{s.encoder}（{s.encoder_fingerprint[:16]}…）",
        "机器": s.machine,
        "随机种子": str(s.seed),
        "命令": s.command,
        "提交": s.commit,
        "时间": s.created,
        "用时与内存": cost_line(report.cost),
    }
    cells = "".join(f'<tr><th>{escape(k)}</th><td class="text">{escape(v)}</td></tr>' for k, v in rows.items())
    return f"<table>{cells}</table>"


def _overall(report: Report) -> Iterable[str]:
    titles = {measure.name: measure.title for measure in (*RANKED, *MEASURES)}
    for name in ("all", "dialogue turns"):
        part = report.slice(name)
        if part is None:
            continue
        yield f"<h2>{'单轮问题' if name == 'all' else '对话轮次'}（{part.count}）</h2>"
        rows = "".join(
            f'<tr><td>{escape(measure)}</td><td class="text">{escape(titles[measure])}</td><td>{_figure(e)}</td>'
            f"<td>{e.low:.3f}–{e.high:.3f}</td><td>{e.n}</td></tr>"
            for measure, e in part.figures.items()
        )
        yield f'<table><tr><th>指标</th><th class="text">含义</th><th>值</th><th>95 % 区间</th><th>题数</th></tr>{rows}</table>'


def _section(title: str, slices: Sequence[Slice]) -> Iterable[str]:
    if slices:
        yield f"<h2>{escape(title)}</h2>"
        yield _slices(slices)


def _slices(slices: Sequence[Slice]) -> str:
    columns = [c for c in COLUMNS if any(c in part.figures for part in slices)]
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    rows = "".join(
        f"<tr><td>{escape(part.name)}</td><td>{part.count}</td>"
        + "".join(f"<td>{_cell(part.figures.get(c))}</td>" for c in columns)
        + "</tr>"
        for part in slices
    )
    return f'<div class="wide"><table><tr><th></th><th>题数</th>{head}</tr>{rows}</table></div>'


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    return f"{_figure(estimate)}<br><small>{estimate.low:.2f}–{estimate.high:.2f}</small>"


def _figure(estimate: Estimate) -> str:
    return f"{estimate.value:.3f}"


def _types(report: Report) -> Iterable[str]:
    """Shown right by type of question, with intervals."""
    rows = [
        (part.name.removeprefix("type: "), part.figures["shown"])
        for part in report.slices
        if part.name.startswith("type: ") and "shown" in part.figures
    ]
    if rows:
        yield f'<figure class="broad">{_bars(rows)}<figcaption>各题型答对比例及 95 % 区间</figcaption></figure>'


def _times(report: Report) -> Iterable[str]:
    """Which share of the questions was answered within how many milliseconds."""
    spent = sorted(outcome.milliseconds for outcome in report.outcomes)
    if not spent or spent[-1] <= 0:
        return
    points = [(0.0, 0.0), *((value / spent[-1], n / len(spent)) for n, value in enumerate(spent, 1))]
    yield "<h2>用时</h2>"
    curve = _curve(points, [f"{spent[-1] * t:.0f}" for t in (0.0, 0.5, 1.0)])
    yield f"<figure>{curve}<figcaption>毫秒（横）之内答完的题目比例（纵）</figcaption></figure>"


def _bars(rows: Sequence[tuple[str, Estimate]]) -> str:
    """A bar a row from 0 to 1, its interval as a line, its figure and number of questions at the end."""
    lines = []
    for n, (name, e) in enumerate(rows):
        y = 8 * n + 5
        lines.append(
            f'<text x="38" y="{y + 1.5:.1f}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="40" y="{y - 2.5:.1f}" width="{100 * e.value:.2f}" height="5" fill="var(--ink)" fill-opacity=".5"/>'
            f'<path d="M{40 + 100 * e.low:.2f} {y}H{40 + 100 * e.high:.2f}" stroke="currentColor" stroke-width=".6"/>'
            f'<text x="143" y="{y + 1.5:.1f}">{e.value:.2f} ({e.n})</text>'
        )
    frame = '<path d="M40 1V{0}M140 1V{0}" stroke="currentColor" stroke-width=".2"/>'.format(8 * len(rows) + 1)
    return (
        f'<svg viewBox="0 0 165 {8 * len(rows) + 3}" font-size="4" fill="currentColor" role="img">'
        f"{frame}{''.join(lines)}</svg>"
    )


def _confidence(report: Report) -> Iterable[str]:
    c = report.calibration
    if not c.bins:
        return
    yield "<h2>置信度</h2>"
    yield (
        f"<p>ECE {_figure(c.error)}（{c.error.low:.3f}–{c.error.high:.3f}），Brier {_figure(c.brier)}，"
        f"AURC {c.area_under_risk:.3f}，已答 {c.error.n} 题。</p>"
    )
    yield f"<figure>{_reliability(c.bins)}<figcaption>置信度（横）与正确率（纵）</figcaption></figure>"
    points = [(coverage, risk) for _, coverage, risk in c.curve]
    yield f"<figure>{_curve(points)}<figcaption>覆盖率（横）与错误率（纵）</figcaption></figure>"


def _axes(inside: str, across: Sequence[str] = ("0.0", "0.5", "1.0")) -> str:
    """A square with ticks at 0, one half and 1; ``across`` names those below."""
    ticks = "".join(
        f'<text x="{10 + 80 * t:.0f}" y="99" font-size="5" text-anchor="middle" fill="currentColor">{below}</text>'
        f'<text x="8" y="{92 - 80 * t:.0f}" font-size="5" text-anchor="end" fill="currentColor">{t:.1f}</text>'
        for t, below in zip((0.0, 0.5, 1.0), across, strict=True)
    )
    frame = '<path d="M10 10V90H90" fill="none" stroke="currentColor" stroke-width=".5"/>'
    return f'<svg viewBox="-4 4 104 100" role="img">{frame}{ticks}{inside}</svg>'


def _reliability(bins: Sequence[Bin]) -> str:
    diagonal = '<path d="M10 90L90 10" stroke="currentColor" stroke-width=".3" stroke-dasharray="2 2"/>'
    most = max(b.count for b in bins)
    dots = "".join(
        f'<circle cx="{10 + 80 * b.confidence:.2f}" cy="{90 - 80 * b.accuracy:.2f}" '
        f'r="{1 + 3 * math.sqrt(b.count / most):.2f}" fill="var(--ink)" fill-opacity=".7">'
        f"<title>{b.count} 题：置信度 {b.confidence:.2f}，正确率 {b.accuracy:.2f}</title></circle>"
        for b in bins
    )
    return _axes(diagonal + dots)


def _curve(points: Sequence[tuple[float, float]], across: Sequence[str] = ("0.0", "0.5", "1.0")) -> str:
    path = " ".join(f"{10 + 80 * x:.2f},{90 - 80 * y:.2f}" for x, y in points)
    return _axes(f'<polyline points="{path}" fill="none" stroke="var(--bad)" stroke-width="1"/>', across)


def _misses(report: Report) -> Iterable[str]:
    missed = misses(report)
    yield f"<h2>未答对的问题（{len(missed)}）</h2>"
    numbers = Counter(outcome.cause for outcome in missed)
    yield "<p>" + "，".join(f"{CAUSES[cause]} {count}" for cause, count in numbers.most_common()) + "</p>"
    yield from map(_miss, missed)


def _miss(o: Outcome) -> str:
    ranks = "、".join(map(str, o.relevant_ranks)) or "不在前 10 段"
    rows = {
        "补全后的问题": "" if o.resolved_question == o.question else o.resolved_question,
        "应答": " ＋ ".join(" / ".join(group) for group in o.expected) or "（应拒答）",
        "证据": " ‖ ".join(o.evidence),
        "证据名次": ranks if o.answerable else "",
        "答案": o.answer,
        "引句": o.sentence,
        "拒答理由": o.reason,
        "首段": o.top_passage,
        "置信度": f"{o.confidence:.2f}",
    }
    cells = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items() if v)
    about = escape(" ".join(filter(None, (o.id, o.type, o.style, o.kind, o.document))))
    return (
        f"<details><summary>{CAUSES[o.cause]}：{escape(o.question)} <small>{about}</small></summary>"
        f"<dl>{cells}</dl></details>"
    )
