"""Downloads against a local server that misbehaves: one clear message, nothing half-written."""

from __future__ import annotations

import errno
import hashlib
import importlib
import io
import socket
import sys
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from made_data import list_files, sha256
from web_server import refuse, send, stall, truncate

from swta.data import DataCorrupt, DataSet, DownloadError, RemoteFile, fetch
from swta.data.folders import cache_folder
from swta.validation import ParameterError

fetching = importlib.import_module("swta.data.fetch")
GOOD = b"measured " * 1000
OTHER = b"replaced " * 1000


def make_set(server, register, *, paths=("a.bin",), mirrors=("one",), **changes) -> DataSet:
    files = tuple(
        RemoteFile(
            path,
            tuple(f"{server.url}/{mirror}/{path}" for mirror in mirrors),
            sha256(GOOD),
            size=len(GOOD),
        )
        for path in paths
    )
    fields = dict(
        name="sample", title="A sample", version="1", folder="samples/one", access="download",
        licence="none", citation="none", homepage="http://localhost", files=files,
        contents=tuple((path, sha256(GOOD)) for path in paths),
    )  # fmt: skip
    return register(DataSet(**{**fields, **changes}))


def fail(message: str) -> str:
    """Fetch the sample, expect an error that has ``message``, and an empty cache."""
    with pytest.raises(DownloadError, match=message) as caught:
        fetch("sample")
    assert not cache_folder().exists() or list_files(cache_folder()) == []
    return str(caught.value)


def test_a_good_file_arrives_whole_and_quietly(server, register, capfd):
    make_set(server, register, paths=("raw/a.bin",))
    server.answers["/one/raw/a.bin"] = send(GOOD)
    folder = fetch("sample")
    assert folder == cache_folder() / "samples/one"
    assert (folder / "raw/a.bin").read_bytes() == GOOD
    assert list_files(folder) == ["raw", "raw/a.bin"]
    assert capfd.readouterr() == ("", "")


def test_finished_files_are_not_fetched_again(server, register):
    make_set(server, register, paths=("a.bin", "b.bin"))
    server.answers["/one/a.bin"] = send(GOOD)
    with pytest.raises(DownloadError, match=r"b\.bin"):
        fetch("sample")
    assert list_files(cache_folder() / "samples/one") == ["a.bin"]
    server.answers["/one/b.bin"] = send(GOOD)
    fetch("sample")
    fetch("sample")
    assert server.requests == ["/one/a.bin", "/one/b.bin", "/one/b.bin"]


def test_a_damaged_file_of_the_cache_is_fetched_again(server, register):
    make_set(server, register)
    server.answers["/one/a.bin"] = send(GOOD)
    path = fetch("sample") / "a.bin"
    path.write_bytes(OTHER)
    fetch("sample")
    assert path.read_bytes() == GOOD


def test_the_second_mirror_serves_when_the_first_does_not(server, register):
    make_set(server, register, mirrors=("one", "two"))
    server.answers["/one/a.bin"] = send(OTHER)
    server.answers["/two/a.bin"] = send(GOOD)
    assert (fetch("sample") / "a.bin").read_bytes() == GOOD
    assert server.requests == ["/one/a.bin", "/two/a.bin"]


def test_an_md5_is_enough(server, register):
    url = f"{server.url}/one/a.bin"
    remote = RemoteFile("a.bin", (url,), md5=hashlib.md5(GOOD).hexdigest())
    make_set(server, register, files=(remote,))
    server.answers["/one/a.bin"] = send(GOOD)
    assert (fetch("sample") / "a.bin").read_bytes() == GOOD


def test_every_failing_mirror_is_named_with_the_way_out(server, register):
    make_set(server, register, mirrors=("one", "two"))
    server.answers["/one/a.bin"] = refuse
    server.answers["/two/a.bin"] = send(OTHER[:-1])
    message = fail("could not download a.bin")
    assert f"{server.url}/one/a.bin: the server answered 404 Not Found" in message
    assert f"{server.url}/two/a.bin: {len(OTHER) - 1} bytes came, with another" in message
    assert f"sha256:{sha256(GOOD)}, {len(GOOD)} bytes" in message
    assert f"save it as {cache_folder() / 'samples/one/a.bin'}" in message


