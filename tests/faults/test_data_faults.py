"""Downloads and caches that break: what is good is kept, what is broken is named."""

import hashlib
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from miniature_book import Book, end, wait_for

pytestmark = pytest.mark.faults

GOOD = {"a.bin": b"first " * 5000, "b.bin": b"second " * 5000}
PROGRAM = """\
import hashlib, os, sys
from swta import data
from swta.data.catalogue import CATALOGUE
GOOD = {"a.bin": b"first " * 5000, "b.bin": b"second " * 5000}
digest = lambda content: hashlib.sha256(content).hexdigest()
CATALOGUE["sample"] = data.DataSet(
    name="sample", title="A sample", version="1", folder="sample", access="download",
    licence="none", citation="none", homepage="http://localhost",
    files=tuple(data.RemoteFile(name, (f"{sys.argv[1]}/{name}",), digest(content))
                for name, content in GOOD.items()),
    contents=tuple((name, digest(content)) for name, content in GOOD.items()))
try:
    if sys.argv[2] == "fetch":
        print("here:", data.fetch("sample"))
    else:
        print("good:", data.use(data.locate("sample"), *GOOD)[0].parent)
except (data.DataCorrupt, data.DataUnavailable, data.DownloadError) as error:
    print("told:", error)
    raise SystemExit(3)
"""


class SlowServer:
    """Serves the sample; the second file comes with a pause in its middle while ``slow``."""

    def __init__(self):
        self.requests, self.slow = [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.lstrip("/")
                outer.requests.append(name)
                content = GOOD[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                half = len(content) // 2
                self.wfile.write(content[:half])
                self.wfile.flush()
                while name == "b.bin" and outer.slow.is_set():
                    time.sleep(0.02)
                try:
                    self.wfile.write(content[half:])
                except OSError:
                    return  # the one who asked was killed

            def log_message(self, *_):
                return None

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self.slow.clear()
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server():
    made = SlowServer()
    yield made
    made.close()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def ask(book: Book, server, cache):
    """Starts a process that fetches or uses the sample."""
    book.environment |= {"SWTA_CACHE": str(cache), "SWTA_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
    book.environment.pop("SWTA_DATA", None)

    def start(what):
        return book.start(sys.executable, "-c", PROGRAM, server.url, what)

    return start


def stored(cache):
    return {p.name: p.read_bytes() for p in (cache / "sample").glob("*") if p.is_file()}


def place(cache, content=GOOD):
    (cache / "sample").mkdir(parents=True)
    for name, data in content.items():
        (cache / "sample" / name).write_bytes(data)


def test_download_killed(ask, server, cache):
    """Case D1: the finished file is kept, the half one is neither used nor left behind."""
    server.slow.set()
    process = ask("fetch")
    wait_for(lambda: "b.bin" in server.requests and list(cache.glob("sample/tmp*")))
    process.kill()
    process.wait()
    assert stored(cache)["a.bin"] == GOOD["a.bin"] and "b.bin" not in stored(cache)
    server.slow.clear()
    code, text = end(ask("fetch"))
    assert code == 0, text
    assert stored(cache) == GOOD, "no part of the killed download is left"
    assert server.requests == ["a.bin", "b.bin", "b.bin"], "the finished file is not fetched again"


@pytest.mark.long
@pytest.mark.parametrize("what", ["truncated", "changed"])
def test_cache_entry_damaged(ask, server, cache, what):
    """Cases D2, D3: never used; the message says what to do, and doing it helps."""
    bad = GOOD["a.bin"][:77] if what == "truncated" else b"F" + GOOD["a.bin"][1:]
    place(cache, {**GOOD, "a.bin": bad})
    code, text = end(ask("use"))
    assert code == 3 and "a.bin: expected SHA-256" in text
    assert "run `swta data fetch sample`" in text
    code, text = end(ask("fetch"))
    assert code == 0 and stored(cache) == GOOD and server.requests == ["a.bin"]
    assert end(ask("use"))[0] == 0


def test_cache_read_only(ask, book, cache, mounted):
    """Cases D4, D5: what it holds is used; what it lacks is told with the way out."""
    place(cache, {"a.bin": GOOD["a.bin"]})
    disk = mounted(f"mount --bind {cache} {cache} && mount -o remount,ro,bind {cache}")
    book.enter = disk.enter
    code, text = end(ask("fetch"))
    assert code == 3 and "no permission to write to" in text
    assert "set SWTA_CACHE to another folder" in text
    disk.close()
    (cache / "sample" / "b.bin").write_bytes(GOOD["b.bin"])
    disk = mounted(f"mount --bind {cache} {cache} && mount -o remount,ro,bind {cache}")
    book.enter = disk.enter
    code, text = end(ask("use"))
    assert code == 0 and "good:" in text


def test_disk_full_during_a_download(ask, book, server, cache, mounted):
    """Case D6: says so and keeps the file that fitted; after a larger disk only the rest comes."""
    cache.mkdir()
    disk = mounted(f"mount -t tmpfs -o size=48k none {cache}")
    book.enter = disk.enter
    code, text = end(ask("fetch"))
    assert code == 3 and "the disk is full while writing to" in text and "free space" in text
    inside = disk.inside(cache) / "sample"
    assert [path.name for path in inside.iterdir()] == ["a.bin"], "no half file"
    cache.joinpath("sample").mkdir()
    cache.joinpath("sample", "a.bin").write_bytes((inside / "a.bin").read_bytes())
    book.enter = []
    code, text = end(ask("fetch"))
    assert code == 0 and stored(cache) == GOOD
    assert server.requests == ["a.bin", "b.bin", "b.bin"]


@pytest.mark.long
def test_two_downloads_at_once(ask, server, cache):
    """Case D7: one waits for the other, and every file comes once."""
    server.slow.set()
    processes = [ask("fetch"), ask("fetch")]
    wait_for(lambda: "b.bin" in server.requests)
    time.sleep(1)
    server.slow.clear()
    assert [end(process)[0] for process in processes] == [0, 0]
    assert stored(cache) == GOOD and server.requests == ["a.bin", "b.bin"]


@pytest.mark.long
def test_download_without_home_or_name(ask, book, server, tmp_path):
    """Case D8: no HOME, no user name: the message or the file, never a traceback."""
    for name in ("HOME", "USER", "LOGNAME", "XDG_CACHE_HOME"):
        book.environment.pop(name, None)
    code, text = end(ask("fetch"))
    assert code == 0, text
    del book.environment["SWTA_CACHE"]
    book.environment["HOME"] = "/dev/null/nowhere"
    code, text = end(ask("fetch"))
    assert code == 3 and "set SWTA_CACHE to another folder" in text, text


def test_checksums_are_not_fooled_by_the_clock(tmp_path):
    """Case D9: a file changed while the clock was set back is read again by the next process."""
    from swta.data import checksums

    path = tmp_path / "a"
    path.write_bytes(b"one")
    before = checksums.hash_file(path)
    path.write_bytes(b"two")
    os.utime(path, (1e9, 1e9))
    assert checksums.hash_file(path) == hashlib.sha256(b"two").hexdigest() != before
