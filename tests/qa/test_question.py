"""What a question asks for, in the many ways readers ask it."""

import pytest

from qa.question import Article, analyse


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        pytest.param("全市有多少所小学？", "number", id="how many with a measure word"),
        pytest.param("小学一共几所", "number", id="colloquial count"),
        pytest.param("营商环境存在哪些问题", "list", id="存在哪 asks for no place"),
        pytest.param("座谈会召开时间", "date", id="a noun alone: time"),
        pytest.param("接受辞职所依据的法律", "document", id="a noun alone: law"),
        pytest.param("争议的起因", "reason", id="a noun alone: reason"),
        pytest.param("何谓有限空间", "definition", id="meaning in written words"),
        pytest.param("会议的议题是什么", "list", id="what it is, no meaning"),
        pytest.param("哪些责任单位还在整改", "list", id="责任单位 is no penalty"),
        pytest.param("修这条路花了多少钱", "amount", id="money"),
        pytest.param("拒不缴费的企业如何处理？", "procedure", id="何处 of 如何处理 is no place"),
        pytest.param("会议在何处召开", "place", id="何处"),
        pytest.param("法院有专门的破产庭没？", "yesno", id="有没有 at the end"),
        pytest.param("不做检查的罚款幅度", "amount", id="a noun alone: fine"),
        pytest.param("劳动合同签订率", "percent", id="a noun alone: rate"),
        pytest.param("办理效率", "other", id="效率 is no share"),
        pytest.param("关于工资保证金的文件", "document", id="a noun alone: document"),
        pytest.param("消防工作存在的四方面问题", "list", id="as many problems"),
        pytest.param("护林日放不放假", "yesno", id="A or not A"),
        pytest.param("不得不做的事", "other", id="不得不 asks nothing"),
        pytest.param("村医咋老往外跑", "reason", id="咋 that wonders"),
        pytest.param("咋就业", "procedure", id="咋 that asks how"),
        pytest.param("票最多的前三样是啥", "list", id="the first three"),
        pytest.param("新增债券几个亿？", "amount", id="money without the word"),
        pytest.param("残疾儿童送教覆盖率是多少", "percent", id="rate"),
        pytest.param("收入有几成来自土地", "percent", id="tenths"),
        pytest.param("条例啥时候开始执行", "date", id="colloquial when"),
        pytest.param("小学早上最早几点能上课", "date", id="time of day"),
        pytest.param("整改要多久", "duration", id="how long"),
        pytest.param("几个工作日内答复", "duration", id="working days"),
        pytest.param("会议由谁主持？", "person", id="who"),
        pytest.param("新办法由谁解释", "organisation", id="by whom it is interpreted: an organ"),
        pytest.param("养犬归谁管", "organisation", id="who is in charge"),
        pytest.param("他担任什么职务", "post", id="post"),
        pytest.param("停车楼建在哪儿", "place", id="where"),
        pytest.param("依据哪部法律制定", "document", id="law"),
        pytest.param("第几条讲停车", "article", id="which article"),
        pytest.param("为啥要调整预算", "reason", id="colloquial why"),
        pytest.param("双减指什么", "definition", id="meaning"),
        pytest.param("法律责任有哪些", "list", id="list"),
        pytest.param("学生能不能带手机进课堂", "yesno", id="may one"),
        pytest.param("预算调整通过了吗", "yesno", id="final 吗"),
        pytest.param("三专三证指的是什么", "definition", id="什么 ends like the particle 么"),
        pytest.param("能不能告诉我初中有几所", "number", id="polite frame is no yes/no question"),
        pytest.param("How many schools are there?", "number", id="english count"),
        pytest.param("Who chaired the meeting?", "person", id="english who"),
        pytest.param("怎么申请公租房", "procedure", id="how"),
    ],
)
def test_kind(question: str, kind: str) -> None:
    assert analyse(question).kind == kind


@pytest.mark.parametrize(
    ("question", "article", "text"),
    [
        pytest.param("履职评议办法第九条说了啥", Article(9), True, id="han numeral"),
        pytest.param("办法第9条规定了什么", Article(9), True, id="digits"),
        pytest.param("办法九条的内容是什么", Article(9), True, id="without 第"),
        pytest.param("第五条第（二）项的内容是什么", Article(5, None, 2), True, id="item"),
        pytest.param("条例第二十三条第二款", Article(23, 2), True, id="clause"),
        pytest.param("办法第十条把结果分为几个等次", Article(10), False, id="asks for something in it"),
        pytest.param("共有十四条吗", None, False, id="a count is no address"),
        pytest.param("第九条路修好了吗", None, False, id="the ninth road"),
    ],
)
def test_article_address(question: str, article: Article | None, text: bool) -> None:
    asked = analyse(question)
    assert (asked.article, asked.article_text) == (article, text)


def test_units_and_topics() -> None:
    asked = analyse("2020年全市新建停车场多少平？")
    assert asked.units == ("平", "平方米")
    assert asked.years == ("2020",)
    assert "停车场" in asked.topics
    assert not set(asked.topics) & {"多少", "平"}


def test_greeting_is_chatter_and_a_question_is_not() -> None:
    assert analyse("你好！").is_chatter
    assert not analyse("你好，小学有几所").is_chatter


@pytest.mark.parametrize("text", ["", "？？？", "\ufeff\u200b", "a" * 3000, "第条", "《", "第〇条"])
def test_never_fails(text: str) -> None:
    analyse(text)
