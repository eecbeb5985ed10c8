"""Gazettes of a city that does not exist, in every form a gazette was seen or may be met in."""

from __future__ import annotations

import re
import tarfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from index.chunks import split_passages
from index.gazette import parse_gazette
from index.records import Document, Gazette, Source
from index.text import readable

REPORT = "关于全市水库安全运行情况的报告"
DECISION = "云川市人民代表大会常务委员会关于加强水库保护的决定"
RULES = "云川市人民代表大会常务委员会议事规则"
LIST = "云川市人民代表大会常务委员会任免名单"
SESSION = "云川市第九届人民代表大会常务委员会第十二次会议"

COVER = """# 云川市人民代表大会常务委员会公报

2023 年
第 2 号
(总第 45 号)

编辑 赵 一
"""

CATALOGUE = f"""## 目 录

1. {REPORT}…………… 1
2. {DECISION}…………… 4
3. {RULES}…………… 7
4. {LIST}…………… 9

主办单位：云川市人大常委会办公室
电 话：0999—1234567
"""

REPORT_TEXT = f"""# {REPORT}

——2023年4月26日在{SESSION}上

云川市水利局局长 钱 二

主任、各位副主任、各位委员：

受市人民政府委托，现将全市水库安全运行情况报告如下，请予审议。

## 一、基本情况

全市现有水库31座，其中中型水库4座、小型水库27座，总库容1.2亿立方米。

### 二、主要做法

（一）落实责任

市县两级明确了每座水库的行政责任人、技术责任人和巡查责任人，建立了责任人名册，并在媒

体上公示。

一是加强巡查。汛期每日巡查两次。二是加强培训。

#### （二）除险加固

投入资金5600万元，完成除险加固18座。

# 三、下一步打算

力争2023年底前完成剩余3座水库的除险加固。
"""

DECISION_TEXT = f"""## 云川市人民代表大会常务委员会

关于加强水库保护的决定

（2023年4月26日{SESSION}通过）

为了加强水库保护，保障供水安全，作出如下决定：

一、水库保护范围内禁止倾倒垃圾。

二、市水利局负责监督实施。

三、本决定自2023年6月1日起施行。
"""

RULES_TEXT = f"""# {RULES}

（2009年3月3日云川市第六届人民代表大会常务委员会第八次会议通过　2023年4月26日{SESSION}修正）

第一条　为了规范议事程序，根据有关法律，制定本规则。

第二条　常务委员会会议由主任召集并主持。

会议每两个月至少举行一次。

第三条　有下列情形之一的，可以临时召集会议：

（一）主任会议认为必要；

（二）五分之一以上组成人员提议。

第四条　本规则自公布之日起施行。
"""

LIST_TEXT = f"""# {LIST}

（2023年4月26日{SESSION}通过）

任命：

孙三为云川市水利局局长；

李四为云川市中级人民法院副院长。

免去：

周五的云川市水利局局长职务。
"""

BODY = "\n".join((REPORT_TEXT, DECISION_TEXT, RULES_TEXT, LIST_TEXT))
WHOLE = [("报告", REPORT), ("决定", DECISION), ("办法", RULES), ("名单", LIST)]


def without_marks(text: str) -> str:
    return "\n".join(line.lstrip("# ") for line in text.split("\n"))


def shuffled_marks(text: str) -> str:
    """Each heading's mark replaced by another, in turn: ## # #### ###."""
    marks, out = ["## ", "# ", "#### ", "### "], []
    for line in text.split("\n"):
        if line.startswith("#"):
            marks.append(marks.pop(0))
            line = marks[-1] + line.lstrip("# ")
        out.append(line)
    return "\n".join(out)


def hard_wrapped(text: str, width: int = 30) -> str:
    """Plain text as exported long ago: paragraphs indented by two full-width spaces, lines of one width, no gaps."""
    out = []
    for line in without_marks(text).split("\n"):
        if line:
            line = line if line.startswith(("关于", "云川市", "——", "（2")) else "\u3000\u3000" + line
            out += [line[i : i + width] for i in range(0, len(line), width)] if len(line) > 60 else [line]
        elif out and out[-1]:
            out.append("")
    return "\n".join(line for line in out if line)


