"""The folder that `ckan.i18n_directory` names: core's languages, mended, and Luxembourgish, which core lacks.

A string that Luxembourgish does not have yet is shown in French, not in English: `lb` is French overlaid with
ours. Core's French leaves strings of public pages in English; `core-fr.po` says them. A language without such
a file is linked as it stands.
Called as `python -m local.luxembourgish CORE OWN OUT`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import polib

CORE = ("fr", "de")


def build(core: Path, own: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / "ckan.pot").symlink_to(core / "ckan.pot")
    for language in CORE:
        if (own / f"core-{language}.po").exists():
            save(read(core, own, language), out / language)
        else:
            (out / language).symlink_to(core / language)
    luxembourgish = overlay(read(core, own, "fr"), own / "core-lb.po")
    luxembourgish.metadata |= {"Language": "lb", "Plural-Forms": "nplurals=2; plural=(n != 1);"}
    save(luxembourgish, out / "lb")
    for po in own.glob("*/LC_MESSAGES/*.po"):
        polib.pofile(str(po)).save_as_mofile(str(po.with_suffix(".mo")))


def read(core: Path, own: Path, language: str) -> polib.POFile:
    """Core's catalogue of a language with our supplement, where there is one."""
    catalogue = polib.pofile(str(core / language / "LC_MESSAGES" / "ckan.po"))
    supplement = own / f"core-{language}.po"
    return overlay(catalogue, supplement) if supplement.exists() else catalogue


def overlay(catalogue: polib.POFile, ours: Path) -> polib.POFile:
    """The catalogue with every string that our file translates replaced by our translation."""
    known = {(e.msgctxt, e.msgid): e for e in polib.pofile(str(ours)) if e.translated()}
    for entry in catalogue:
        if found := known.get((entry.msgctxt, entry.msgid)):
            entry.msgstr, entry.msgstr_plural = found.msgstr, found.msgstr_plural
            entry.flags = [flag for flag in entry.flags if flag != "fuzzy"]
    return catalogue


def save(catalogue: polib.POFile, folder: Path) -> None:
    target = folder / "LC_MESSAGES"
    target.mkdir(parents=True)
    catalogue.save(str(target / "ckan.po"))
    catalogue.save_as_mofile(str(target / "ckan.mo"))


if __name__ == "__main__":
    build(*(Path(argument) for argument in sys.argv[1:4]))
