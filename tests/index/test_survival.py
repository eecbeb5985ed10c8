"""The index folder under kill -9, a full disk, damaged files and several writers."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from index import building
from index.cuts import CutsWriter
from index.generations import WriteFailed, pointer_stamp
from index.lexical import LexicalIndex, LexicalWriter
from index.records import GazetteError
from index.store import Index, IndexBusy, IndexDamaged, add, build, open_index, remove, verify
from index.tables import Segment
from index.vectors import Nearest

QUESTION = "义务教育学校有多少所"


def _write(path: Path, words: str) -> Path:
    path.write_text(f"# 关于{words}情况的报告\n\n" + f"{words}工作进展顺利。\n\n" * 5, encoding="utf-8")
    return path


def _answers(index: Index) -> list[tuple[str, float]]:
    hits = [*index.dense(QUESTION, 20), *index.lexical(QUESTION, 20)]
    return [(hit.passage.id, round(hit.score, 4)) for hit in hits]


# --- interruptions; the attempts run in faults.py


def _faults(mode: str, amount: int, folder: Path) -> dict[str, Any]:
    program = Path(__file__).with_name("faults.py")
    command = [sys.executable, str(program), mode, str(amount), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    ("mode", "amount", "least"),
    [
        pytest.param("steps", 100, 4, id="at some file operations"),
        pytest.param("files", 1, 4, id="files cut off at 100 bytes"),
        pytest.param("steps", 7, 60, id="at every seventh file operation", marks=pytest.mark.slow),
        pytest.param("moments", 40, 20, id="at 40 moments", marks=pytest.mark.slow),
        pytest.param("files", 8, 8, id="8 limits of file size", marks=pytest.mark.slow),
    ],
)
def test_killed_or_without_room(tmp_path: Path, mode: str, amount: int, least: int) -> None:
    """Readable, whole, as before or as after; nothing left behind; the same change then succeeds.

    All of it at greater length: ``python tests/index/faults.py steps 1 DIR``, and ``moments 200``, ``files 20``.
    """
    result = _faults(mode, amount, tmp_path)
    assert result["problems"] == []
    assert result["cut_short"] >= least


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_full_disk(tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", probe], capture_output=True, check=False).returncode:
        pytest.skip("a small file system can be mounted by root only")
    subprocess.run(["umount", probe], check=True)
    result = _faults("disk", 6, tmp_path)
    assert result["problems"] == []
    assert result["cut_short"] >= 6


class _Stopping:
    """An encoder that gives up, like a process that is killed, after some calls."""

    def __init__(self, encoder: Any, calls: int) -> None:
        self.name, self.dimensions, self.fingerprint = encoder.name, encoder.dimensions, encoder.fingerprint
        self.encode_query = encoder.encode_query
        self._encoder, self._calls = encoder, calls

    def encode_document(self, texts: Any) -> Any:
        self._calls -= 1
        if self._calls < 0:
            raise KeyboardInterrupt
        return self._encoder.encode_document(texts)


def test_an_interrupted_build_is_taken_up_again(
    tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.writer._BATCH", 1)  # every file is stored as it comes,
    monkeypatch.setattr("index.writer._KEPT", 1)  # and kept
    files = tmp_path / "files"
    files.mkdir()
    for n in range(6):
        _write(files / f"{n}.md", f"第{n}项")
    with pytest.raises(KeyboardInterrupt):
        build([files], tmp_path / "index", encoder=_Stopping(tiny_encoder, 4))
    with pytest.raises(IndexDamaged):
        open_index(tmp_path / "index")
    (files / "0.md").unlink()  # what was read before but is not wanted any more stays out
    before = tiny_encoder.embedded
    reports = build([files], tmp_path / "index", encoder=tiny_encoder)
    assert [report.outcome for report in reports] == ["indexed"] * 5
    assert "中断前已读过" in reports[0].reason
    embedded_again = tiny_encoder.embedded - before
    with open_index(tmp_path / "index", encoder=tiny_encoder) as index:
        assert list(index.source_names.values()) == [f"{n}.md" for n in range(1, 6)]
        assert embedded_again == sum(report.passages for report in reports[3:])
    assert verify(tmp_path / "index") == []
    assert not list((tmp_path / "index").glob("building-*"))


def test_a_build_interrupted_while_deriving_reads_nothing_again(
    tmp_path: Path, tiny_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    files = tmp_path / "files"
    files.mkdir()
    for n in range(3):
        _write(files / f"{n}.md", f"第{n}项")
    with monkeypatch.context() as patch:
        patch.setattr("index.writer._write_lexical", stop)
        with pytest.raises(KeyboardInterrupt):
            build([files], tmp_path / "index", encoder=tiny_encoder)
    embedded = tiny_encoder.embedded
    reports = build([files], tmp_path / "index", encoder=tiny_encoder)
    assert tiny_encoder.embedded == embedded
    assert all("中断前已读过" in report.reason for report in reports)
    assert verify(tmp_path / "index") == []
    assert not list((tmp_path / "index").glob("building-*"))


def test_a_build_killed_before_tidying_up_leaves_the_published_files_alone(tmp_path: Path, tiny_encoder: Any) -> None:
    folder = tmp_path / "index"
    a = _write(tmp_path / "a.md", "教育")
    build([a], folder, encoder=tiny_encoder)
    segment = next(folder.glob("generations/*/*.sqlite"))
    os.link(segment, building._partial(folder, tiny_encoder))
    before = segment.read_bytes()
    with open_index(folder, encoder=tiny_encoder) as reader:
        build([_write(tmp_path / "b.md", "海洋")], folder, encoder=tiny_encoder)
        assert segment.read_bytes() == before
        assert list(reader.latest().source_names.values()) == ["b.md"]
    assert verify(folder) == []


# --- damage


@pytest.fixture
def folder(tmp_path: Path, sample_path: Path, tiny_encoder: Any) -> Path:
    """The real gazette and a small file added to it: two segments, and a generation to fall back to."""
    build([sample_path], tmp_path / "index", encoder=tiny_encoder)
    add([_write(tmp_path / "a.md", "海洋")], tmp_path / "index", encoder=tiny_encoder)
    return tmp_path / "index"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def _flips(folder: Path, count: int) -> Iterator[tuple[Path, int]]:
    """Places in the index's files, in each file at least one; each bit there is flipped, then put back."""
    random_ = random.Random(11)
    files = _files(folder)
    for n in range(count):
        path = files[n] if n < len(files) else random_.choice(files)
        at = random_.randrange(path.stat().st_size)
        data = path.read_bytes()
        _put(path, data[:at] + bytes([data[at] ^ (1 << random_.randrange(8))]) + data[at + 1 :])
        yield path, at
        _put(path, data)