def traditional(text: str) -> str:
    from opencc import OpenCC

    return str(OpenCC("s2t").convert(text))


@dataclass(frozen=True)
class Case:
    text: str
    documents: list[tuple[str, str]] = field(default_factory=lambda: WHOLE)
    issue: tuple[int | None, int | None, int | None] = (2023, 2, 45)
    catalogue: int = 4
    front: bool = True
    name: str = "文件.md"


CASES = {
    "as printed": Case(COVER + CATALOGUE + BODY),
    "heading marks shuffled": Case(COVER + CATALOGUE + shuffled_marks(BODY)),
    "no heading marks": Case(without_marks(COVER + CATALOGUE + BODY), name="公报.txt"),
    "no catalogue": Case(COVER + BODY, catalogue=0),
    "no catalogue, no marks": Case(without_marks(COVER + BODY), catalogue=0),
    "no cover, no catalogue": Case(BODY, issue=(None, None, None), catalogue=0, front=False),
    "issue only in the file name": Case(
        BODY, catalogue=0, front=False, issue=(2023, 2, None), name="云川市人民代表大会常务委员会公报-2023年第2号.md"
    ),
    "windows line ends": Case((COVER + CATALOGUE + BODY).replace("\n", "\r\n")),
    "hard-wrapped plain text": Case(COVER + CATALOGUE + hard_wrapped(BODY), name="公报.txt"),
    "catalogue without pages": Case(
        COVER + f"## 目录\n\n{REPORT}\n\n{DECISION}\n\n{RULES}\n\n{LIST}\n\n" + BODY,
    ),
    "catalogue in brackets, pages in brackets": Case(
        COVER + f"〔目　次〕\n\n{REPORT} (1)\n{DECISION}········(4)\n{RULES}—————（7）\n{LIST}  （9）\n\n" + BODY,
    ),
    "catalogue as a pipe table": Case(
        COVER + "## 目录\n\n| 标题 | 页码 |\n| --- | --- |\n"
        f"| {REPORT} | 1 |\n| {DECISION} | 4 |\n| {RULES} | 7 |\n| {LIST} | 9 |\n\n" + BODY,
    ),
    "catalogue with tabs": Case(COVER + f"目录\n{REPORT}\t1\n{DECISION}\t4\n{RULES}\t7\n{LIST}\t9\n\n" + BODY),
    "catalogue lines broken": Case(
        COVER + f"目录\n\n{REPORT}……1\n云川市人民代表大会常务委员会关于\n加强水库保护的决定……4\n{RULES}……7\n{LIST}……9\n\n" + BODY
    ),
    "catalogue with section labels": Case(
        COVER + f"## 目录\n\n【报告】\n{REPORT}……1\n【决定】\n{DECISION}……4\n{RULES}……7\n【人事】\n{LIST}……9\n\n" + BODY
    ),
    "catalogue cut by a repeated cover": Case(
        COVER + f"## 目录\n\n1. {REPORT}……1\n2. {DECISION}……4\n\n主办：云川市人大常委会\n\n" + COVER
        + f"3. {RULES}……7\n4. {LIST}……9\n\n---\n\n地址：云川市长川路1号\n\n" + BODY
    ),
    "titles in the catalogue shorter and with OCR errors": Case(
        COVER + f"## 目录\n\n1. 关于水库安全运行情况的报告……1\n2. 关于加强水库保护的决定……4\n"
        f"3. 云川市人民代表大会常务委员会议亊规则……7\n4. {LIST[:-2]}名草……9\n\n" + BODY
    ),
    "a catalogue item without body": Case(
        COVER + CATALOGUE.replace("4. ", "4. 关于全市林业工作情况的报告…………… 8\n5. ") + BODY, catalogue=5
    ),
    "title over three lines": Case(
        COVER + CATALOGUE + BODY.replace(f"# {REPORT}", "## 关于全市\n## 水库安全运行\n## 情况的报告")
    ),
    "articles as headings": Case(COVER + CATALOGUE + BODY.replace("第二条　", "#### **第二条 ").replace("主持。", "主持。**")),
    "articles bold": Case(COVER + CATALOGUE + BODY.replace("第三条　", "**第三条** ").replace("第一条　", "**第一条**　")),
    "articles spaced": Case(COVER + CATALOGUE + BODY.replace("第一条　", "第 一 条 ").replace("第二条　", "第二 条")),
    "issue in characters": Case(
        COVER.replace("2023 年\n第 2 号\n(总第 45 号)", "二〇二三年第二号（总第四十五号）") + CATALOGUE + BODY
    ),
    "issue with a dot": Case(COVER.replace("2023 年\n第 2 号\n(总第 45 号)", "2023·2（总第45期）") + CATALOGUE + BODY),
    "page number and running head inside a paragraph": Case(
        COVER + CATALOGUE + BODY.replace(
            "并在媒\n\n体上公示", "并在媒\n\n— 2 —\n\n云川市人民代表大会常务委员会公报２０２３·２\n\n体上公示"
        )
    ),
    "page numbers between": Case(COVER + CATALOGUE + BODY.replace("### 二、", "— 2 —\n\n### 二、").replace("# 三、", "- 3 -\n\n# 三、")),
}  # fmt: skip


