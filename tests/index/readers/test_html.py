"""Web pages: the main text as one sees it, at any depth."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.readers import Limits, Reading, Unreadable
from index.readers.html import read

LIMITS = Limits()


def text_of(page: str) -> str:
    return read(page.encode(), LIMITS).text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param("<p>甲<p>乙", "甲\n\n乙", id="paragraphs"),
        pytest.param("<p>全市<b>206</b>所<i>学校</i></p>", "全市206所学校", id="inline marks leave no trace"),
        pytest.param("<p>看得见\n   的字</p>", "看得见的字", id="a line break in the source is no space between Han"),
        pytest.param("<p>Hello\n  world</p>", "Hello world", id="but one between words"),
        pytest.param("<p>　　甲<br>　　乙</p>", "甲\n\n乙", id="br parts paragraphs"),
        pytest.param("<h1>某市人大常委会<br>关于某事的决定</h1>", "某市人大常委会关于某事的决定", id="but not a title"),
        pytest.param("<p>&#20013;&nbsp;&amp;&lt;</p>", "中\xa0&<", id="entities"),
        pytest.param("<pre>一\n二</pre>", "一\n\n二", id="preformatted lines"),
        pytest.param("<ol><li>甲<li>乙</ol>", "1. 甲\n\n2. 乙", id="a browser's numbers"),
        pytest.param("<ol><li>1、甲<li>2、乙</ol>", "1、甲\n\n2、乙", id="not where the text has its own"),
        pytest.param("<ruby>汉<rt>han</rt></ruby>字", "汉字", id="readings above characters"),
    ],
)
def test_text(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        pytest.param("<table><tr><th>报告<th>满意<tr><td>甲<td>33 票", "报告\t满意\n甲\t33 票", id="rows"),
        pytest.param("<table><tr><td><p>一</p><p>二</p><td>3", "一 二\t3", id="paragraphs in a cell"),
        pytest.param("<table><tr><td>甲<td><td>丙", "甲\t\t丙", id="an empty cell keeps its place"),
        pytest.param(
            "<table><tr><td><h1>题</h1><p>文</p><table><tr><td>甲<td>乙</table></table>",
            "题\n\n文\n\n甲\t乙",
            id="a table that lays out the page",
        ),
    ],
)
def test_tables(page: str, text: str) -> None:
    assert text_of(page) == text


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>藏</p>",
        "<p style='display: none'>藏</p>",
        "<p style='VISIBILITY:hidden'>藏</p>",
        "<span style='font-size:0'>藏</span>",
        "<span style='font-size:0px;color:red'>藏</span>",
        "<span style='opacity:0'>藏</span>",
        "<div style='position:absolute;left:-9999px'>藏</div>",
        "<p aria-hidden='true'>藏</p>",
        "<span style='color:#fff'>藏</span>",
        "<font color='white'>藏</font>",
        "<style>.x{display:none}</style><p class='a x'>藏</p>",
        "<style>p#y{color:red;visibility:hidden}</style><p id=y>藏</p>",
        "<script>藏</script>",
        "<noscript>藏</noscript>",
        "<template>藏</template>",
        "<!-- 藏 -->",
        "<textarea>藏</textarea>",
        "<del>藏</del>",
        "<div style='display:none'><div><p>藏</p></div></div>",
    ],
)
def test_what_is_not_seen_is_left_out(hidden: str) -> None:
    assert text_of(f"<p>前</p>{hidden}<p>后</p>") == "前\n\n后"


@pytest.mark.parametrize(
    "seen",
    [
        "<div style='background:navy'><span style='color:#fff'>字</span></div>",
        "<table><tr><td bgcolor=blue><font color='#FFFFFF'>字</font></table>",
        "<style>@media print{.n{display:none}}</style><p class=n>字</p>",
        "<style>/* .n{display:none} */</style><p class=n>字</p>",
        "<p style='opacity:0.9'>字</p>",
        "<p style='font-size:0.9em'>字</p>",
        "<p style='background-color:#fff'>字</p>",
        "<form><p>字</p></form>",
        "<ins>字</ins>",
    ],
)
def test_what_is_seen_is_kept(seen: str) -> None:
    assert "字" in text_of(f"<p>前</p>{seen}<p>后</p>")


def test_the_frame_around_the_text_is_left_out_and_counted() -> None:
    body = "<h1>公报</h1><p>全市现有义务教育阶段学校二百零六所。</p>"
    reading = read(f"<nav>首页</nav><div class='breadcrumb'>位置</div>{body}<footer>版权</footer>".encode(), LIMITS)
    assert reading == Reading("公报\n\n全市现有义务教育阶段学校二百零六所。", "utf-8", notes=("略去导航、页脚等 6 字",))


def test_a_page_that_is_all_frame_keeps_it() -> None:
    assert text_of("<div class='footer'><p>全部正文都在这里</p></div>") == "全部正文都在这里"


def test_main_is_preferred_with_the_title_above_it() -> None:
    page = "<div>头条新闻</div><h1>题</h1><main><p>正文比别处长得多，占了这一页的大半。</p></main><div>尾</div>"
    assert text_of(page) == "题\n\n正文比别处长得多，占了这一页的大半。"


SITE = """<title>公报-青川人大网</title><div class="top"><a href="/">首页</a> | <a href="/login">登录</a></div>
<div id="menu"><ul><li><a href="/a">人大概况</a></li><li><a href="/b">立法工作</a></li></ul></div>
<div class="position">当前位置：<a href="/">首页</a> &gt; 正文</div>
<div class="title">青川市人大常委会关于批准决算的决议</div>
<div>来源：办公室　发布时间：2023-07-02　浏览次数：1024　【<a href="#">打印</a>】</div>
{body}
<div><a href="/1">上一页</a> <a href="/1">1</a> <a href="/2">下一页</a></div>
<div>相关阅读</div><ul><li><a href="/c">市人大常委会召开主任会议</a></li></ul>
<div>主办：青川市人大常委会 版权所有 ICP备123号</div>"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("决定批准2022年市级决算。", id="prose"),
        pytest.param("依据《<a href='/law'>预算法</a>》，决定批准2022年市级决算。", id="a link in prose"),
        pytest.param("目录</p><p><a href='#1'>关于决算的报告</a></p><p>报告如下。", id="a catalogue of anchors"),
        pytest.param("决定批准。</p><p><a href='/f.doc'>附件1：决算表.doc</a>", id="an attachment at the end"),
    ],
)
def test_menus_and_links_around_the_text_are_left_out(body: str) -> None:
    expected = text_of(f"<p>{body}</p>")
    assert text_of(SITE.format(body=f"<p>{body}</p>")) == "青川市人大常委会关于批准决算的决议\n\n" + expected