@pytest.mark.faults
def test_a_truncated_transfer_is_thrown_away(server, register):
    """Case D10."""
    make_set(server, register)
    server.answers["/one/a.bin"] = truncate(GOOD, 4000)
    assert "the connection failed" in fail("could not download")


def test_a_short_file_that_looks_complete_is_thrown_away(server, register):
    make_set(server, register)
    server.answers["/one/a.bin"] = send(GOOD[:4000])
    assert "4000 bytes came, with another checksum" in fail("could not download")


@pytest.mark.faults
def test_a_stalled_server_is_given_up(server, register, monkeypatch):
    """Case D11."""
    make_set(server, register)
    monkeypatch.setattr(fetching, "READ_TIMEOUT", 0.2)
    server.answers["/one/a.bin"] = stall(GOOD, 0, 1.0)
    assert "the server was silent" in fail("could not download")
    server.answers["/one/a.bin"] = stall(GOOD * 20, 70_000, 1.0)
    assert "0.2 s to send) after 65536 bytes" in fail("could not download")


def test_no_network_is_said_plainly(server, register):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{free.getsockname()[1]}"
    make_set(server, register)
    assert "Connection refused" in fail("the connection failed")


def test_offline_means_no_request(server, register, monkeypatch):
    monkeypatch.setenv("SWTA_OFFLINE", "1")
    make_set(server, register)
    fail("SWTA_OFFLINE forbids a download")
    assert server.requests == []


def test_no_permission_names_the_folder(server, register, monkeypatch):
    make_set(server, register)
    server.answers["/one/a.bin"] = send(GOOD)
    cache = cache_folder()

    def forbid(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as patch:
        patch.setattr(type(cache), "mkdir", forbid)
        message = fail("no permission to write")
    assert str(cache / "samples/one") in message and "SWTA_CACHE" in message


def test_a_file_in_the_way_of_the_cache_is_named(server, register):
    make_set(server, register)
    cache_folder().parent.mkdir(exist_ok=True)
    cache_folder().write_text("not a folder")
    with pytest.raises(DownloadError, match="cannot write to"):
        fetch("sample")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_plainly(server, register, monkeypatch, number):
    make_set(server, register)
    server.answers["/one/a.bin"] = send(GOOD)

    class FullDisk(fetching._Stream):
        def __call__(self, url, output_file, mirror):
            super().__call__(url, output_file, mirror)
            raise OSError(number, "No space left on device", str(output_file))

    monkeypatch.setattr(fetching, "_Stream", FullDisk)
    fail("the disk is full while writing to")


@pytest.mark.faults
def test_an_interruption_leaves_nothing(server, register, monkeypatch):
    """Case D12."""
    make_set(server, register)

    class Interrupted(fetching._Stream):
        def __call__(self, url, output_file, mirror):
            raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "_Stream", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch("sample")
    assert not cache_folder().exists() or list_files(cache_folder()) == []


def test_registration_says_where_and_how(register, server):
    make_set(
        server, register, access="registration", files=(), layout="x.zip -> images/*.png",
        homepage="http://localhost/terms",
    )  # fmt: skip
    message = fail("needs registration at http://localhost/terms")
    assert "x.zip -> images/*.png" in message


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ParameterError, match="did you mean 'mnist'"):
        fetch("minst")


def join_upstream(upstream, target) -> None:
    (target / "table.csv").write_bytes(
        (upstream / "a.bin").read_bytes() + (upstream / "b.bin").read_bytes()
    )


