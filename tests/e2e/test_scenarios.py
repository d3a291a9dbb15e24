"""The documented scenarios are installed for real, with as little changed as the cluster of the tests makes necessary."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from e2e.cluster import CHART, INGRESS_TLS, CommandError, Release, ask, eventually, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PAGE = "weather.example.org"
PASSWORDS = (
    "mysql-admin-password", "mysql-fetcher-password", "mysql-exporter-password", "mysql-cdc-password",
    "mongodb-admin-password", "mongodb-cdc-password", "mongodb-web-password", "mongodb-keyfile",
)  # fmt: skip
SMALL = ("--set", "simulator.enabled=true")


def follow_a_datum(release: Release) -> None:
    """Run `helm test`."""
    run("helm", "test", release.name, "--namespace", release.namespace, "--timeout", "5m")


def test_minimal(new_release: Callable[..., Release]) -> None:
    """One pod of each, without network policies."""
    release = new_release("minimal", CHART / "ci/minimal.yaml", *SMALL)
    release.install()
    follow_a_datum(release)
    assert len(release.pods("web")) == 1
    release.uninstall()


def test_gateway_and_observability(new_release: Callable[..., Release]) -> None:
    """The map is behind the Gateway, and the PodMonitor is one that the operator's own definition accepts."""
    try:
        run("kubectl", "get", "crd", "podmonitors.monitoring.coreos.com")
    except CommandError:
        pytest.skip("the Prometheus Operator's definitions are not in this cluster")
    scenarios = [CHART / f"ci/{name}.yaml" for name in ("gateway", "observability")]
    # The stand-in for MongoDB takes one member, and its exporter has none.
    stand_ins = ("--set", "mongodb.members=1,mongodb.exporter.enabled=false")
    release = new_release("gateway", *scenarios, *SMALL, *stand_ins)
    release.install()
    follow_a_datum(release)
    assert ask("/", host=PAGE)[0] == 200
    assert "isotherm" in release.kubectl("get", "podmonitors", "--output", "name")
    release.uninstall()


