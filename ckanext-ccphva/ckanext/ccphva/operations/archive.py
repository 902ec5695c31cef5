"""The archive of a backup: one uncompressed tar; `manifest.json` at its end lists parts, sizes, SHA-256.

The dumps inside are compressed by PostgreSQL. Parts are streamed: a backup needs no second copy on the disk.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from ckanext.ccphva.operations.errors import BrokenArchive

FORMAT = 1
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
PIECE = 1 << 20


class Writer:
    """Writes an archive that only its owner may read."""

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")
        self.members: dict[str, dict[str, Any]] = {}
        self.bytes = 0

    def add(self, name: str, fill: Callable[[Any], None]) -> None:
        """Add a part whose size is known only afterwards: its header is written last.

        :param fill: called with something that has `write(bytes)`.
        """
        began = self._file.tell()
        self._file.write(bytes(len(self._header(name, 0))))
        sink = _Sink(self._file)
        fill(sink)
        self._file.write(bytes(-sink.size % tarfile.BLOCKSIZE))
        ended = self._file.tell()
        self._file.seek(began)
        self._file.write(self._header(name, sink.size))
        self._file.seek(ended)
        self.members[name] = {"size": sink.size, "sha256": sink.digest.hexdigest()}

    def add_bytes(self, name: str, content: bytes) -> None:
        self.add(name, lambda sink: sink.write(content))

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as source:
            self.add(name, lambda sink: copy(source, sink))

    def close(self, manifest: dict[str, Any]) -> None:
        """Write the manifest and its seal, and bring everything to the disk."""
        text = json.dumps(
            manifest | {"format": FORMAT, "members": self.members}, indent=1, ensure_ascii=False
        ).encode()
        self.add_bytes(MANIFEST, text)
        self.add_bytes(SEAL, hashlib.sha256(text).hexdigest().encode())
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))
        self._file.flush()
        os.fsync(self._file.fileno())
        self.bytes = self._file.tell()
        self._file.close()

    def abandon(self) -> None:
        self._file.close()

    def _header(self, name: str, size: int) -> bytes:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size, 0o600, int(time.time())
        return member.tobuf(tarfile.GNU_FORMAT)


class _Sink:
    def __init__(self, file: Any) -> None:
        self._file, self.size, self.digest = file, 0, hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.digest.update(piece)
        self.size += len(piece)


def copy(source: Any, sink: Any) -> None:
    while piece := source.read(PIECE):
        sink.write(piece)


class Reader:
    """Reads an archive; nothing it gives out has not been compared with the manifest."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 -- closed in close()
            self._members = {member.name: member for member in self._tar.getmembers()}
        except (tarfile.TarError, OSError, EOFError) as error:
            raise BrokenArchive(
                path.name, f"n'est pas une archive entière ({error})", f"is not a whole archive ({error})"
            ) from error
        self.manifest = self._read_manifest()

    def close(self) -> None:
        self._tar.close()

    def _read_manifest(self) -> dict[str, Any]:
        for name in (MANIFEST, SEAL):
            if name not in self._members:
                raise BrokenArchive(name, "manque : l'archive est coupée", "is missing: the archive is cut")
        text = self._bytes(MANIFEST)
        if hashlib.sha256(text).hexdigest().encode() != self._bytes(SEAL):
            raise BrokenArchive(MANIFEST, "a été altéré", "was altered")
        manifest = json.loads(text)
        if manifest["format"] != FORMAT:
            raise BrokenArchive(
                MANIFEST,
                f"est au format {manifest['format']}, inconnu ici",
                f"has format {manifest['format']}, unknown here",
            )
        return manifest

    def _bytes(self, name: str) -> bytes:
        source = self._tar.extractfile(self._members[name])
        return source.read() if source else b""

    def verify(self) -> None:
        """Compare every part with the manifest.

        :raises BrokenArchive: with the name of the first part that is missing, cut, altered or unlisted.
        """
        expected: dict[str, dict[str, Any]] = self.manifest["members"]
        for name in self._members.keys() - expected.keys() - {MANIFEST, SEAL}:
            raise BrokenArchive(name, "n'est pas au manifeste", "is not in the manifest")
        for name, known in expected.items():
            if _is_unsafe(name):
                raise BrokenArchive(name, "sort de l'archive", "leads out of the archive")
            if name not in self._members or not self._members[name].isreg():
                raise BrokenArchive(name, "manque", "is missing")
            if self._digest(name) != (known["size"], known["sha256"]):
                raise BrokenArchive(name, "a été altéré", "was altered")

    def _digest(self, name: str) -> tuple[int, str]:
        sink = _Sink(_Nowhere())
        try:
            copy(self._tar.extractfile(self._members[name]), sink)
        except (tarfile.TarError, OSError, EOFError):
            return (-1, "")
        return sink.size, sink.digest.hexdigest()

    def names(self, prefix: str) -> list[str]:
        return [name for name in self.manifest["members"] if name.startswith(prefix)]

    def extract(self, name: str, to: Path) -> None:
        """Write a part as a file, its folders made."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with to.open("wb") as out:
            copy(self._tar.extractfile(self._members[name]), out)


class _Nowhere:
    def write(self, piece: bytes) -> None:
        pass


def _is_unsafe(name: str) -> bool:
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or not path.parts