def parse(case: Case) -> tuple[Gazette, Source]:
    source = Source(id="0" * 16, name=case.name, text=case.text, sha256="0" * 64)
    return parse_gazette(source), source


@pytest.fixture(params=list(CASES), scope="module")
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[str(request.param)]


def test_documents_kinds_and_titles(case: Case) -> None:
    gazette, _ = parse(case)
    assert [(d.kind, d.title) for d in gazette.documents if d.n] == case.documents
    assert (gazette.documents[0].n == 0) == case.front


def test_issue_card_and_catalogue(case: Case) -> None:
    gazette, _ = parse(case)
    assert (gazette.year, gazette.number, gazette.total_number) == case.issue
    assert len(gazette.catalogue) == case.catalogue
    assert sum(1 for item in gazette.catalogue if item.document_id) == (4 if case.catalogue else 0)


def test_who_when_and_where(case: Case) -> None:
    report, decision, rules, appointments = [d for d in parse(case)[0].documents if d.n]
    assert (report.organ, report.speaker, report.date, report.session) == (
        "云川市水利局",
        "钱二",
        "2023-04-26",
        SESSION,
    )
    assert (decision.organ, decision.date) == ("云川市人民代表大会常务委员会", "2023-04-26")
    assert rules.date == "2009-03-03"  # when it was first passed
    assert (appointments.organ, appointments.session) == ("云川市人民代表大会常务委员会", SESSION)


def headings_of(document: Document, source: Source, phrase: str) -> tuple[str, ...]:
    return next(p.headings for p in document.paragraphs if phrase in readable(source.text[p.start : p.end]))


def test_headings_by_numeral(case: Case) -> None:
    gazette, source = parse(case)
    report = next(d for d in gazette.documents if d.kind == "报告")
    assert headings_of(report, source, "总库容") == ("一、基本情况",)
    assert headings_of(report, source, "巡查责任人") == ("二、主要做法", "（一）落实责任")
    assert headings_of(report, source, "5600万元") == ("二、主要做法", "（二）除险加固")
    assert headings_of(report, source, "剩余3座") == ("三、下一步打算",)


def test_articles(case: Case) -> None:
    gazette, source = parse(case)
    rules = next(d for d in gazette.documents if "议事规则" in d.title)
    articles = [p.article for p in rules.paragraphs if p.article]
    assert list(dict.fromkeys(articles)) == ["第一条", "第二条", "第三条", "第四条"]
    by_article = {p.article: readable(source.text[p.start : p.end]) for p in rules.paragraphs}
    assert by_article["第三条"].endswith("提议。")
    assert "两个月" in by_article["第二条"]


def test_cut_paragraph(case: Case) -> None:
    gazette, source = parse(case)
    report = next(d for d in gazette.documents if d.kind == "报告")
    paragraph = next(p for p in report.paragraphs if "巡查责任人" in readable(source.text[p.start : p.end]))
    text = readable(source.text[paragraph.start : paragraph.end])
    assert text.endswith("体上公示。")
    assert text.startswith("市县两级")
    assert len(paragraph.joins) >= 1


def test_passages_of_every_form(case: Case) -> None:
    gazette, source = parse(case)
    passages = split_passages(gazette, source)
    assert all(source.text[p.start : p.end] == p.text for p in passages)
    assert any("钱 二" in p.text and p.document == REPORT for p in passages)


