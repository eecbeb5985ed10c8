"""Finding files and reading them: what is kept, what is said, what is never opened."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from index.readers import ocr
from index.sources import Limits, Member, Unreadable, find_sources, read_source
from index.text import folded, locate, readable

TEXT = "全市现有义务教育阶段学校206所。"
ROOT = Path(__file__).resolve().parents[2]


def test_the_sample_is_kept_exactly(sample_path: Path) -> None:
    data = sample_path.read_bytes()
    source = read_source(sample_path)
    assert source.text.encode() == data
    assert source.sha256 == hashlib.sha256(data).hexdigest()
    assert source.id == source.sha256[:16]
    assert (source.name, source.encoding, source.page_starts, source.notes) == (sample_path.name, "utf-8", (), ())


def test_the_same_bytes_are_the_same_source_under_any_name(tmp_path: Path) -> None:
    for name in ("甲.md", "乙.txt"):
        (tmp_path / name).write_text(TEXT)
    with zipfile.ZipFile(tmp_path / "丙.zip", "w") as archive:
        archive.writestr("丁.md", TEXT)
    assert len({read_source(found).id for found in find_sources([tmp_path])}) == 1


def test_folders_and_archives_are_searched_in_depth_in_name_order(tmp_path: Path) -> None:
    for name in ("2021/第3号.md", "2021/第1号.md", "2020/第2号.txt", "附录.md", ".git/config.md", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT + name)
    with zipfile.ZipFile(tmp_path / "旧.zip", "w") as archive:
        archive.writestr("乙/第4号.md", TEXT)
        archive.writestr("甲.md", TEXT)
    found = list(find_sources([tmp_path]))
    assert [f.name for f in found] == [
        "第2号.txt",
        "第1号.md",
        "第3号.md",
        "旧.zip/乙/第4号.md",
        "旧.zip/甲.md",
        "附录.md",
    ]
    assert isinstance(found[3], Member)
    assert read_source(found[3]).name == "旧.zip/乙/第4号.md"


def test_a_file_named_outright_is_never_passed_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(TEXT)
    assert list(find_sources([tmp_path / "README.md"])) == [tmp_path / "README.md"]


def test_a_folder_named_twice_is_searched_once(tmp_path: Path) -> None:
    (tmp_path / "甲.md").write_text(TEXT)
    (tmp_path / "同.link").symlink_to(tmp_path)
    assert len(list(find_sources([tmp_path, tmp_path, tmp_path / "同.link"]))) == 1


def test_what_cannot_be_opened_is_given_so_that_reading_says_why(tmp_path: Path) -> None:
    missing = tmp_path / "没有"
    assert list(find_sources([missing])) == [missing]
    with pytest.raises(Unreadable, match="没有: 没有这个文件或文件夹"):
        read_source(missing)
    with pytest.raises(Unreadable, match="是文件夹"):
        read_source(tmp_path)


def test_names_from_archives_are_for_people_only(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../../外.md", "/etc/绝对.md", "C:\\盘\\符.md"):
            archive.writestr(name, TEXT + name)
    names = [read_source(found).name for found in find_sources([path])]
    assert names == ["a.zip/外.md", "a.zip/etc/绝对.md", "a.zip/盘/符.md"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]
    assert not (tmp_path.parent / "外.md").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to become another user")
def test_files_without_permission_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    place = tmp_path / "文件"
    place.mkdir()
    (place / "私.md").write_text(TEXT)
    (place / "私.md").chmod(0o600)
    (place / "夹").mkdir()
    (place / "夹").chmod(0o700)
    (place / "公.md").write_text(TEXT)
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\n"
        "from index.sources import Unreadable, find_sources, read_source\n"
        "import os; os.chdir(sys.argv[2]); os.setuid(65534)\n"
        "for found in find_sources([Path('.')]):\n"
        "    try: print('read', read_source(found).name)\n"
        "    except Unreadable as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, ROOT, place], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == [
        "read 公.md",
        "夹: 无法打开（Permission denied）",
        "私.md: 无法打开（Permission denied）",
    ]


@pytest.mark.parametrize(
    "invisible",
    [
        pytest.param("\u200b", id="zero width space"),
        pytest.param("\u200d", id="zero width joiner"),
        pytest.param("\u202e", id="right to left override"),
        pytest.param("\u2066", id="isolate"),
        pytest.param("\U000e0041", id="tag letter"),
        pytest.param("\ufeff", id="byte order mark inside"),
        pytest.param("\u00ad", id="soft hyphen"),
        pytest.param("\ufe0f", id="variation selector"),
        pytest.param("\U000e0100", id="ideographic variation selector"),
        pytest.param("\u3164", id="Hangul filler"),
        pytest.param("\u2800", id="Braille blank"),
        pytest.param("\u034f", id="grapheme joiner"),
        pytest.param("\0", id="NUL"),
        pytest.param("\x1b", id="escape"),
    ],
)
def test_invisible_characters_stay_in_the_text_and_out_of_search_and_show(invisible: str, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    written = "前文。全市现有" + invisible + "学校" + invisible * 2 + "206所。后文"
    path.write_text(written, encoding="utf-8")
    source = read_source(path)
    assert source.text == written
    place = locate("现有学校206所", folded(source.text))
    assert place is not None
    assert source.text[slice(*place)] == "现有" + invisible + "学校" + invisible * 2 + "206所"
    assert readable(source.text) == "前文。全市现有学校206所。后文"


def watched(path: Path, seconds: float) -> tuple[str, float]:
    """(outcome, peak memory in MB) of reading a file in a process of its own, ended after ``seconds``."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import resource\n"
        "from pathlib import Path\n"
        "from index.sources import Unreadable, find_sources, read_source\n"
        "for found in find_sources([Path(sys.argv[2])]):\n"
        "    try: print(len(read_source(found).text))\n"
        "    except Unreadable as error: print(error)\n"
        # Not ru_maxrss, which a process inherits from the one that started it.
        "peak = int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print((peak + child) / 1000)\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    *said, peak = done.stdout.strip().split("\n")
    return "\n".join(said), float(peak)