class Authority:
    """Makes certificates that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=weather authority", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                      "-keyout", "ca.key", "-out", "ca.crt")  # fmt: skip

    @property
    def certificate(self) -> str:
        """Its own certificate."""
        return (self._folder / "ca.crt").read_text(encoding="ascii")

    @property
    def path(self) -> str:
        """Where its own certificate is."""
        return str(self._folder / "ca.crt")

    def issue(self, host: str) -> dict[str, str]:
        """Return certificate and key for a host, as in a Secret of the type tls."""
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={host[:60]}", "-keyout", "tls.key",
                      "-out", "tls.csr")  # fmt: skip
        (self._folder / "extensions").write_text(f"subjectAltName=DNS:{host}", encoding="ascii")
        self._openssl("x509", "-req", "-in", "tls.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", "extensions", "-out", "tls.crt")  # fmt: skip
        return {name: (self._folder / name).read_text(encoding="ascii") for name in ("tls.crt", "tls.key")}

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)


def make_secret(namespace: str, name: str, data: dict[str, str], kind: str = "Opaque") -> None:
    """Make a Secret."""
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind, "data": encoded}
    run("kubectl", "--namespace", namespace, "create", "--filename=-", stdin=json.dumps(secret))


def with_certificate(item: dict[str, Any]) -> dict[str, Any]:
    """Mount the server's certificate into a StatefulSet."""
    spec = item["spec"]["template"]["spec"]
    spec["volumes"].append({"name": "tls", "secret": {"secretName": "mysql-tls", "defaultMode": 0o440}})
    spec["containers"][0]["volumeMounts"].append({"name": "tls", "mountPath": "/tls", "readOnly": True})
    return item


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate authority."""
    return Authority(tmp_path)


@pytest.fixture
def databases(new_namespace: Callable[[str], str], authority: Authority) -> tuple[str, dict[str, str]]:
    """MySQL that takes encrypted connections only, and MongoDB, in a namespace that is not the release's.

    Returns:
        The namespace, and what stands in the Secret of a release that uses them.
    """
    namespace = new_namespace("databases")
    password = {key: secrets.token_hex(16) for key in PASSWORDS}
    mysql, mongodb = f"isotherm-mysql.{namespace}.svc", f"isotherm-mongodb-0.isotherm-mongodb.{namespace}.svc:27017"
    make_secret(namespace, "isotherm-credentials", password)
    make_secret(namespace, "mysql-tls", {**authority.issue(mysql), "ca.crt": authority.certificate})
    options = {
        f"ssl-{part}": f"/tls/{file}" for part, file in (("ca", "ca.crt"), ("cert", "tls.crt"), ("key", "tls.key"))
    }
    text = run(
        *("helm", "template", "isotherm", str(CHART), "--namespace", namespace),
        *("--show-only", "templates/mysql.yaml", "--show-only", "templates/mongodb.yaml"),
        *("--set", "credentials.existingSecret=isotherm-credentials,serviceAccount.create=false"),
        *("--set-json", f"mysql.options={json.dumps({**options, 'require-secure-transport': 'ON'})}"),
    )
    items = [item for item in yaml.safe_load_all(text) if item]
    mounted = [
        with_certificate(item)
        if item["metadata"]["name"] == "isotherm-mysql" and item["kind"] == "StatefulSet"
        else item
        for item in items
    ]
    run("kubectl", "apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": mounted}))
    servers = Release(namespace, [])
    for name in ("mysql", "mongodb"):
        servers.kubectl("rollout", "status", f"statefulset/isotherm-{name}", "--timeout=180s")
    with servers.mongodb() as client:
        client.admin.command("replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": mongodb}]})
    return namespace, {
        **{key: password[key] for key in PASSWORDS if key != "mongodb-keyfile"},
        "mongodb-admin-uri": f"mongodb://root:{password['mongodb-admin-password']}@{mongodb}/?directConnection=true&authSource=admin",
        **{
            f"mongodb-{name}-uri": f"mongodb://isotherm_{name}:{password[f'mongodb-{name}-password']}@{mongodb}"
            "/?replicaSet=rs0&authSource=admin"
            for name in ("cdc", "web")
        },
    }


@pytest.fixture
def priority() -> Iterator[str]:
    """A priority for the pods."""
    name = f"business-{secrets.token_hex(3)}"
    run("kubectl", "create", "priorityclass", name, "--value=1000")
    yield name
    run("kubectl", "delete", "priorityclass", name)


def test_production(
    new_release: Callable[..., Release], databases: tuple[str, dict[str, str]], authority: Authority, priority: str
) -> None:
    """External databases, MySQL with verified TLS, passwords of one's own, three web pods, TLS at the ingress."""
    namespace, credentials = databases
    outside = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}]
    release = new_release(
        "production",
        CHART / "ci/production.yaml",
        *SMALL,
        *("--set", f"image.registry=,pod.priorityClassName={priority},setup.mysqlAdminUser=root"),
        *("--set", f"mysql.external.host=isotherm-mysql.{namespace}.svc,fetcher.settings.FETCHER_STEP_DEGREES=5"),
        *("--set-json", f"networkPolicy.external.to={json.dumps(outside)}"),
    )
    make_secret(release.namespace, "weather-credentials", credentials)
    make_secret(release.namespace, "mysql-ca", {"ca.crt": authority.certificate})
    make_secret(release.namespace, "weather-tls", authority.issue(PAGE), "kubernetes.io/tls")
    make_secret(release.namespace, "open-meteo", {"open-meteo-api-key": "none"})
    release.install()
    follow_a_datum(release)
    assert len(release.pods("web")) == 3

    def https() -> bool:
        answer = run(
            *("curl", "--silent", "--show-error", "--fail", "--max-time", "10", "--cacert", authority.path),
            *("--connect-to", f"{PAGE}:443:{INGRESS_TLS}", f"https://{PAGE}/api/v1/grid"),
        )
        grid = json.loads(answer)
        return sum(value is not None for value in grid["layers"]["temperature_2m"]) > 0.95 * len(
            grid["geometry"]["ids"]
        )

    eventually(https, within_seconds=60, what="the whole map over https")
    headers = run(
        *("curl", "--silent", "--show-error", "--fail", "--head", "--max-time", "10", "--cacert", authority.path),
        *("--connect-to", f"{PAGE}:443:{INGRESS_TLS}", f"https://{PAGE}/"),
    )
    assert "frame-ancestors 'self' https://www.example.org" in headers
    release.uninstall()
