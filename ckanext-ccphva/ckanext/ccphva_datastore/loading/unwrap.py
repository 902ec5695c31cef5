"""What a file is, by its content and never by its name; gzip and zip unfolded within limits. No CKAN."""

from __future__ import annotations

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from ckanext.ccphva_datastore.loading.faults import Fault

MB = 1_000_000
HEAD = 4096
ARCHIVES = (".zip", ".gz", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".tar")
NOISE = ("__macosx/", "thumbs.db", ".ds_store")
SHAPE = (".shp", ".shx", ".dbf", ".prj", ".cpg", ".qpj", ".sbn", ".sbx", ".qix", ".xml")
DATA = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".json", ".geojson", ".gml", ".gpkg", ".shp", ".jml")

Kind = str
"""`text`, `xlsx`, `xls`, `ods`, `json`, `gpkg`, `gml`, `jml`, `shape`, `pdf`, `docx`, `odt`, `html`;
`other`: pictures, programs, XML of other kinds, which stay files.
"""


def kind_of(path: Path, folder: Path, most_bytes: int) -> tuple[Kind, Path]:
    """The kind of a file, and where its content is once it is unfolded.

    :param folder: where unfolded files may be written.
    :param most_bytes: what one archive may unfold to.
    :raises Fault: an empty file, a bomb, an archive in an archive, several tables in one archive.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head.strip(b"\0 \r\n\t\xef\xbb\xbf"):
        raise Fault("empty")
    if head.startswith(b"\x1f\x8b"):
        return _plain(_gunzip(path, folder / "unfolded", most_bytes))
    if head.startswith(b"PK"):
        return _zip(path, folder, most_bytes)
    return _plain(path)


def _plain(path: Path) -> tuple[Kind, Path]:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith((b"PK\x03\x04", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!", b"BZh", b"\xfd7zXZ")):
        raise Fault("nested", name=path.name)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls", path
    if head.startswith(b"%PDF"):
        return "pdf", path
    if head.startswith(b"SQLite format 3\0"):
        return "gpkg", path
    if head.startswith((b"PAR1", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"MZ\x90", b"RIFF")):
        return "other", path
    return _written(head), path


def _written(head: bytes) -> Kind:
    """The kind of a text by its first characters."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = start.lower()
    if lower.startswith(b"<"):
        if b"<html" in lower or b"<!doctype html" in lower:
            return "html"
        if b"jcsdatafile" in lower:
            return "jml"
        if b"<!doctype" in lower or b"<!entity" in lower:
            return "other"
        if b"opengis.net/gml" in lower or b"opengis.net/wfs" in lower:
            return "gml"
        return "other"
    if start.startswith((b"{", b"[")):
        return "json"
    return "text"


def _gunzip(path: Path, target: Path, most_bytes: int) -> Path:
    try:
        with gzip.open(path) as source:
            _copied(source, target, most_bytes)
    except EOFError as error:
        raise Fault("interrupted") from error
    except (OSError, zlib.error) as error:
        if getattr(error, "errno", None):  # a full disk is not the file's fault
            raise
        raise Fault("broken", reason=str(error)) from error
    return target


def _copied(source: IO[bytes] | gzip.GzipFile, target: Path, most_bytes: int) -> None:
    with target.open("wb") as out:
        left = most_bytes
        while piece := source.read(min(1 << 20, left + 1)):
            left -= len(piece)
            if left < 0:
                raise Fault("ratio", most=most_bytes // MB)
            out.write(piece)


def _zip(path: Path, folder: Path, most_bytes: int) -> tuple[Kind, Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and not _noise(m.filename)]
            # What the directory says is believed for a refusal only: each member is counted as it unfolds.
            if sum(member.file_size for member in members) > most_bytes:
                raise Fault("ratio", most=most_bytes // MB)
            if any(member.flag_bits & 1 for member in members):
                raise Fault("password")
            if kind := _office({member.filename for member in archive.infolist()}, archive):
                return kind, path
            return _member(archive, members, folder, most_bytes)
    except zipfile.BadZipFile as error:
        raise Fault("interrupted" if "not a zip" in str(error) else "broken", reason=str(error)) from error
    except (zlib.error, NotImplementedError, EOFError) as error:
        raise Fault("broken", reason=str(error)) from error


def _noise(name: str) -> bool:
    return name.lower().startswith(NOISE) or Path(name).name.lower() in NOISE


def _office(names: set[str], archive: zipfile.ZipFile) -> Kind | None:
    if "[Content_Types].xml" in names:
        if any(name.startswith("xl/") for name in names):
            return "xlsx"
        if any(name.startswith("word/") for name in names):
            return "docx"
        return "other"
    if "mimetype" in names:
        media = archive.open("mimetype").read(200)
        if b"opendocument.spreadsheet" in media:
            return "ods"
        if b"opendocument.text" in media:
            return "odt"
        return "other"
    return None


def _member(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], folder: Path, most_bytes: int
) -> tuple[Kind, Path]:
    for member in members:
        if member.filename.lower().endswith(ARCHIVES):
            raise Fault("nested", name=member.filename)
    suffix: Callable[[zipfile.ZipInfo], str] = lambda member: Path(member.filename).suffix.lower()  # noqa: E731
    shapes = [member for member in members if suffix(member) == ".shp"]
    found = shapes or [m for m in members if suffix(m) in DATA] or members
    if not found:
        raise Fault("no-member")
    if len(found) > 1:
        raise Fault("several", names=", ".join(sorted(member.filename for member in found)[:10]))
    if shapes:
        stem = Path(found[0].filename).with_suffix("")
        parts = [m for m in members if suffix(m) in SHAPE and Path(m.filename).with_suffix("") == stem]
    else:
        parts = found
    for part in parts:
        # Names of an archive are never used as paths.
        target = folder / f"unfolded{suffix(part) if shapes else ''}"
        with archive.open(part) as source:
            _copied(source, target, most_bytes)
    return ("shape", folder / "unfolded.shp") if shapes else _plain(folder / "unfolded")


def room(folder: Path) -> int:
    """Bytes that are free where files unfold."""
    return shutil.disk_usage(folder).free