def bomb(total: int, unit: bytes = b" ") -> bytes:
    packer = zlib.compressobj(9)
    block = unit * (1_000_000 // len(unit))
    return b"".join(packer.compress(block) for _ in range(total // len(block))) + packer.flush()


def pdf_around(stream: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    return (
        b"%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"
        b"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>\nendobj\n4 0 obj\n"
        b"<</Length %d/Filter%s>>stream\n%s\nendstream\nendobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
        % (len(stream), filters, stream)
    )


def word_of(unit: str, count: int, path: Path, before: bytes = b"", after: bytes = b"") -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package, package.open("word/document.xml", "w") as part:
        part.write(b'<w:document xmlns:w="w"><w:body>' + before)
        for _ in range(count // 1000):
            part.write(unit.encode() * 1000)
        part.write(after + b"</w:body></w:document>")


def zip_of(count: int, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for n in range(count):
            archive.writestr(zipfile.ZipInfo(f"{n}.md"), b"")


HEAVY = {
    "文本.txt": lambda p: p.write_text((TEXT + "\n") * 1_000_000),
    "表情.txt": lambda p: p.write_text("😀" + "a" * 19_000_000),
    "段落.html": lambda p: p.write_text("<p>字" * 3_000_000),
    "长段.html": lambda p: p.write_text("<p>" + (TEXT * 50 + "<br>") * 15_000),
    "标签.html": lambda p: p.write_text("<b>" * 10_000_000),
    "属性.html": lambda p: p.write_text("<p " + "a=1 " * 8_000_000 + ">字"),
    "属性.docx": lambda p: word_of("a='1' ", 8_000_000, p, b"<w:p ", b"/>"),
    "段落.docx": lambda p: word_of("<w:p><w:r><w:t>字</w:t></w:r></w:p>", 4_000_000, p),
    "文字.docx": lambda p: word_of(f"<w:p><w:r><w:t>{TEXT * 10}</w:t></w:r></w:p>", 100_000, p),
    "空白.pdf": lambda p: p.write_bytes(pdf_around(bomb(1_000_000_000))),
    "线.pdf": lambda p: p.write_bytes(pdf_around(bomb(200_000_000, b"0 0 m 100 100 l S\n"))),
    "双重.pdf": lambda p: p.write_bytes(pdf_around(zlib.compress(bomb(1_000_000_000)), b"[/FlateDecode/FlateDecode]")),
    "成员.zip": lambda p: zip_of(100_000, p),
    "炸弹.zip": lambda p: word_of(" " * 1000, 180_000, p),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to measure memory")
@pytest.mark.parametrize("name", HEAVY)
def test_memory_and_time_are_bounded(name: str, tmp_path: Path) -> None:
    """At most 300 MB and three times the file's size, reader's processes together; and an end within 30 seconds."""
    path = tmp_path / name
    HEAVY[name](path)
    # A busy machine is slower than the readers' own clocks, which count 25 seconds of waiting at most.
    said, peak = watched(path, 30 + 30 * os.getloadavg()[0] / (os.cpu_count() or 1))
    assert said
    assert peak <= 300 + 3 * path.stat().st_size / 1e6, said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not ocr.is_installed(), reason="the ocr extra is not installed")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux to measure memory")
def test_memory_of_ocr_is_bounded(exports: Path) -> None:
    path = exports / "scanned.pdf"
    said, peak = watched(path, 300)
    assert int(said) > 2_500
    assert peak <= 300 + 3 * path.stat().st_size / 1e6


def test_limits_are_checked_before_anything_is_parsed(tmp_path: Path) -> None:
    path = tmp_path / "大.pdf"
    path.write_bytes(b"%PDF-" + bytes(2000))
    with pytest.raises(Unreadable, match="超过上限 1,000 字节"):
        read_source(path, limits=Limits(file_bytes=1000))
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    with pytest.raises(Unreadable):
        read_source(path)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime == before  # no process was started for it