def test_traditional_characters() -> None:
    gazette, _ = parse(Case(traditional(COVER + CATALOGUE + BODY)))
    assert (gazette.year, gazette.number, len(gazette.catalogue)) == (2023, 2, 4)
    assert [d.kind for d in gazette.documents if d.n] == ["报告", "决定", "办法", "名单"]
    assert [a for a in dict.fromkeys(p.article for p in gazette.documents[3].paragraphs) if a][
        -1
    ] == "第四条"  # simple, as it is asked for


# ---- single documents and other kinds of gazette --------------------------------------------------------------------

REGULATION = """# 云川省湿地保护条例

2008年5月30日 云川省第八届人民代表大会常务委员会第三次会议通过

2020年9月25日 云川省第十届人民代表大会常务委员会第二十次会议《关于修改〈云川省湿地保护条例〉的决定》修正

<!-- INFO END -->

## 目　录

第一章　总则

第二章　保护与利用

　第一节　规划

## 第一章　总则

第一条 为了保护湿地，制定本条例。

第二条 本省行政区域内湿地的保护适用本条例。

## 第二章　保护与利用

### 第一节　规划

第三条 省林业主管部门编制湿地保护规划。

第三条之一 规划应当公布。

第四条 违反本条例第三条规定的，责令改正。

第五条 本条例自2008年8月1日起施行。
"""


def test_regulation_with_its_own_contents() -> None:
    gazette, source = parse(Case(REGULATION))
    (document,) = gazette.documents
    assert (document.n, document.kind, document.title) == (1, "条例", "云川省湿地保护条例")
    assert (document.organ, document.date) == ("云川省人民代表大会常务委员会", "2008-05-30")
    assert document.session == "云川省第八届人民代表大会常务委员会第三次会议"
    articles = [a for a in dict.fromkeys(p.article for p in document.paragraphs) if a]
    assert articles == ["第一条", "第二条", "第三条", "第三条之一", "第四条", "第五条"]
    assert headings_of(document, source, "为了保护湿地") == ("第一章总则",)
    assert headings_of(document, source, "编制湿地") == ("第二章保护与利用", "第一节规划")


GOVERNMENT = """云川市人民政府公报

2024年第3期（总第120期）

目录

【市政府文件】
云川市人民政府关于印发云川市停车管理办法的通知……………… 3
云川市人民政府关于表彰先进集体的决定……………… 8
【市政府办公室文件】
云川市人民政府办公室关于做好防汛工作的通知……………… 10

云川市人民政府关于印发云川市停车管理办法的通知
云政发〔2024〕5号

各县（区）人民政府，市政府各部门：

现将《云川市停车管理办法》印发给你们，请认真贯彻执行。

云川市人民政府
2024年3月1日

云川市停车管理办法

第一章 总则

第一条 为了规范停车，制定本办法。

第二章 附则

第二条 本办法自2024年4月1日起施行。

云川市人民政府关于表彰先进集体的决定
云政发〔2024〕6号

各县（区）人民政府：

决定授予10个单位先进集体称号。

附件：先进集体名单

云川市人民政府
2024年3月5日

附件

先进集体名单

市水利局
市林业局

云川市人民政府办公室关于做好防汛工作的通知
云政办发〔2024〕9号

各县（区）人民政府：

请做好防汛工作。

云川市人民政府办公室
2024年3月10日
"""


def test_government_gazette() -> None:
    gazette, source = parse(Case(GOVERNMENT))
    assert (gazette.title, gazette.year, gazette.number, gazette.total_number) == ("云川市人民政府公报", 2024, 3, 120)
    found = [(d.kind, d.title, d.organ, d.date) for d in gazette.documents if d.n]
    assert found == [
        ("通知", "云川市人民政府关于印发云川市停车管理办法的通知", "云川市人民政府", "2024-03-01"),
        ("办法", "云川市停车管理办法", None, None),
        ("决定", "云川市人民政府关于表彰先进集体的决定", "云川市人民政府", "2024-03-05"),
        ("通知", "云川市人民政府办公室关于做好防汛工作的通知", "云川市人民政府办公室", "2024-03-10"),
    ]
    awards = next(d for d in gazette.documents if d.kind == "决定")
    assert headings_of(awards, source, "市林业局")[0] == "附件"
    assert all(item.document_id for item in gazette.catalogue)


