"""Several files that are one result: all of them or none, and nobody's own file is lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from custvalue._files import Family, whole_file

FAMILY = Family(
    frozenset({"page.html", "a.csv", "b.csv", "list.csv", "book.json"}), "book.json", "page.html"
)


def write(folder, run, names=("page.html", "a.csv", "b.csv"), *, force=False):
    """Write files whose text says which run made them."""

    def of(name):
        return lambda path: path.write_text(f"{name} of {run}", encoding="utf-8")

    return FAMILY.write(folder, {n: of(n) for n in names}, {"run": run}, force=force)


def texts(folder):
    return {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.is_file()}


def test_a_new_folder_has_every_file_and_the_manifest_lists_them(tmp_path):
    paths = write(tmp_path / "in" / "here", "A")
    assert [p.name for p in paths] == ["page.html", "a.csv", "b.csv", "book.json"]
    assert all(p.exists() for p in paths)
    book = json.loads(paths[-1].read_text("utf-8"))
    assert book["run"] == "A"
    assert sorted(book["files"]) == ["a.csv", "b.csv", "page.html"]


def test_files_of_an_earlier_run_go_and_files_of_other_names_stay(tmp_path):
    write(tmp_path, "A", ("page.html", "a.csv", "b.csv", "list.csv"))
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, "B", ("page.html", "a.csv"))
    left = texts(tmp_path)
    assert sorted(left) == ["a.csv", "book.json", "notes.txt", "page.html"]
    assert left["page.html"] == "page.html of B"
    assert left["a.csv"] == "a.csv of B"


@pytest.mark.parametrize("name", ["a.csv", "list.csv", "book.json", "page.html"])
def test_a_file_of_the_user_is_refused_by_name_and_kept(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=name):
        write(tmp_path, "A")
    assert texts(tmp_path) == {name: "mine"}
    write(tmp_path, "A", force=True)
    assert sorted(texts(tmp_path)) == ["a.csv", "b.csv", "book.json", "page.html"]


def test_a_file_that_somebody_has_edited_since_is_refused(tmp_path):
    write(tmp_path, "A")
    (tmp_path / "b.csv").write_text("with notes of the user")
    with pytest.raises(FileExistsError, match=r"b\.csv"):
        write(tmp_path, "B")
    assert texts(tmp_path)["b.csv"] == "with notes of the user"
    assert texts(tmp_path)["a.csv"] == "a.csv of A"


def test_a_link_is_replaced_and_not_followed(tmp_path):
    target = tmp_path / "elsewhere.html"
    target.write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "page.html").symlink_to(target)
    with pytest.raises(FileExistsError, match=r"page\.html"):
        write(folder, "A")
    write(folder, "A", force=True)
    assert target.read_text() == "mine"
    assert not (folder / "page.html").is_symlink()
    assert (folder / "page.html").read_text() == "page.html of A"


def test_a_folder_in_the_place_of_a_file_is_refused_before_anything_is_written(tmp_path):
    write(tmp_path, "A")
    before = texts(tmp_path)
    (tmp_path / "list.csv").mkdir()
    with pytest.raises(OSError, match=r"list\.csv"):
        write(tmp_path, "B", force=True)
    assert texts(tmp_path) == before


@pytest.mark.parametrize("lost", ["page.html", "a.csv", "b.csv"])
def test_a_full_disk_changes_nothing_and_is_told_by_the_file_s_name(tmp_path, lost):
    write(tmp_path / "out", "A")
    before = texts(tmp_path / "out")

    def full(path):
        path.write_text("half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = {n: (lambda p: p.write_text("B")) for n in ("page.html", "a.csv", "b.csv")}
    with pytest.raises(OSError, match=lost) as caught:
        FAMILY.write(tmp_path / "out", {**files, lost: full}, {}, force=False)
    assert caught.value.errno == errno.ENOSPC
    assert Path(caught.value.filename) == tmp_path / "out" / lost
    assert texts(tmp_path / "out") == before
    assert not [p for p in (tmp_path / "out").iterdir() if p.is_dir()]
    with pytest.raises(OSError, match=lost):
        FAMILY.write(tmp_path / "new", {**files, lost: full}, {}, force=False)
    assert not (tmp_path / "new").exists()


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, {here!r})
from house.test_files import write
folder, at = Path(sys.argv[1]), int(sys.argv[2])
steps = 0
def step(real):
    def done(*arguments, **more):
        global steps
        if steps == at:
            os._exit(9)  # as kill -9: nothing is cleaned up
        steps += 1
        return real(*arguments, **more)
    return done
os.replace = step(os.replace)
Path.unlink = step(Path.unlink)
write(folder, "B", ("page.html", "a.csv", "list.csv"))
os._exit(0)
"""


def test_a_writer_killed_at_any_step_leaves_no_page_beside_tables_of_another_run(tmp_path):
    code = KILLED.format(here=str(Path(__file__).parents[1]))
    ended = []
    for at in range(12):
        folder = tmp_path / str(at)
        write(folder, "A", ("page.html", "a.csv", "b.csv"))
        done = subprocess.run(
            [sys.executable, "-c", code, str(folder), str(at)], capture_output=True, check=False
        )
        ended.append(done.returncode)
        left = texts(folder)
        runs = {t.rpartition(" ")[2] for n, t in left.items() if n != "book.json"}
        if "page.html" in left:
            assert len(runs) == 1, (at, left)
        write(folder, "C")  # nobody has to clean up, and nothing needs force
        assert set(texts(folder)) == {"page.html", "a.csv", "b.csv", "book.json"}
        assert {t.rpartition(" ")[2] for n, t in texts(folder).items() if "." in n} >= {"C"}
        assert not [p for p in folder.iterdir() if p.is_dir()]
    assert ended[0] == 9
    assert ended[-1] == 0


def test_two_writers_wait_for_each_other(tmp_path):
    first, go = threading.Event(), threading.Event()
    order = []

    def slow(path):
        first.set()
        assert go.wait(10)
        order.append("A")
        path.write_text("A")

    def fast(path):
        order.append("B")
        path.write_text("B")

    def run(page):
        files = {"page.html": page, "a.csv": page}
        FAMILY.write(tmp_path, files, {}, force=False)

    threads = [threading.Thread(target=run, args=(slow,))]
    threads[0].start()
    assert first.wait(10)
    threads.append(threading.Thread(target=run, args=(fast,)))
    threads[1].start()
    go.set()
    for thread in threads:
        thread.join(20)
    assert order == ["A", "A", "B", "B"]
    assert texts(tmp_path)["page.html"] == texts(tmp_path)["a.csv"] == "B"


def test_a_whole_file_is_there_or_not(tmp_path):
    path = tmp_path / "cache.bin"
    path.write_text("old")

    def fill_the_disk():
        with whole_file(path) as half:
            half.write_text("ne")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"cache\.bin"):
        fill_the_disk()
    assert texts(tmp_path) == {"cache.bin": "old"}
    with whole_file(path) as half:
        half.write_text("new")
    assert texts(tmp_path) == {"cache.bin": "new"}
    assert len(list(tmp_path.iterdir())) == 1
