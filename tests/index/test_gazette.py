"""Structure: the real gazette from end to end, then real damage and gazettes nobody has seen."""

from __future__ import annotations

import pytest

from index.gazette import parse_gazette
from index.records import Document, Gazette, Paragraph, Source
from index.text import readable


def source_of(text: str, name: str = "文件.md") -> Source:
    return Source(id="0" * 16, name=name, text=text, sha256="0" * 64)


def words(source: Source, part: Document | Paragraph) -> str:
    return readable(source.text[part.start : part.end])


# ---- the real gazette -----------------------------------------------------------------------------------------------

# n, kind, organ, speaker, title; written down from the printed gazette
_DECISION = "营口市人民代表大会常务委员会关于进一步加强全市义务教育工作的决定"
_MEASURES = "营口市人大常委会关于对依法任命的国家机关工作人员进行履职评议的办法（试行）"
_INSPECTION = "市人大常委会组成人员对市人大常委会执法检查组关于检查"
REAL = [
    (1, "纪要", "营口市人民代表大会常务委员会", None, "营口市第十六届人民代表大会常务委员会第三十四次会议纪要"),
    (2, "议程", "营口市人民代表大会常务委员会", None, "营口市第十六届人民代表大会常务委员会第三十四次会议议程"),
    (3, "报告", "营口市人民政府", "金莉", "关于我市义务教育工作情况的报告"),
    (4, "决定", "营口市人民代表大会常务委员会", None, _DECISION),
    (5, "说明", "营口市人大常委会", "张文胜", f"营口市人大常委会主任会议关于《{_DECISION}（草案）》的说明"),
    (6, "报告", "营口市人民政府", "高洪涛", "关于全市产业扶贫工作情况的报告"),
    (7, "报告", "营口市人大农业与农村委员会", None, "营口市人大农业与农村委员会关于我市产业扶贫工作情况的调查报告"),
    (8, "审议意见", "市人大常委会", None, "市人大常委会组成人员对《市政府关于全市产业扶贫工作情况的报告》的审议意见"),
    (9, "决议", "营口市人大常委会", None, "营口市人大常委会关于批准2021年市本级预算调整方案的决议"),
    (10, "报告", "营口市财政局", "张丽杰", "关于市本级2021年财政预算调整方案的报告"),
    (11, "报告", "市人大财经委", "王恩锋", "关于市本级2021年预算调整方案的审查情况报告"),
    (12, "办法", "营口市人大常委会", None, _MEASURES),
    (13, "说明", "营口市人大常委会", "张文胜", f"营口市人大常委会主任会议关于对《{_MEASURES}（草案）》的说明"),
    (14, "决定", "营口市人民代表大会常务委员会", None, "营口市人民代表大会常务委员会关于全市县乡两级人民代表大会换届选举时间的决定"),
    (15, "报告", "营口市人民政府", None, f"关于《{_INSPECTION}〈营口市机动车停车管理条例实施情况的报告〉的审议意见》落实情况的报告"),
    (16, "报告", "营口市人民政府", None, f"关于《{_INSPECTION}我市实施〈辽宁省食品安全条例〉情况的审议意见》落实情况的报告"),
    (17, "报告", "营口市人民政府", None, f"关于《{_INSPECTION}〈中华人民共和国海关法〉实施情况的报告的审议意见》落实情况的报告"),
    (18, "报告", "营口市人民政府", None, "关于《市人大常委会组成人员对市政府〈关于我市医疗保障情况的报告〉的审议意见》落实情况的报告"),
    (19, "名单", "营口市人民代表大会常务委员会", None, "营口市人民代表大会常务委员会决定任免名单"),
]  # fmt: skip


def test_issue_card(sample_gazette: Gazette) -> None:
    gazette = sample_gazette
    assert (gazette.title, gazette.organ) == ("营口市人民代表大会常务委员会公报", "营口市人民代表大会常务委员会")
    assert (gazette.year, gazette.number, gazette.total_number) == (2021, 3, 31)


def test_every_document_of_the_real_gazette(sample_gazette: Gazette) -> None:
    front, *documents = sample_gazette.documents
    assert (front.n, front.kind) == (0, "封面")
    assert [(d.n, d.kind, d.organ, d.speaker, d.title) for d in documents] == REAL


def test_catalogue_in_two_parts_leads_to_every_document(sample_gazette: Gazette) -> None:
    by_id = {d.id: d for d in sample_gazette.documents}
    assert [item.page for item in sample_gazette.catalogue] == [
        1, 4, 5, 9, 13, 16, 20, 23, 25, 25, 26, 28, 30, 31, 32, 35, 41, 46, 51
    ]  # fmt: skip
    assert [by_id[item.document_id].n for item in sample_gazette.catalogue if item.document_id] == list(range(1, 20))


def test_dates_and_sessions(sample_gazette: Gazette) -> None:
    printed = sample_gazette.documents[1:]
    # the agenda names no date
    assert [d.date for d in printed] == ["2021-06-10", None] + ["2021-06-10"] * 17
    sessions = {d.n: d.session for d in printed}
    assert sessions[7] == "营口市第十六届人民代表大会常务委员会第三十三次会议"  # as printed, though the others say 34
    assert sessions[8] == "市十六届人大常委会第三十四次会议"
    assert sessions[12] == "营口市第十六届人大常委会第三十四次会议"


