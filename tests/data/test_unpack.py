"""Archives a reader downloaded are unpacked whole, inside their folder, or not at all."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_data import list_files

from swta.data import DataCorrupt, locate, place
from swta.data.folders import cache_folder
from swta.data.unpack import _check_path, unpack
from swta.validation import ParameterError

FILES = {"rgb_anon/night/train/GOPR1/a.png": b"picture", "licence.txt": b"terms"}


def make_zip(path, files=FILES, **special):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("rgb_anon")
        for name, content in files.items():
            archive.writestr(name, content)
        for name, mode in special.items():
            link = zipfile.ZipInfo(name)
            link.external_attr = mode << 16
            archive.writestr(link, "/etc/passwd")
    return path


def make_tar(path, files=FILES, *, kind=None):
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w:xz") as archive:
        folder = tarfile.TarInfo("rgb_anon")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if kind is not None:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = kind, "../outside.txt"
            archive.addfile(member)
    return path


MAKERS = [(make_zip, "a.zip"), (make_tar, "a.tar.gz"), (make_tar, "a.tar.xz")]


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_plain_files_are_unpacked(tmp_path, make, name):
    unpack(make(tmp_path / name), tmp_path / "to/here")
    for path, content in FILES.items():
        assert (tmp_path / "to/here" / path).read_bytes() == content
    assert list_files(tmp_path / "to") == sorted(
        ["here", "here/licence.txt", *(f"here/{'/'.join(FOLDERS[:n])}" for n in range(1, 6))]
    )


FOLDERS = ("rgb_anon", "night", "train", "GOPR1", "a.png")


@pytest.mark.parametrize(("make", "name"), MAKERS)
@pytest.mark.parametrize(
    "bad", ["../outside.txt", "a/../../outside.txt", "/outside.txt", "C:\\outside.txt", "..\\x.txt"]
)
def test_nothing_is_written_outside_or_at_all(tmp_path, make, name, bad):
    archive = make(tmp_path / name, {**FILES, bad: b"out"})
    with pytest.raises(DataCorrupt, match="leads outside the folder; nothing was unpacked"):
        unpack(archive, tmp_path / "to/here")
    assert list_files(tmp_path) == sorted([name, "to"])


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with pytest.raises(DataCorrupt, match="'link' is a link or device"):
        unpack(make_tar(tmp_path / "a.tar.gz", kind=kind), tmp_path / "here")
    assert not (tmp_path / "here").exists()


def test_links_in_a_zip_are_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", link=stat.S_IFLNK | 0o777)
    with pytest.raises(DataCorrupt, match="'link' is a link"):
        unpack(archive, tmp_path / "here")
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(("make", "name"), MAKERS)
def test_a_damaged_archive_leaves_nothing(tmp_path, make, name):
    archive = make(tmp_path / name, {**FILES, "long.bin": bytes(range(256)) * 400})
    whole = archive.read_bytes()
    for damage in (whole[: len(whole) // 2], b"no archive", b""):
        archive.write_bytes(damage)
        with pytest.raises(DataCorrupt, match=f"found {len(damage)} bytes that cannot be unpacked"):
            unpack(archive, tmp_path / "here")
        assert list_files(tmp_path) == [name]


def test_a_file_without_a_name_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", files={"x": b"1"})
    archive.write_bytes(archive.read_bytes().replace(b"x", b"\0"))  # a name ends at a zero
    with pytest.raises(DataCorrupt, match="has no name"):
        unpack(archive, tmp_path / "here")


def test_a_wrong_byte_in_a_zip_is_noticed(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.txt", b"unmistakable")
    archive.write_bytes(archive.read_bytes().replace(b"unmistakable", b"unmistakably"))
    with pytest.raises(DataCorrupt, match="CRC"):
        unpack(archive, tmp_path / "here")


def test_a_missing_archive_is_said(tmp_path):
    with pytest.raises(DataCorrupt, match="there is no such archive"):
        unpack(tmp_path / "a.zip", tmp_path / "here")


def test_two_archives_of_one_set_are_placed_where_it_is_found(tmp_path, own_data):
    place("acdc", make_zip(tmp_path / "rgb.zip", {
        "rgb_anon/night/train/x.png": b"1", "rgb_anon/night/val/x.png": b"2"}))  # fmt: skip
    labels = {"gt/night/train/x.png": b"3", "gt/night/val/x.png": b"4"}
    folder = place("acdc", make_tar(tmp_path / "gt.tar.gz", labels))
    assert folder == own_data / "acdc" == locate("acdc").folder


def test_without_a_data_folder_the_cache_takes_it(tmp_path):
    assert place("acdc", make_zip(tmp_path / "a.zip")) == cache_folder() / "acdc"
    with pytest.raises(ParameterError, match="did you mean 'nightcity'"):
        place("nightcit", tmp_path / "a.zip")


@given(st.text(st.sampled_from("ab./\\:"), min_size=1, max_size=12))
def test_a_path_that_passes_stays_inside(tmp_path_factory, name):
    inside = tmp_path_factory.getbasetemp() / "inside"
    try:
        path = _check_path(inside, name)
    except DataCorrupt:
        return
    assert (inside / path).resolve().is_relative_to(inside.resolve())