def _put(path: Path, data: bytes) -> None:
    """Put another file in a file's place: tantivy opens an index a second time in a thread of its own, and a file that
    is cut off meanwhile, as writing to it does, would end this process."""
    beside = path.with_name(f"{path.name}~")
    beside.write_bytes(data)
    beside.replace(path)


def _every_flip_is_detected(folder: Path, count: int) -> None:
    missed = [f"{path.name} at {at}" for path, at in _flips(folder, count) if not verify(folder)]
    assert missed == []
    assert verify(folder) == []


def test_flipped_bytes_are_detected(folder: Path) -> None:
    _every_flip_is_detected(folder, 150)


@pytest.mark.slow
def test_two_thousand_flipped_bytes_are_detected(folder: Path) -> None:
    _every_flip_is_detected(folder, 2000)


def test_a_damaged_index_answers_rightly_or_not_at_all(folder: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    """A derived file is made again, a damaged manifest leads to the generation before; the truth has no second copy."""
    with open_index(folder, encoder=tiny_encoder) as index:
        expected = _answers(index)
    refused = set()
    for n, (path, _) in enumerate(_flips(folder, 30)):
        copy = tmp_path / f"copy{n}"
        shutil.copytree(folder, copy)
        try:
            with open_index(copy, encoder=tiny_encoder) as index:
                found = _answers(index)
        except IndexDamaged:
            refused.add(path.suffix)
        else:
            assert [passage_id for passage_id, _ in found] == [passage_id for passage_id, _ in expected]
        shutil.rmtree(copy)
    assert refused <= {".sqlite"}


def test_what_can_be_made_again_is_made_again(
    folder: Path, tiny_encoder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with open_index(folder, encoder=tiny_encoder) as index:
        expected = _answers(index)
    embedded = tiny_encoder.embedded
    for pattern in ("*.faiss", "*.keys.npy", "*.words", "*.cuts.npy", "lexical/*.term"):
        newest = max((folder / "generations").iterdir())
        next(newest.glob(pattern)).unlink()
        with open_index(folder, encoder=tiny_encoder) as index:
            assert _answers(index) == expected
        assert verify(folder) == []
    assert tiny_encoder.embedded == embedded
    assert caplog.text.count("重新生成") == 5


def test_the_generation_before_is_opened_and_said_so_and_damage_is_not_parsed(
    tmp_path: Path, tiny_encoder: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    build([_write(tmp_path / "a.md", "教育")], folder, encoder=tiny_encoder)
    with open_index(folder, encoder=tiny_encoder) as index:
        expected = _answers(index)
    add([_write(tmp_path / "b.md", "海洋")], folder, encoder=tiny_encoder)
    newest = max((folder / "generations").iterdir())
    truth = newest / f"{newest.name}.sqlite"  # of what was added; the rest is linked
    damaged = bytearray(truth.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    truth.write_bytes(damaged)
    parsed: list[Path] = []
    for kind in (Segment, Nearest, LexicalIndex):
        monkeypatch.setattr(kind, "__init__", _noting(kind.__init__, parsed))
    with open_index(folder, encoder=tiny_encoder) as index:
        assert _answers(index) == expected
        assert list(index.source_names.values()) == ["a.md"]
    assert "当前的索引已损坏" in caplog.text
    assert "改用前一代" in caplog.text
    assert parsed
    assert not [path for path in parsed if newest.name in path.parts], "hash before parse"
    monkeypatch.undo()
    assert any(newest.name in line for line in verify(folder))
    add([tmp_path / "b.md"], folder, encoder=tiny_encoder)
    assert verify(folder) == []
    with open_index(folder, encoder=tiny_encoder) as index:
        assert set(index.source_names.values()) == {"a.md", "b.md"}


def _noting(method: Any, noted: list[Path]) -> Any:
    """The method, noting the path it is given."""

    def noting(*args: Any, **options: Any) -> None:
        noted.append(Path(args[1]))
        method(*args, **options)

    return noting


@pytest.mark.parametrize("fault", ["vectors", "cuts", "terms"])
def test_what_was_written_is_read_back(
    folder: Path, tmp_path: Path, tiny_encoder: Any, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that reports success and holds less than it was given stops the change; the old index answers."""
    with open_index(folder, encoder=tiny_encoder) as index:
        expected = _answers(index)
    if fault == "vectors":
        blocks = Segment.vector_rows
        monkeypatch.setattr(Segment, "vector_rows", lambda self: list(blocks(self))[:0])
    elif fault == "cuts":
        rows = CutsWriter.add
        monkeypatch.setattr(CutsWriter, "add", lambda self, passages: rows(self, passages[1:]))
    else:
        monkeypatch.setattr(LexicalWriter, "add", lambda *_: None)
    with pytest.raises(WriteFailed):
        add([_write(tmp_path / "c.md", "停车")], folder, encoder=tiny_encoder)
    monkeypatch.undo()
    assert verify(folder) == []
    with open_index(folder, encoder=tiny_encoder) as index:
        assert _answers(index) == expected


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="last byte missing"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes() + b"\0"), id="a byte more"),
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.unlink(), id="missing"),
        pytest.param(lambda path: path.write_bytes(bytes(path.stat().st_size)), id="zeros"),
    ],
)
def test_truncation_is_detected(folder: Path, damage: Any) -> None:
    one_of_a_kind = {(path.suffix, path.parent.name == "lexical"): path for path in _files(folder)}
    for path in one_of_a_kind.values():
        data = path.read_bytes()
        damage(path)
        assert verify(folder) != [], path.name
        path.write_bytes(data)  # in place: it has a second name in the generation before
    assert verify(folder) == []


def test_swapped_files_are_detected(folder: Path) -> None:
    """Files of one kind exchanged with each other, each whole in itself."""
    for pattern in ("*.sqlite", "*.faiss", "lexical/*.idx", "manifest.json"):
        generations = sorted(folder.glob(f"generations/*/{pattern}"))
        one, two = generations[0], generations[-1]
        if one.read_bytes() == two.read_bytes():
            continue
        a, b = one.read_bytes(), two.read_bytes()
        one.write_bytes(b)
        two.write_bytes(a)
        assert verify(folder) != [], pattern
        one.write_bytes(a)
        two.write_bytes(b)
    assert verify(folder) == []


def test_a_file_of_another_index_is_detected(folder: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    build([_write(tmp_path / "b.md", "交通")], tmp_path / "other", encoder=tiny_encoder)
    other = next((tmp_path / "other").glob("generations/*/*.sqlite"))
    shutil.copy(other, next(folder.glob("generations/*/*.sqlite")))
    assert verify(folder) != []


def test_removed_text_does_not_come_back_with_an_older_generation(folder: Path, tiny_encoder: Any) -> None:
    """A reader keeps the older generation on the disk; the newer one is damaged; the older one is not fallen back to."""
    with open_index(folder, encoder=tiny_encoder) as reader:
        remove(["a.md"], folder)
        assert reader.lexical("海洋", 5), "the reader keeps its generation"
        assert len(list((folder / "generations").iterdir())) >= 2
        newest = max((folder / "generations").iterdir())
        for victim in ("manifest.json", "CURRENT"):
            path = newest / victim if victim != "CURRENT" else folder / victim
            path.write_bytes(b"broken")
            with pytest.raises(IndexDamaged):
                open_index(folder, encoder=tiny_encoder)


def test_old_generations_go_when_nobody_reads_them(folder: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    names = lambda: {path.name[:6] for path in (folder / "generations").iterdir()}  # noqa: E731
    assert names() == {"000001", "000002"}
    with open_index(folder, encoder=tiny_encoder):
        remove(["a.md"], folder)
        assert names() == {"000002", "000003"}, "held by a reader"
        add([_write(tmp_path / "b.md", "交通")], folder, encoder=tiny_encoder)
        assert names() == {"000002", "000003", "000004"}
    add([_write(tmp_path / "c.md", "医疗")], folder, encoder=tiny_encoder)
    assert names() == {"000004", "000005"}


def test_a_read_only_folder_answers(folder: Path, tiny_encoder: Any) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        with open_index(folder, encoder=tiny_encoder) as index:
            assert _answers(index)
        assert verify(folder) == []
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_copied_and_a_moved_index_answer(folder: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    folder.rename(tmp_path / "moved 索引")
    for place in (tmp_path / "copy", tmp_path / "moved 索引"):
        with open_index(place, encoder=tiny_encoder) as index:
            assert _answers(index)
        assert verify(place) == []


# --- several at once


class _Waiting:
    """An encoder whose owner goes on only when the other writer has been turned away."""

    def __init__(self, encoder: Any, turned_away: threading.Event) -> None:
        self.name, self.dimensions, self.fingerprint = encoder.name, encoder.dimensions, encoder.fingerprint
        self.encode_query = encoder.encode_query
        self._encoder, self._turned_away = encoder, turned_away

    def encode_document(self, texts: Any) -> Any:
        assert self._turned_away.wait(20), "the second writer was not turned away"
        return self._encoder.encode_document(texts)


def _race(
    name: str,
    tmp_path: Path,
    encoder: Any,
    turned_away: threading.Event,
    start: threading.Barrier,
    outcomes: list[str],
) -> None:
    path = _write(tmp_path / f"{name}.md", name)
    start.wait()
    try:
        add([path], tmp_path / "index", encoder=_Waiting(encoder, turned_away))
        outcomes.append("wrote")
    except IndexBusy:
        outcomes.append("turned away")
        turned_away.set()


def _races(tmp_path: Path, encoder: Any, count: int) -> None:
    folder = tmp_path / "index"
    build([_write(tmp_path / "a.md", "教育")], folder, encoder=encoder)
    for n in range(count):
        turned_away, start = threading.Event(), threading.Barrier(2)
        outcomes: list[str] = []

        arguments = (tmp_path, encoder, turned_away, start, outcomes)
        threads = [threading.Thread(target=_race, args=(f"{word}{n}", *arguments)) for word in ("海洋", "交通")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["turned away", "wrote"]
    with open_index(folder, encoder=encoder) as index:
        assert len(index.source_names) == 1 + count
    assert verify(folder) == []


def test_one_of_two_writers_wins(tmp_path: Path, tiny_encoder: Any) -> None:
    _races(tmp_path, tiny_encoder, 5)


@pytest.mark.slow
def test_one_of_two_writers_wins_a_hundred_times(tmp_path: Path, tiny_encoder: Any) -> None:
    _races(tmp_path, tiny_encoder, 100)


@pytest.mark.serial
def test_a_second_process_leaves_within_a_second(folder: Path, tmp_path: Path) -> None:
    holder = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from index import generations\n"
        "with generations.writing(Path(sys.argv[2])): print('held', flush=True); time.sleep(60)"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", holder, root, str(folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        with pytest.raises(IndexBusy):
            remove(["a.md"], folder)
        assert time.monotonic() - began < 1
        process.kill()
    assert [report.outcome for report in remove(["a.md"], folder)] == ["removed"], "a killed writer holds nothing"


def test_readers_while_a_writer_writes(folder: Path, tmp_path: Path, tiny_encoder: Any) -> None:
    """Every question is answered from one whole generation, and the next question sees the newest."""
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        index = open_index(folder, encoder=tiny_encoder)
        while not stop.is_set():
            try:
                index = index.latest()
                for hit in [*index.dense("工作进展", 5), *index.lexical("工作进展", 5)]:
                    if index.passage(hit.passage.id) != hit.passage:
                        wrong.append(hit.passage.id)
            except GazetteError as error:
                wrong.append(str(error))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for n in range(4):
        add([_write(tmp_path / f"{n}.md", f"第{n}项")], folder, encoder=tiny_encoder)
        if n % 2:
            remove([f"{n}.md"], folder)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    stamp = pointer_stamp(folder)
    with open_index(folder, encoder=tiny_encoder) as index:
        assert index.latest() is index
        assert pointer_stamp(folder) == stamp
        assert len(index.source_names) == 2 + 2
