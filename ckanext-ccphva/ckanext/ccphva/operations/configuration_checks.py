"""Doctor: is the configuration one that can be run? Reads options only, no service."""

# ruff: noqa: E501 -- sentences stay whole, so that what an operator quotes is found by a search
from __future__ import annotations

import ipaddress
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import ckan.plugins as p
import ckan.plugins.toolkit as tk
from ckan.common import config_declaration
from ckanext.ccphva.operations import ini
from ckanext.ccphva.operations.findings import Finding, fail, ok, warn
from ckanext.ccphva.operations.text import Text
from sqlalchemy.engine import make_url

SECRETS = ("SECRET_KEY", "WTF_CSRF_SECRET_KEY", "api_token.jwt.encode.secret", "api_token.jwt.decode.secret")
PLACEHOLDERS = (
    "changeme",
    "change-me",
    "default",
    "secret",
    "example",
    "replace_me",
    "replace-me",
    "insecure",
)
LEAST = 32
# (first, second): why the first must stand before the second in ckan.plugins.
ORDER = {
    ("ccphva", "scheming_datasets"): "its templates and search rules are outermost",
    ("ccphva", "activity"): "its templates are outermost",
    ("ccphva_harvest", "harvest"): "its chained actions are outermost: Celery runs the harvests",
    ("ccphva_exchange", "dcat"): "its addresses come before those of ckanext-dcat",
    ("datastore", "ccphva_datastore"): "the last backend wins",
    ("spatial_metadata", "spatial_query"): "the extent is read before it is searched",
}
# Option, value it must have, the plugin that makes it matter, why.
FIXED: tuple[tuple[str, object, str, Text], ...] = (
    ("ckan.search.solr_commit", False, "ccphva", Text("chaque écriture attendrait Solr", "every write would wait for Solr")),
    ("ckan.harvest.mq.type", "celery", "harvest", Text("les moissons partiraient dans une file que personne ne lit", "harvests would go to a queue that nobody reads")),
    ("ckan.datastore.sqlsearch.enabled", False, "datastore", Text("du SQL libre contournerait les droits", "free SQL would walk around the rights")),
    ("ckan.auth.create_unowned_dataset", False, "ccphva", Text("chaque jeu de données a un propriétaire", "every dataset has an owner")),
    ("ckan.auth.create_user_via_web", False, "ccphva", Text("n'importe qui pourrait ouvrir un compte", "anybody could open an account")),
    ("ckan.auth.create_user_via_api", False, "ccphva", Text("n'importe qui pourrait ouvrir un compte", "anybody could open an account")),
    ("debug", False, "ccphva", Text("les pages d'erreur montreraient le code", "error pages would show the code")),
)  # fmt: skip


def declared() -> Iterator[Finding]:
    """Every option has a value its declaration allows, and every option of ours is declared."""
    _, errors = config_declaration.validate(tk.config)
    for key, messages in sorted(errors.items()):
        said = ", ".join(str(m) for m in messages)
        yield fail("configuration.options", f"{key} : {said}", f"{key}: {said}", _edit(key))
    for key in sorted(k for k in tk.config if k.startswith("ccphva.") and k not in config_declaration):
        yield warn(
            "configuration.options", f"L'option {key} n'existe pas", f"There is no option {key}", _edit(key)
        )
    if not errors:
        yield ok(
            "configuration.options",
            "Toutes les options ont une valeur admise",
            "All options have an allowed value",
        )


def secrets() -> Iterator[Finding]:
    """Secrets are there, long, and not those of an example."""
    bad = False
    for key in SECRETS:
        values = tk.config.get(key) or ""
        for value in values if isinstance(values, list) else [values]:
            secret = str(value).removeprefix("string:")
            if (
                len(secret) < LEAST
                or any(word in secret.lower() for word in PLACEHOLDERS)
                or len(set(secret)) < 8
            ):
                bad = True
                yield fail(
                    "configuration.secrets",
                    f"{key} manque, est trop court ou vient d'un exemple",
                    f"{key} is missing, too short or comes from an example",
                    f'python3 -c "import secrets; print(secrets.token_hex(24))"  → {key}',
                )
    if not bad:
        yield ok(
            "configuration.secrets",
            "Les clés secrètes sont longues et propres à ce portail",
            "Secret keys are long and this portal's own",
        )


def addresses() -> Iterator[Finding]:
    """The public address is one that others can use."""
    url = tk.config["ckan.site_url"]
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        yield fail(
            "configuration.site_url",
            f"ckan.site_url a un chemin : {url}",
            f"ckan.site_url has a path: {url}",
            _edit("ckan.site_url"),
        )
    elif parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        yield fail(
            "configuration.site_url",
            f"ckan.site_url n'est pas en https : {url}",
            f"ckan.site_url is not https: {url}",
            _edit("ckan.site_url"),
        )
    else:
        yield ok("configuration.site_url", f"Le portail s'annonce à {url}", f"The portal names itself {url}")
    if p.plugin_loaded("dcat") and not tk.config.get("ckanext.dcat.base_uri"):
        yield fail(
            "configuration.base_uri",
            "ckanext.dcat.base_uri manque : les URI des jeux changeraient avec l'adresse",
            "ckanext.dcat.base_uri is missing: the URIs of datasets would change with the address",
            _edit("ckanext.dcat.base_uri"),
        )
    for key in ("email_to", "smtp.mail_from"):
        if not tk.config.get(key):
            yield warn(
                "configuration.mail",
                f"{key} manque : personne ne reçoit les erreurs",
                f"{key} is missing: nobody receives errors",
                _edit(key),
            )


