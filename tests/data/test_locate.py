"""Where a data set is found, what is recorded of it, and what is said when it is not."""

from __future__ import annotations

import re

import pytest
from made_data import sha256
from web_server import send

from swta.data import (
    DataCorrupt,
    DataSet,
    DataUnavailable,
    RemoteFile,
    Use,
    fetch,
    find,
    fingerprint,
    locate,
    use,
    used,
)
from swta.data.folders import cache_folder, data_folder, is_offline
from swta.validation import ParameterError

TABLE = b"a,b\n1,2\n"


@pytest.fixture
def sample(register) -> DataSet:
    remote = RemoteFile("table.csv", ("http://127.0.0.1:9/table.csv",), sha256(TABLE), size=8)
    return register(
        DataSet(
            name="sample", title="A sample", version="1", folder="samples/one", access="download",
            licence="none", citation="none", homepage="http://localhost/", files=(remote,),
            contents=(("table.csv", sha256(TABLE)), ("notes", "")),
        )
    )  # fmt: skip


def fill(root, table: bytes = TABLE):
    folder = root / "samples/one"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes/a.txt").write_bytes(b"note")
    (folder / "table.csv").write_bytes(table)
    return folder


def test_own_data_come_before_the_cache(sample, own_data):
    fill(cache_folder())
    assert locate("sample").source == "cache"
    folder = fill(own_data)
    found = locate("sample")
    assert (found.source, found.folder) == ("SWTA_DATA", folder)
    assert found.files == (folder / "table.csv", folder / "notes")


def test_a_download_comes_last_and_is_found_in_the_cache_afterwards(sample, server, register):
    server.answers["/table.csv"] = send(TABLE)
    remote = RemoteFile("table.csv", (f"{server.url}/table.csv",), sha256(TABLE))
    register(DataSet(**{**vars(sample), "files": (remote,), "contents": sample.contents[:1]}))
    assert fingerprint("sample") == "absent" and server.requests == []
    assert locate("sample").source == "download"
    assert locate("sample").source == "cache"
    assert used()[0].source == "cache"
    assert server.requests == ["/table.csv"]


def test_a_download_that_failed_is_not_tried_again_in_the_same_process(sample, server, register):
    remote = RemoteFile("table.csv", (f"{server.url}/table.csv",), sha256(TABLE))
    register(DataSet(**{**vars(sample), "files": (remote,)}))
    for _ in range(2):
        with pytest.raises(DataUnavailable, match="404"):
            locate("sample")
    assert server.requests == ["/table.csv"]


def test_the_message_says_where_was_looked_and_what_to_do(sample, own_data):
    with pytest.raises(DataUnavailable) as caught:
        locate("sample")
    message = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert "'sample' (A sample)" in message
    assert f"SWTA_DATA: there is no {own_data / 'samples/one'}" in message
    assert f"cache: there is no {cache_folder() / 'samples/one'}" in message
    assert "download: switched off by SWTA_OFFLINE" in message
    assert "bundled: the package has no copy" in message
    assert "under samples/one/: table.csv (from http://127.0.0.1:9/)" in message


def test_an_incomplete_copy_is_not_a_copy(sample, own_data):
    fill(own_data)
    (own_data / "samples/one/table.csv").unlink()
    with pytest.raises(DataUnavailable, match=r"samples/one lacks table\.csv"):
        locate("sample")


def test_registration_is_explained():
    with pytest.raises(DataUnavailable, match="needs registration at https://acdc") as caught:
        locate("acdc")
    assert "SWTA_DATA: not set" in str(caught.value)
    assert "gt/night/{train,val}/GOPRxxxx/*_gt_labelTrainIds.png" in str(caught.value)


def test_a_built_set_names_the_command(register, sample):
    many = tuple((f"{number}.csv", "") for number in range(6))
    register(DataSet(**{**vars(sample), "access": "build", "contents": many}))
    with pytest.raises(DataUnavailable, match=r"3\.csv and 2 more; `swta data fetch sample`"):
        locate("sample")


def test_a_data_folder_that_does_not_exist_is_an_error(sample, monkeypatch, tmp_path):
    fill(cache_folder())
    monkeypatch.setenv("SWTA_DATA", str(tmp_path / "nowhere"))
    for look in (locate, find, fingerprint):
        with pytest.raises(DataUnavailable, match=r"SWTA_DATA = .*there is no folder .*nowhere"):
            look("sample")
    with pytest.raises(DataUnavailable):
        locate("uci")