VOTES = """# 云川市人民代表大会常务委员会第十二次会议纪要

会议于2023年4月26日召开，应到30人，实到28人。

附件1

表决情况

{table}

附件2

出席人员

赵一 钱二 孙三
"""


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("项目\t赞成\t反对\n甲报告\t27 票\t1 票\n乙报告\t28 票\t0 票", id="tabs"),
        pytest.param(
            "| 项目 | 赞成 | 反对 |\n|---|:-:|--:|\n| 甲报告 | 27 票 | 1 票 |\n| 乙报告 | 28 票 | 0 票 |", id="pipes"
        ),
        pytest.param(
            "项目\t赞成\t反对\n\n甲报告\t27 票\t1 票\n\n乙报告\t28 票\t0 票", id="an empty line after each row"
        ),
        pytest.param(
            "<table><tr><td>项目</td><td>赞成</td></tr><tr><td>甲报告</td><td>27 票</td></tr></table>",
            id="HTML in one line",
        ),
        pytest.param("项目      赞成    反对\n甲报告    27票    1票\n乙报告    28票    0票", id="aligned blanks"),
    ],
)
def test_tables(table: str) -> None:
    gazette, source = parse(Case(VOTES.format(table=table)))
    (document,) = gazette.documents
    (found,) = [p for p in document.paragraphs if p.kind == "table"]
    assert readable(source.text[found.start : found.end]) == readable(table)
    assert found.headings == ("附件1",)
    assert document.kind == "纪要"
    assert document.date == "2023-04-26"
    assert headings_of(document, source, "赵一") == ("附件2",)


def test_names_in_columns_are_no_table_and_a_label_below_them_is_none_of_them() -> None:
    names = "出席人员：\n赵  一    钱二丁    孙  三\n李四丙    周  五    吴  六\n请假人员：\n郑  七    王  八"
    gazette, source = parse(Case(f"# 云川市人大常委会第十二次会议纪要\n\n会议于2023年4月26日召开。\n\n{names}\n"))
    (document,) = gazette.documents
    assert [p.kind for p in document.paragraphs] == ["title", *["text"] * (len(document.paragraphs) - 1)]
    lines = [source.text[p.start : p.end] for p in document.paragraphs]
    assert "出席人员：" in lines
    assert "请假人员：" in lines


def test_the_gazettes_name_is_no_line_of_a_title_and_a_place_needs_no_dash() -> None:
    gazette, _ = parse(
        Case(
            "# 丁河区人大常委会公报（2022年第2期）\n\n## 丁河区人大常委会第三次会议议程\n\n1. 听取报告\n\n"
            "### 丁河区人民政府关于养老服务工作情况的报告\n2022年5月26日在区第十届人大常委会第三次会议上\n"
            "区民政局局长 蔡 芳\n\n养老服务站46处。\n"
        )
    )
    assert (gazette.year, gazette.number) == (2022, 2)
    assert [(d.kind, d.title, d.speaker) for d in gazette.documents][1:] == [
        ("议程", "丁河区人大常委会第三次会议议程", None),
        ("报告", "丁河区人民政府关于养老服务工作情况的报告", "蔡芳"),
    ]


def test_pages_of_a_catalogue_in_spaced_brackets() -> None:
    head = "云川市人大常委会公报\n\n2023年第2号\n\n目    录\n\n关于水库情况的报告 …… ( 1 )\n会议纪要及任免名单 …… ( 10 )\n\n"
    gazette, _ = parse(Case(head + "关于水库情况的报告\n\n水库31座。\n\n会议纪要及任免名单\n\n到会30人。\n"))
    assert [(item.title, item.page) for item in gazette.catalogue] == [
        ("关于水库情况的报告", 1),
        ("会议纪要及任免名单", 10),
    ]
    assert [d.title for d in gazette.documents][1:] == ["关于水库情况的报告", "会议纪要及任免名单"]


