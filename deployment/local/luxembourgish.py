"""The folder that `ckan.i18n_directory` names: core's languages by link, and Luxembourgish, which core lacks.

A string that Luxembourgish does not have yet is shown in French, not in English: French overlaid with ours.
Called as `python -m local.luxembourgish CORE OWN OUT`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import polib

LINKED = ("fr", "de")


def build(core: Path, own: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for language in LINKED:
        (out / language).symlink_to(core / language)
    (out / "ckan.pot").symlink_to(core / "ckan.pot")
    target = out / "lb" / "LC_MESSAGES"
    target.mkdir(parents=True)
    catalogue = overlay(polib.pofile(str(core / "fr" / "LC_MESSAGES" / "ckan.po")), own / "core-lb.po")
    catalogue.save(str(target / "ckan.po"))
    catalogue.save_as_mofile(str(target / "ckan.mo"))
    for po in own.glob("*/LC_MESSAGES/*.po"):
        polib.pofile(str(po)).save_as_mofile(str(po.with_suffix(".mo")))


def overlay(french: polib.POFile, luxembourgish: Path) -> polib.POFile:
    """French with every string that the Luxembourgish file translates replaced by its translation."""
    ours = {(e.msgctxt, e.msgid): e for e in polib.pofile(str(luxembourgish)) if e.translated()}
    for entry in french:
        if found := ours.get((entry.msgctxt, entry.msgid)):
            entry.msgstr, entry.msgstr_plural = found.msgstr, found.msgstr_plural
    french.metadata |= {"Language": "lb", "Plural-Forms": "nplurals=2; plural=(n != 1);"}
    return french


if __name__ == "__main__":
    build(*(Path(argument) for argument in sys.argv[1:4]))