@pytest.mark.parametrize("look", [locate, find, fingerprint])
def test_an_unknown_name_gets_the_nearest(look):
    with pytest.raises(ParameterError, match="did you mean 'camvid'"):
        look("camvit")


def test_use_compares_checksums_and_records_what_was_read(sample, own_data):
    folder = fill(own_data)
    location = locate("sample")
    assert use(location, "table.csv", note="first") == (folder / "table.csv",)
    use(location, "notes", note="second")
    use(location, "table.csv", note="first")
    (record,) = used()
    assert (record.name, record.source, record.note) == ("sample", "SWTA_DATA", "first; second")
    files = dict(record.files)
    assert files["table.csv"] == sha256(TABLE)
    assert files["notes"] == sha256(b"a.txt\t4\n")


def test_a_location_found_without_a_record_can_be_used(sample, own_data):
    fill(own_data)
    location = find("sample")
    assert used() == ()
    use(location, "table.csv")
    assert used() == (Use("sample", "SWTA_DATA", (("table.csv", sha256(TABLE)),)),)


def test_a_set_that_was_only_located_is_recorded_with_all_its_files(sample, own_data):
    fill(own_data)
    locate("sample")
    assert [path for path, _ in used()[0].files] == ["table.csv", "notes"]


def test_a_wrong_checksum_names_file_expected_and_found(sample, own_data):
    folder = fill(own_data, b"a,b\n1,3\n!")
    with pytest.raises(DataCorrupt) as caught:
        use(locate("sample"), "table.csv")
    assert re.search(
        rf"table\.csv: expected SHA-256 {sha256(TABLE)} \(8 bytes\), "
        rf"found {sha256((folder / 'table.csv').read_bytes())} \(9 bytes\).*fetch sample",
        str(caught.value),
    )


def test_a_file_that_went_away_or_cannot_be_read_is_named(sample, own_data, monkeypatch):
    folder = fill(own_data)
    location = locate("sample")
    (folder / "table.csv").unlink()
    with pytest.raises(DataCorrupt, match=r"table\.csv: the file is missing"):
        use(location, "table.csv")
    (folder / "table.csv").write_bytes(TABLE)

    def forbid(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setitem(use.__globals__, "hash_path", forbid)
    with pytest.raises(DataCorrupt, match=r"cannot be read \(Permission denied"):
        use(location, "table.csv")


def test_a_search_in_vain_is_recorded_until_the_data_come(sample, own_data):
    with pytest.raises(DataUnavailable):
        locate("sample")
    (record,) = used()
    assert (record.source, record.files) == ("absent", ())
    assert "SWTA_OFFLINE" in record.note
    fill(own_data)
    use(locate("sample"), "table.csv")
    assert used()[0].source == "SWTA_DATA"


def test_a_fingerprint_follows_content_and_source(sample, own_data):
    assert fingerprint("sample") == "absent"
    folder = fill(cache_folder())
    cached = fingerprint("sample")
    assert cached.startswith("cache:") and cached == fingerprint("sample")
    (folder / "table.csv").write_bytes(b"a,b\n1,4\n")
    assert fingerprint("sample") not in (cached, "absent")
    fill(own_data)
    own = fingerprint("sample")
    assert own.startswith("SWTA_DATA:") and own.partition(":")[2] == cached.partition(":")[2]
    (own_data / "samples/one/notes/b.txt").write_bytes(b"")
    assert fingerprint("sample") != own
    assert used() == ()  # asking is not using


def test_what_code_draws_is_bundled():
    assert fingerprint("rendered") == "bundled"
    assert fingerprint("class_statistics").startswith("bundled:")
    location = locate("rendered")
    assert (location.source, location.files) == ("bundled", ())
    assert use(location, note="drawn") == ()
    assert used() == (Use("rendered", "bundled", (), "drawn"),)


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("True", True), ("yes", True), ("0", False), ("", False)]
)
def test_offline_is_a_switch(monkeypatch, value, offline):
    monkeypatch.setenv("SWTA_OFFLINE", value)
    assert is_offline() is offline


def test_folders_follow_the_environment(monkeypatch, tmp_path):
    assert data_folder() is None
    monkeypatch.setenv("SWTA_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("SWTA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "system"))
    assert cache_folder().name == "swta"


def test_a_good_copy_of_the_cache_needs_no_network(sample):
    folder = fill(cache_folder())
    assert fetch("sample") == folder