@pytest.mark.parametrize(
    ("n", "first", "last"),
    [
        pytest.param(
            1, "营口市第十六届人民代表大会常务委员会第三十四次会议纪要", "胡传新李红", id="minutes with attachments"
        ),
        pytest.param(9, "营口市人大常委会关于批准2021年市本级预算调整方案的决议", "预算调整方案。", id="one paragraph"),
        pytest.param(14, "营口市人民代表大会常务委员会关于全市县乡", "代表大会代表。", id="title over three lines"),
        pytest.param(19, "营口市人民代表大会常务委员会决定任免名单", "副市长。", id="the last one"),
    ],
)
def test_span_of_a_document(sample_gazette: Gazette, sample_source: Source, n: int, first: str, last: str) -> None:
    text = words(sample_source, sample_gazette.documents[n])
    assert text.startswith(first)
    assert text.endswith(last)


def test_articles_bold_or_headed(sample_gazette: Gazette) -> None:
    articles: list[str] = []
    for paragraph in sample_gazette.documents[12].paragraphs:
        if paragraph.article and paragraph.article not in articles:
            articles.append(paragraph.article)
    numerals = "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四".split()
    assert articles == [f"第{numeral}条" for numeral in numerals]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        pytest.param("先后从部属高校", "“直招”高层次教师", id="before a quotation mark"),
        pytest.param("关于《市", "人大常委会执法检查组", id="inside a title"),
        pytest.param("“应学尽学”，", "制定《营口市控辍保学", id="after a comma"),
        pytest.param("作如下说", "明：", id="two characters left"),
        pytest.param("事关民族", "未来。", id="inside the last words"),
        pytest.param("对被评议人就市人", "大常委会组织开展", id="under an article"),
        pytest.param("会议听取并审议被评", "议人专项工作履职报告", id="a short list item"),
        pytest.param("注册资金出资比例相", "关要求", id="what looks like a long heading"),
        pytest.param(
            "每年集中扶持发展1—2个优势产业，不搞大水漫灌，集中力量办大事。二要", "强化金融产品", id="after an ordinal"
        ),
        pytest.param("提供线上远程技术", "诊断、技术指导", id="between two words"),
    ],
)
def test_cut_paragraphs_are_joined(sample_gazette: Gazette, sample_source: Source, left: str, right: str) -> None:
    text = sample_source.text
    cuts = [cut for d in sample_gazette.documents for p in d.paragraphs for cut in p.joins]
    assert any(text[:cut].endswith(left) and text[cut:].lstrip().startswith(right) for cut in cuts)


def test_nothing_is_joined_that_belongs_apart(sample_gazette: Gazette, sample_source: Source) -> None:
    for document in sample_gazette.documents:
        for paragraph in document.paragraphs:
            if paragraph.kind in ("text", "item"):
                for cut in paragraph.joins:
                    assert sample_source.text[cut - 1] not in "。！？；：", sample_source.text[cut - 20 : cut + 20]


def test_tables_and_attachments(sample_gazette: Gazette, sample_source: Source) -> None:
    minutes = sample_gazette.documents[1]
    votes, names = (p for p in minutes.paragraphs if p.kind == "table")
    assert votes.headings == ("附件1", "对市政府专项工作报告测评统计结果")
    assert sample_source.text[votes.start : votes.end].count("\n") == 6  # a head and six reports
    assert names.headings[0] == "附件2"
    assert "薛 静" in sample_source.text[names.start : names.end]


@pytest.mark.parametrize(
    ("phrase", "headings"),
    [
        pytest.param(
            "194名重度残疾学生",
            ("二、主要做法和工作成效", "（一）强化政策引领，推动义务教育优质均衡发展"),
            id="heading without a mark under one with",
        ),
        pytest.param(
            "近三年，全市义务教育",
            ("二、主要做法和工作成效", "（四）加大投入力度，夯实义务教育发展基础"),
            id="#### under ##",
        ),
        pytest.param(
            "2022年基本实现小学班额",
            ("二、科学规划城乡义务教育学校布局，全力推进义务教育优质均衡发展", "6、严格控制学校规模"),
            id="run-in heading of the paragraph before",
        ),
        pytest.param(
            "2020年6月底，城乡居民医保政策",
            ("一、进一步完善机制，强化统筹协调能力", "（一）统筹推进医保政策落实", "一是深入推进城乡居民医保制度整合"),
            id="three deep",
        ),
        pytest.param("加强和改进我市产业扶贫工作", (), id="closing words of a speech"),
    ],
)  # fmt: skip
def test_headings_above(sample_gazette: Gazette, sample_source: Source, phrase: str, headings: tuple[str, ...]) -> None:
    found = [p for d in sample_gazette.documents for p in d.paragraphs if phrase in words(sample_source, p)]
    assert [p.headings for p in found] == [headings]


def test_paragraphs_are_in_order_and_cover_the_words(sample_gazette: Gazette, sample_source: Source) -> None:
    text, at = sample_source.text, 0
    left: list[str] = []
    for document in sample_gazette.documents:
        assert [p.n for p in document.paragraphs] == list(range(1, len(document.paragraphs) + 1))
        assert (document.start, document.end) == (document.paragraphs[0].start, document.paragraphs[-1].end)
        for paragraph in document.paragraphs:
            assert at <= paragraph.start < paragraph.end <= len(text)
            left.append(text[at : paragraph.start])
            at = paragraph.end
            assert all(paragraph.start < cut < paragraph.end for cut in paragraph.joins)
    left.append(text[at:])
    assert set("".join(left)) <= set("\n\t #*-"), "only marks, rules and line ends stand outside paragraphs"


def test_same_text_same_gazette(sample_source: Source, sample_gazette: Gazette) -> None:
    assert parse_gazette(sample_source) == sample_gazette