@pytest.mark.parametrize("tag", ["div", "b", "font", "ul><li", "table><tr><td", "blockquote", "section"])
def test_nested_eight_thousand_deep(tag: str) -> None:
    page = f"<{tag}>" * 8000 + "深处" + "</" + "></".join(reversed(tag.split("><"))) + ">"
    assert "深处" in text_of(page + "<p>后面</p>")
    assert "后面" in text_of(page + "<p>后面</p>")


def test_nesting_over_the_limit_is_refused() -> None:
    with pytest.raises(Unreadable, match="嵌套超过 100 层"):
        read(b"<div>" * 101, Limits(nesting=100))


_PIECES = st.sampled_from(
    "<p> </p> <div> </div> <table> <tr> <td> </td> </table> <br> <style> </style> <script> </script> <!-- --> <h1> </h1> "
    "<ol> <li> <b> </i> <pre> </pre> 字 & &#0; < > <![CDATA[ ]]> <a\tb='> \0 <!DOCTYPE <svg> <p\tstyle=display:none>".split(
        " "
    )
)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(st.lists(_PIECES, max_size=60), st.binary(max_size=20))
def test_any_tag_soup_is_read(pieces: list[str], noise: bytes) -> None:
    data = " ".join(pieces).replace("\t", " ").encode() + noise
    try:
        reading = read(data, LIMITS)
    except Unreadable:
        return
    assert "\0" not in reading.text
