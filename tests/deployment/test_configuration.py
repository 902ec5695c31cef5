"""What the templates make, checked by the programs that read it."""

from __future__ import annotations

import configparser
import subprocess

import pytest
from local import configuration, search
from local.settings import Instance


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    made = Instance(tmp_path_factory.mktemp("home"), 5900, "ccphva")
    configuration.write(made)
    return made


def test_nginx_accepts_its_file(instance: Instance) -> None:
    """`nginx -t` has no complaint."""
    command = ["/usr/sbin/nginx", "-e", "stderr", "-t", "-c", str(instance.home / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_server_listens_on_loopback_only(instance: Instance) -> None:
    """No generated file opens a port to the network."""
    for name in ("nginx.conf", "redis.conf", "supervisord.conf"):
        text = (instance.home / name).read_text()
        assert "0.0.0.0" not in text  # noqa: S104
        assert "127.0.0.1" in text
    postgres = configuration.render("postgresql.conf.j2", configuration.context(instance))
    assert "listen_addresses = '127.0.0.1'" in postgres


def test_files_with_secrets_are_private(instance: Instance) -> None:
    """ckan.ini, unit.ini, redis.conf and supervisord.conf are for their owner only."""
    for name in ("ckan.ini", "unit.ini", "redis.conf", "supervisord.conf"):
        assert (instance.home / name).stat().st_mode & 0o077 == 0, name


def test_tests_never_touch_the_databases_of_the_stack(instance: Instance) -> None:
    """What in-process tests may empty is nowhere what the running portal uses."""
    stack, unit = (configparser.RawConfigParser() for _ in range(2))
    stack.read(instance.ini())
    unit.read(instance.ini("unit"))
    keys = ("sqlalchemy.url", "ckan.datastore.write_url", "solr_url", "ckan.redis.url", "ckan.storage_path")
    for key in keys:
        assert stack["app:main"][key] != unit["app:main"][key], key


def test_solr_gets_cores_own_fields_and_ours() -> None:
    """The joined schema keeps every field of CKAN and adds one analysed title a language."""
    schema = search.joined_schema()
    for field in ("validated_data_dict", "permission_labels", "title_fr", "title_lb", "minx"):
        assert f'name="{field}"' in schema