def make_built(server, register, **changes) -> DataSet:
    fields = dict(
        paths=("a.bin", "b.bin"), access="build", build=join_upstream,
        contents=(("table.csv", sha256(GOOD + GOOD)),),
    )  # fmt: skip
    return make_set(server, register, **{**fields, **changes})


def test_a_built_set_appears_as_a_whole(server, register):
    make_built(server, register)
    server.answers["/one/a.bin"] = send(GOOD)
    with pytest.raises(DownloadError):
        fetch("sample")
    assert list_files(cache_folder()) == ["upstream", "upstream/sample", "upstream/sample/a.bin"]
    server.answers["/one/b.bin"] = send(GOOD)
    folder = fetch("sample")
    assert list_files(folder) == ["table.csv"]
    assert list_files(cache_folder()) == ["samples", "samples/one", "samples/one/table.csv"]
    assert server.requests.count("/one/a.bin") == 1


def test_two_that_want_the_same_set_make_it_once(server, register):
    built = []

    def build_slowly(upstream, target):
        built.append(target)
        time.sleep(0.2)
        join_upstream(upstream, target)

    make_built(server, register, build=build_slowly)
    server.answers["/one/a.bin"] = server.answers["/one/b.bin"] = send(GOOD)
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(fetch, ["sample", "sample"]))
    assert folders[0] == folders[1] and len(built) == 1 and len(server.requests) == 2


def test_a_damaged_built_set_is_built_again(server, register):
    make_built(server, register)
    server.answers["/one/a.bin"] = server.answers["/one/b.bin"] = send(GOOD)
    table = fetch("sample") / "table.csv"
    table.write_bytes(b"damaged")
    fetch("sample")
    assert table.read_bytes() == GOOD + GOOD
    assert list_files(cache_folder() / "samples") == ["one", "one/table.csv"]


def test_a_build_that_gives_other_values_is_refused(server, register):
    make_built(server, register, contents=(("table.csv", sha256(b"something else")),))
    server.answers["/one/a.bin"] = server.answers["/one/b.bin"] = send(GOOD)
    with pytest.raises(DataCorrupt, match=r"samples/one/table\.csv: expected SHA-256"):
        fetch("sample")
    assert not (cache_folder() / "samples/one").exists()
    assert list_files(cache_folder() / "samples") == []
    assert (cache_folder() / "upstream/sample/a.bin").exists()  # good, and kept for the next try


def test_a_failed_build_drops_a_download_that_nothing_vouches_for(server, register):
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz"):
        pass

    def refuse_build(upstream, target):
        raise DataCorrupt("not what it should be")

    url = f"{server.url}/one/a.tar.gz"
    make_built(server, register, files=(RemoteFile("a.tar.gz", (url,)),), build=refuse_build)
    server.answers["/one/a.tar.gz"] = send(archive.getvalue())
    with pytest.raises(DataCorrupt, match="not what it should be"):
        fetch("sample")
    assert not (cache_folder() / "upstream/sample/a.tar.gz").exists()


def test_a_missing_archive_is_described_without_a_checksum(server, register):
    make_built(server, register, files=(RemoteFile("a.tgz", (f"{server.url}/one/a.tgz",)),))
    assert "packed on request" in fail("could not download a.tgz")


@pytest.mark.parametrize("count", [1, 6])
def test_bars_are_for_terminals(server, register, monkeypatch, capsys, count):
    paths = tuple(f"{number}.bin" for number in range(count))
    make_set(server, register, paths=paths)
    for path in paths:
        server.answers[f"/one/{path}"] = send(GOOD)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    fetch("sample")
    shown = capsys.readouterr().err
    assert ("9.00k" in shown) if count == 1 else ("sample" in shown and "file" in shown)


def test_a_build_needs_room_too(server, register):
    def fill(upstream, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    make_built(server, register, build=fill)
    server.answers["/one/a.bin"] = server.answers["/one/b.bin"] = send(GOOD)
    with pytest.raises(DownloadError, match="the disk is full"):
        fetch("sample")
    assert list_files(cache_folder() / "samples") == []