def languages() -> Iterator[Finding]:
    """French first, and a catalogue for every language that is offered."""
    offered = tk.config["ckan.locales_offered"]
    folder = tk.config.get("ckan.i18n_directory")
    for language in offered:
        if (
            folder
            and language != "en"
            and not (Path(folder) / language / "LC_MESSAGES" / "ckan.mo").is_file()
        ):
            yield fail(
                "configuration.languages",
                f"La langue {language} est proposée sans traductions dans ckan.i18n_directory",
                f"The language {language} is offered without translations in ckan.i18n_directory",
                "python -m local.luxembourgish",
            )
    if tk.config["ckan.locale_default"] != "fr":
        yield fail(
            "configuration.languages",
            "ckan.locale_default n'est pas fr",
            "ckan.locale_default is not fr",
            _edit("ckan.locale_default"),
        )
    if lacking := {"fr", "de", "en", "lb"} - set(offered):
        names = ", ".join(sorted(lacking))
        yield warn(
            "configuration.languages",
            f"Langues non proposées : {names}",
            f"Languages not offered: {names}",
            _edit("ckan.locales_offered"),
        )
    else:
        yield ok(
            "configuration.languages", "Les quatre langues sont proposées", "The four languages are offered"
        )


def plugins() -> Iterator[Finding]:
    """The order of plugins is part of the design."""
    loaded = list(tk.config["ckan.plugins"])
    wrong = [
        (a, b, why)
        for (a, b), why in ORDER.items()
        if a in loaded and b in loaded and loaded.index(a) > loaded.index(b)
    ]
    for first, second, why in wrong:
        yield fail(
            "configuration.plugins",
            f"Dans ckan.plugins, {first} doit être avant {second}",
            f"In ckan.plugins, {first} must stand before {second} ({why})",
            _edit("ckan.plugins"),
        )
    if not wrong:
        yield ok(
            "configuration.plugins",
            f"Les {len(loaded)} greffons sont dans le bon ordre",
            f"The {len(loaded)} plugins are in the right order",
        )


def fixed() -> Iterator[Finding]:
    """Options that the portal's design needs to have one certain value."""
    wrong = [row for row in FIXED if p.plugin_loaded(row[2]) and tk.config.get(row[0]) != row[1]]
    for key, value, _, why in wrong:
        shown = str(value).lower() if isinstance(value, bool) else value
        yield fail(
            "configuration.fixed",
            f"{key} devrait être {shown} : {why.fr}",
            f"{key} should be {shown}: {why.en}",
            f"ckan config-tool {ini.path()} '{key} = {shown}'",
        )
    if not wrong:
        yield ok(
            "configuration.fixed",
            "Les options que l'architecture impose sont en place",
            "The options that the design requires are in place",
        )


def roles() -> Iterator[Finding]:
    """The tables are written and read by two roles, in one database."""
    if not p.plugin_loaded("datastore"):
        return
    write, read = (
        make_url(tk.config["ckan.datastore.write_url"]),
        make_url(tk.config["ckan.datastore.read_url"]),
    )
    if write.username == read.username:
        yield fail(
            "configuration.roles",
            "read_url et write_url du DataStore ont le même rôle",
            "The DataStore's read_url and write_url have the same role",
            _edit("ckan.datastore.read_url"),
        )
    elif (write.host, write.port, write.database) != (read.host, read.port, read.database):
        yield fail(
            "configuration.roles",
            "read_url et write_url du DataStore nomment deux bases",
            "The DataStore's read_url and write_url name two databases",
            _edit("ckan.datastore.read_url"),
        )
    else:
        yield ok(
            "configuration.roles",
            "Le DataStore est lu et écrit par deux rôles",
            "The DataStore is read and written by two roles",
        )


def permissions() -> Iterator[Finding]:
    """Files with secrets are closed to other accounts."""
    open_files = [
        file for file in ini.chain() if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP)
    ]
    for file in open_files:
        if _holds_secret(file):
            yield fail(
                "configuration.permissions",
                f"D'autres comptes peuvent lire ou écrire {file}",
                f"Other accounts can read or write {file}",
                f"chmod 640 {file}",
            )
    if not any(_holds_secret(file) for file in open_files):
        yield ok(
            "configuration.permissions",
            "Les fichiers de configuration sont fermés aux autres comptes",
            "Configuration files are closed to other accounts",
        )


def _holds_secret(file: Path) -> bool:
    return any(line.partition("=")[0].strip() in SECRETS for line in file.read_text().splitlines())


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _edit(key: str) -> Text:
    return Text(
        f"Corrigez {key} dans {ini.path()}, puis : systemctl restart ccphva.target",
        f"Mend {key} in {ini.path()}, then: systemctl restart ccphva.target",
    )


CHECKS = (declared, secrets, addresses, languages, plugins, fixed, roles, permissions)