@pytest.mark.parametrize(
    ("text", "title", "count"),
    [
        pytest.param("# 云川水库简介\n\n云川水库建于1958年。", "云川水库简介", 2, id="a heading"),
        pytest.param("云川水库建于1958年。总库容三千万立方米。", "笔记", 1, id="no heading: the file's name"),
        pytest.param("今天开会\n\n1. 讨论\n2. 表决", "今天开会", 3, id="a short first line"),
        pytest.param("目录\n\n这里没有目录。", "目录", 2, id="only the word catalogue"),
        pytest.param("第一章 总则\n第一条 甲。\n第二条 乙。", "笔记", 3, id="articles without title"),
    ],
)
def test_a_text_that_is_no_gazette_is_one_document(text: str, title: str, count: int) -> None:
    gazette, _ = parse(Case(text, name="笔记.txt"))
    assert [(d.n, d.title, len(d.paragraphs)) for d in gazette.documents] == [(1, title, count)]


def test_title_printed_again_is_one_document() -> None:
    text = "# 2026年云川省政府工作报告\n\n政府工作报告\n\n——2026年1月26日在云川省第四次会议上\n\n省长　赵 一\n\n各位代表：\n\n现在报告工作。"
    (document,) = parse(Case(text))[0].documents
    assert (document.title, document.speaker, document.date) == ("2026年云川省政府工作报告", "赵一", "2026-01-26")


@pytest.mark.parametrize("text", ["", "\n\n\n", "---\n\n***\n", "\ufeff", "<!-- nothing -->"])
def test_a_text_without_words_has_no_documents(text: str) -> None:
    assert parse(Case(text))[0].documents == ()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("字" * 1_000_000, id="one line of a million characters"),
        pytest.param("# 一、标题\n" * 30_000, id="thirty thousand headings"),
        pytest.param("目录\n" + "关于某事的报告……1\n" * 20_000, id="a catalogue without end"),
        pytest.param(
            "目录\n" + "".join(f"关于第{i}件事的报告…{i % 999}\n" for i in range(3000)) * 2, id="a catalogue twice"
        ),
        pytest.param("-" * 399 + "x\n" + "|-" * 200_000, id="rules that are none"),
        pytest.param("（" * 200_000 + "2021年", id="brackets never closed"),
        pytest.param("\t".join("甲" * 300_000), id="a row of 300,000 cells"),
        pytest.param("没有句号的一行，\n" * 30_000, id="one paragraph cut 30,000 times"),
        pytest.param("**" * 300_000, id="bold marks only"),
        pytest.param("（2021年1月1日\n" * 20_000, id="notes never closed"),
        pytest.param("第一条 " * 200_000, id="articles in one line"),
        pytest.param("云川市" * 300 + "人民政府市长 " * 50_000, id="posts without names"),
    ],
)
def test_hostile_text_takes_seconds_at_most(text: str) -> None:
    started = time.perf_counter()
    gazette, source = parse(Case(text))
    split_passages(gazette, source)
    assert time.perf_counter() - started < 20


# ---- many statutes --------------------------------------------------------------------------------------------------

LAWS = Path(__file__).parents[3] / "shared" / "data" / "laws.tar.xz"
PLAIN_ARTICLE = re.compile(r"(?m)^[#* ]*第[一二三四五六七八九十百千零〇]+条(?:之[一二三四五六七八九])?[\s*]")


@pytest.mark.slow
@pytest.mark.skipif(not LAWS.exists(), reason=f"the statutes are not here: {LAWS.name}")
def test_statutes_are_one_document_each_with_all_their_articles() -> None:
    statutes = 0
    split: list[str] = []
    wrong: list[str] = []
    with tarfile.open(LAWS) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() and statutes < 600 else None
            if file is None:
                continue
            statutes += 1
            text = file.read().decode("utf-8")
            gazette, _ = parse(Case(text, name=member.name.rsplit("/", 1)[-1]))
            if len(gazette.documents) != 1:
                split.append(member.name)
            found = {p.article for d in gazette.documents for p in d.paragraphs if p.article}
            plain = {match[0].strip("#* \n\t\u3000") for match in PLAIN_ARTICLE.finditer(text)}
            if not plain <= found:
                wrong.append(member.name)
    assert statutes == 600
    assert len(split) <= statutes // 200, split  # a list printed below a statute may be a document of its own
    assert not wrong
