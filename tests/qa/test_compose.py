"""What a single span cannot say: tables, lists, both sides, differences, windows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from index.building import build
from index.store import open_index
from qa import compose, lists, several, tabular
from qa.ask import Assistant
from qa.candidates import Sentence, Span, context_sentences
from qa.evidence import Choice
from qa.features import Pool, WordRows, ask
from qa.question import analyse
from qa.quoting import widened, window

WORDS = WordRows()


def _pool(question: str, sentences: list[Sentence]) -> Pool:
    return Pool(ask(analyse(question)), sentences, WORDS, [1.0] * len(sentences))


def _table(*rows: str, head: str) -> list[Sentence]:
    return [
        Sentence(row, tuple(range(len(row))), document_id="d", paragraph=1, kind="table", head=head) for row in rows
    ]


def _choice(pool: Pool, n: int, words: str, kind: str, unit: str = "") -> Choice:
    sentence = pool.sentences[n]
    at = sentence.text.index(words)
    row = pool.features()[n]
    return Choice(sentence, n, Span(at, at + len(words), kind, unit), 1.0, 1.0, (), row)  # type: ignore[arg-type]


VOTES = _table(
    "报告\t满意\t基本满意\t不满意",
    "教育工作报告\t33票\t5票\t0票",
    "停车管理报告\t23票\t14票\t1票",
    "审计\t9票\t8票\t2票",
    head="报告\t满意\t基本满意\t不满意",
)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        pytest.param("教育工作报告得了多少满意票", "33票", id="row and column"),
        pytest.param("停车管理报告基本满意几票", "14票", id="the longer column name wins"),
        pytest.param("停车管理报告有几票不满意", "1票", id="column that holds another's name"),
        pytest.param("审计报告得了多少满意票", "9票", id="the row named whole, though another shares more words"),
        pytest.param("哪个报告满意票最多", "教育工作报告", id="row with the most"),
        pytest.param("哪个报告不满意票最少", "教育工作报告", id="row with the least"),
    ],
)
def test_table(question: str, words: str) -> None:
    found = tabular.answer(_pool(question, VOTES))
    assert found is not None
    assert found.row.sentence.text[found.span.start : found.span.end] == words


@pytest.mark.parametrize("question", ["医院有多少张床位", "教育工作报告是谁作的", "养老服务满意票多少"])
def test_a_table_is_silent_where_no_row_or_column_is_named(question: str) -> None:
    assert tabular.answer(_pool(question, VOTES)) is None


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("a\tb\t", ["a", "b", ""]),
        ("| a | b |", ["a", "b"]),
        ("<tr><td>a</td><td>b</td></tr>", ["a", "b"]),
        ("a", ["a"]),
    ],
)
def test_cells(row: str, cells: list[str]) -> None:
    assert [row[a:b].strip() for a, b in tabular.cells(row)] == cells


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        ("胡传新 李 红", ["胡传新", "李红"]),
        ("李 强\t徐 启\t车轲轶", ["李强", "徐启", "车轲轶"]),
        ("会议听取 了报告，通过", []),
        ("一人", []),
    ],
)
def test_names(raw: str, names: list[str]) -> None:
    assert tabular.names(Sentence("", ()), raw) == names


def test_a_difference_shows_its_arithmetic_and_both_quotes() -> None:
    pool = _pool(
        "一般公共预算支出比年初多了多少万元",
        context_sentences("年初一般公共预算支出825803万元。\n调整后一般公共预算支出881103万元。"),
    )
    choices = [_choice(pool, 0, "825803万元", "amount", "万元"), _choice(pool, 1, "881103万元", "amount", "万元")]
    made = several.difference(pool, choices)
    assert made is not None
    assert made.answer == "55300万元（881103－825803）"
    assert len(made.proofs) == 2


def test_two_values_of_the_same_thing_are_a_conflict_and_two_things_are_none() -> None:
    text = "2018年以来累计发放贷款2.08亿元，带动贫困户。\n累计发放贷款2.7亿元，带动贫困户。\n全年救助学生3万元。"
    pool = _pool("累计发放贷款多少亿元", context_sentences(text))
    first, second, third = (
        _choice(pool, n, w, "amount", "亿元" if "亿" in w else "万元")
        for n, w in enumerate(("2.08亿元", "2.7亿元", "3万元"))
    )
    made = several.conflict(pool, [first, second])
    assert made is not None
    assert (made.status, made.answer) == ("conflict", "2.08亿元；2.7亿元")
    assert several.conflict(pool, [first, third]) is None


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        pytest.param("什么是部分整改？", True, id="where the meaning is asked"),
        pytest.param("部分整改是谁定的？", False, id="and only there"),
    ],
)
def test_a_meaning_is_given_to_its_end(question: str, whole: bool) -> None:
    text = "所称部分整改，是指问题金额过半已纠正，或者已制定措施的情形。"
    pool = _pool(question, context_sentences(text))
    reading = compose.compose(
        pool, [_choice(pool, 0, "问题金额过半已纠正", "clause")], lambda _: pytest.fail("no document")
    )
    assert (reading.answer == "问题金额过半已纠正，或者已制定措施的情形") == whole


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        pytest.param("新的城商行叫什么名称？", "海州银行", id="the name alone"),
        pytest.param("要成立什么？", "成立一家新的城商行（海州银行）", id="where no name is asked for, as chosen"),
    ],
)
def test_a_name_in_brackets(question: str, answer: str) -> None:
    pool = _pool(question, context_sentences("将成立一家新的城商行（海州银行），由省政府批准。"))
    choice = _choice(pool, 0, "成立一家新的城商行（海州银行）", "words")
    assert compose.compose(pool, [choice], lambda _: pytest.fail("no document")).answer == answer
    open_ended = _choice(pool, 0, "成立一家新的城商行（海州银行", "words")
    assert compose.compose(pool, [open_ended], lambda _: pytest.fail("no document")).answer == answer


@pytest.mark.parametrize(
    ("one", "other", "answer"),
    [
        pytest.param("吊销营业执照", "吊销办学许可证", "吊销营业执照；吊销办学许可证", id="one thing said in two ways"),
        pytest.param("吊销营业执照", "给予通报批评", None, id="two things"),
        pytest.param("吊销营业执照", "吊销营业执照", None, id="the same"),
    ],
)
def test_phrases_of_two_documents_that_differ(one: str, other: str, answer: str | None) -> None:
    frame = "校外培训机构违规补课一经查实由教育部门{}。"
    sentences = [
        replace(context_sentences(frame.format(words))[0], document_id=name)
        for words, name in ((one, "a"), (other, "b"))
    ]
    pool = _pool("培训机构违规补课一经查实怎么处理", sentences)
    choices = [_choice(pool, 0, one, "words"), _choice(pool, 1, other, "words")]
    made = several.other_words(pool, choices)
    assert (made.answer if made else None) == answer


@pytest.mark.parametrize(
    ("text", "words", "kind", "unit", "whole"),
    [
        pytest.param("班额不超过45人", "45人", "number", "人", "不超过45人", id="bound"),
        pytest.param("参保率达90%以上", "90%", "percent", "%", "90%以上", id="at least"),
        pytest.param("征求14个部门意见", "14个", "number", "个", "14个部门", id="what is counted"),
        pytest.param("处以2000元至1万元的罚款", "2000元", "amount", "元", "2000元至1万元", id="both ends of a range"),
        pytest.param("处以3倍至5倍的罚款", "5倍", "number", "倍", "3倍至5倍", id="from its second end too"),
        pytest.param("应当在2小时内劝阻", "2小时", "duration", "小时", "2小时内", id="within"),
        pytest.param("补贴每生每天4元", "4元", "amount", "元", "每生每天4元", id="for whom and how often"),
        pytest.param("陪审补助每件150元", "150元", "amount", "元", "每件150元", id="for what"),
        pytest.param("从98元到178元", "178元", "amount", "元", "178元", id="what it rose to is no range"),
        pytest.param("判处有期徒刑一年二个月。", "二个月", "duration", "个月", "一年二个月", id="years and months"),
        pytest.param("未成年人案件3 9件", "9件", "number", "件", "3 9件", id="a figure that OCR parted"),
        pytest.param("共有18件内容重复", "18件", "number", "件", "18件", id="内 of another word"),
        pytest.param("每两年评估一次", "两年", "duration", "年", "每两年", id="how often"),
        pytest.param("分为满意、不满意两个等次。", "两个", "number", "个", "两个等次", id="the noun that is asked for"),
        pytest.param("会议举行的二十日前送交", "二十日", "duration", "日", "二十日前", id="how long before"),
        pytest.param("会期三天半。", "三天", "duration", "天", "三天半", id="and a half"),
        pytest.param("汤立群（23票赞成）", "23票", "number", "票", "23票赞成", id="votes for"),
        pytest.param("竣工验收后三个月内移交", "三个月", "duration", "个月", "竣工验收后三个月内", id="after what"),
        pytest.param("最长不得超过一年", "一年", "duration", "年", "最长不得超过一年", id="a bound said twice"),
        pytest.param("委员安晓宁、胡玉凤提问", "胡玉凤", "person", "", "安晓宁、胡玉凤", id="names joined"),
        pytest.param("局长宫晓、县长卓群", "宫晓", "person", "", "宫晓", id="names parted by their posts"),
        pytest.param("修改《停车条例》", "停车条例》", "document", "", "《停车条例》", id="title mark closed"),
    ],
)
def test_a_span_takes_what_belongs_to_it(text: str, words: str, kind: str, unit: str, whole: str) -> None:
    pool = _pool("问", context_sentences(text))
    span = widened(_choice(pool, 0, words, kind, unit), "结果分几个等次？")
    assert text[span.start : span.end] == whole


def test_a_window_holds_the_answer_and_no_more_than_its_limit() -> None:
    text = "，".join(f"第{n}项工作取得新的进展" for n in range(40)) + "，新建学校4所，其余不变。"
    sentence = context_sentences(text)[0]
    at = text.index("4所")
    low, high = window(ask(analyse("新建学校几所")), sentence, at, at + 2, 60)
    assert low <= at < at + 2 <= high
    assert high - low <= 61
    assert "新建学校" in text[low:high]


def _answered(question: str, text: str, words: str, kind: str = "words") -> str:
    pool = _pool(question, context_sentences(text))
    return compose.compose(pool, [_choice(pool, 0, words, kind)], lambda _: None).answer  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("question", "text", "words", "answer"),
    [
        pytest.param(
            "什么是“屋场会”制度？", "推行“屋场会”制度，即由组长召集，每月议事一次。", "组长召集", "由组长召集，每月议事一次", id="即",
        ),
        pytest.param(
            "静默认证是怎么回事", "所谓“静默认证”，就是通过比对数据，自动确认状态。", "自动确认状态", "通过比对数据，自动确认状态", id="就是",
        ),
        pytest.param("链长制是什么", "所称链长制，是指由领导联系产业链，解决问题的机制。", "领导联系产业链", "由领导联系产业链，解决问题的机制", id="是指"),
        pytest.param("会期是什么", "所称链长制，是指由领导联系产业链的机制。", "领导联系产业链", "领导联系产业链", id="the meaning of another word"),
        pytest.param("为什么收不抵支？", "当年收不抵支，由统筹弥补，主要原因是退休人员多，缴费人员少。", "统筹弥补", "退休人员多，缴费人员少", id="the cause"),
        pytest.param("欧阳立群担任什么职务？", "市预算工作委员会主任欧阳立群", "市预算工作委员会", "市预算工作委员会主任", id="a post to its end"),
        pytest.param("邹某原任什么职务？", "市监委查办了柳林镇原镇长邹某套取补助案。", "市监委", "柳林镇原镇长", id="the post before a name"),
        pytest.param("郑孝刚担任什么职务？", "任命郑孝刚为市政府副市长。", "副市长", "市政府副市长", id="the post given"),
        pytest.param("郑孝刚任什么职务？", "郑孝刚同志为营口市人民政府副市长。", "副市长", "营口市人民政府副市长", id="同志"),
        pytest.param("郑孝刚被免去什么职务？", "免去郑孝刚的市财政局局长、党组书记职务。", "局长", "市财政局局长、党组书记", id="the post taken"),
        pytest.param("佟雨桥任什么职务？", "由区委常委、常务副区长佟雨桥带队。", "常务副区长", "区委常委、常务副区长", id="two posts"),
        pytest.param("卓群任什么职务？", "财政局局长宫晓、审计局局长卓群", "财政局局长", "审计局局长", id="not the post of another"),
        pytest.param("为什么不爱用有机肥", "有机肥价格高、施用费工，是推广难的主要原因。", "推广难", "有机肥价格高、施用费工", id="the cause before"),
        pytest.param("培训内容有哪些", "内容有三项：一是宪法，二是代表议案的提出，三是预算审查。", "宪法", "一是宪法，二是代表议案的提出，三是预算审查", id="a series in one sentence"),
        pytest.param("“三不返”是哪三样？", "建立制度，即预警未解除不返、隐患未排除不返、未经同意不返。", "预警未解除不返、隐患未排除", "预警未解除不返、隐患未排除不返、未经同意不返", id="a list without its 即"),
        pytest.param("后三位的是哪两项？", "“获得信贷”“招标投标”两项指标", "信贷”“招标投标", "“获得信贷”“招标投标”", id="a list of quotations"),
    ],
)  # fmt: skip
def test_an_answer_goes_to_its_end(question: str, text: str, words: str, answer: str) -> None:
    assert _answered(question, text, words).startswith(answer)


def _said_by_two(question: str, one: str, other: str, kind: str, unit: str, values: tuple[str, str]) -> str | None:
    sentences = [replace(context_sentences(t)[0], document_id=name) for t, name in ((one, "a"), (other, "b"))]
    pool = _pool(question, sentences)
    made = several.rival(pool, [_choice(pool, n, value, kind, unit) for n, value in enumerate(values)])
    return made.answer if made else None


@pytest.mark.parametrize(
    ("one", "other", "values", "answer"),
    [
        pytest.param("全市使用公益金4860万元。", "公益金去年支出4680万元。", ("4860万元", "4680万元"), "4860万元；4680万元", id="figures in another order"),
        pytest.param("全市使用公益金4860万元。", "公益金去年支出960万元。", ("4860万元", "960万元"), None, id="far apart"),
        pytest.param("公益金约4900万元。", "公益金支出4860万元。", ("约4900万元", "4860万元"), None, id="a rounding"),
        pytest.param("2021年公益金4860万元。", "2022年公益金4680万元。", ("4860万元", "4680万元"), None, id="other years"),
        pytest.param("计划安排公益金4860万元。", "公益金支出4680万元。", ("4860万元", "4680万元"), None, id="a plan"),
        pytest.param("其中农村公益金4860万元。", "公益金支出4680万元。", ("4860万元", "4680万元"), None, id="a part"),
    ],
)  # fmt: skip
def test_figures_of_two_documents_that_may_be_one(
    one: str, other: str, values: tuple[str, str], answer: str | None
) -> None:
    assert _said_by_two("公益金用了多少钱", one, other, "amount", "元", values) == answer


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        pytest.param("沈若淮", "沈若槐；沈若淮", id="a character"),
        pytest.param("钱若水", None, id="another person"),
    ],
)
def test_names_of_two_documents_that_may_be_one(other: str, answer: str | None) -> None:
    one = "旧小区改造由副市长沈若槐牵头。"
    made = _said_by_two(
        "旧小区改造哪位副市长牵头", one, f"旧小区改造副市长{other}挂帅牵头。", "person", "", ("沈若槐", other)
    )
    assert made == answer


@pytest.mark.parametrize(
    ("question", "text", "answer"),
    [
        pytest.param(
            "导盲犬能带进医院吗？",
            "不得携犬进入医院，工作犬、导盲犬除外。",
            "是，工作犬、导盲犬除外",
            id="an exception",
        ),
        pytest.param("护林日放不放假", "护林日不放假，由县里组织宣传。", "否", id="A or not A"),
        pytest.param("宠物犬能带进医院吗？", "不得携犬进入医院，工作犬、导盲犬除外。", "否", id="no exception for it"),
        pytest.param(
            "用地比例是否达标？", "用地比例实际为6.2%，没有达到8%的要求。", "否", id="not reached, said later"
        ),
        pytest.param("体验馆要花钱不", "建成体验馆5个，免费对个人开放。", "否", id="free, said later"),
        pytest.param("消防队救火收费吗？", "专职消防队扑救火灾，不得收取任何费用。", "否", id="the clause after rules"),
        pytest.param("建农田还要不要县级配套？", "推进农田建设，取消县级配套。", "否", id="what is abolished"),
        pytest.param("地铁1号线通了没有？", "地铁1号线开通运营。", "是", id="没有 that only asks"),
        pytest.param(
            "隔音不达标的教学楼能验收吗？", "隔音不达标的教学楼不得通过验收。", "否", id="a denial inside a noun"
        ),
        pytest.param(
            "没有证明还能卖吗？", "无证明的食品，不得上市销售。", "否", id="a condition denied, and what may be done"
        ),
        pytest.param("是不是不能上市销售？", "无证明的食品，不得上市销售。", "是", id="a denial asked for"),
        pytest.param("自贸区批下来了没有？", "积极申建自贸区。", "否", id="under way is not done"),
        pytest.param("新生儿上医保要掏钱吗？", "新生儿免费参加医保。", "否", id="free of charge"),
        pytest.param(
            "装修要不要告诉物业？", "第五条 业主装修应当告知物业。", "是，业主装修", id="without the article's label"
        ),
    ],
)
def test_yes_or_no(question: str, text: str, answer: str) -> None:
    pool = _pool(question, context_sentences(text))
    made = compose.compose(pool, [_choice(pool, 0, text[-4:-1], "words")], lambda _: None)  # type: ignore[arg-type,return-value]
    assert made.answer.startswith(answer)


def test_an_item_is_ruled_by_its_lead_and_both_are_quoted(tmp_path: Path) -> None:
    lead, item = "有下列情形之一的，不得认定为工伤：", "（一）醉酒或者吸毒的；"
    (tmp_path / "办法.md").write_text(f"# 某市工伤办法\n\n第一条 {lead}\n\n{item}\n\n（二）自残的。\n", "utf-8")
    build([tmp_path / "办法.md"], tmp_path / "index")
    with open_index(tmp_path / "index") as index:
        answer = Assistant(index).ask("醉酒的能不能认定为工伤？")
    assert answer.answer == "否，不得认定为工伤：醉酒或者吸毒的"
    quoted = "".join(citation.quote for citation in answer.citations)
    assert "不得认定为工伤" in quoted
    assert "醉酒或者吸毒的" in quoted


def test_a_lead_that_cannot_be_quoted_decides_nothing() -> None:
    text = "醉酒或者吸毒的；"
    sentence = Sentence(text, tuple(range(len(text))), kind="item", lead="有下列情形之一的，不得认定为工伤：")
    view = SimpleNamespace(paragraph=lambda _: ())
    assert lists.lead_of(view, replace(sentence, paragraph=3)) is None  # type: ignore[arg-type]
