"""What the chart renders in each documented scenario."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from chart.objects import CHART, ROOT, SCENARIOS, HelmError, component, containers, environment, kinds, one, pods
from isotherm_cdc.settings import Settings as CdcSettings
from isotherm_common.settings import load, variables
from isotherm_fetcher.settings import Settings as FetcherSettings
from isotherm_setup.settings import MigrateSettings, MongoInitSettings
from isotherm_simulator.settings import Settings as SimulatorSettings
from isotherm_web.settings import Settings as WebSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    Render = Callable[..., list[dict[str, Any]]]

GOLDEN = ROOT / "tests/chart/golden"
SETTINGS: dict[str, Any] = {
    "migrate": MigrateSettings,
    "mongo-init": MongoInitSettings,
    "fetcher": FetcherSettings,
    "fetcher-exporter": FetcherSettings,
    "cdc": CdcSettings,
    "web": WebSettings,
    "simulator": SimulatorSettings,
}
every_scenario = pytest.mark.parametrize("scenario", [None, *SCENARIOS])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_is_as_committed(scenario: str, render_text: Callable[..., str]) -> None:
    """A change of what a scenario renders is seen in review (CHART_GOLDEN=write pytest tests/chart writes it anew)."""
    # Random passwords are the only thing that differs from one rendering to the next.
    text = re.sub(r"(?m)^(  m[\w.-]+): [A-Za-z0-9+/=]{40,}$", r"\1: c2VjcmV0", render_text(scenario))
    file = GOLDEN / f"{scenario}.yaml"
    if os.environ.get("CHART_GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_schema_and_readme_are_generated() -> None:
    """values.schema.json and README.md are what values.yaml and the services' settings make."""
    command = [sys.executable, str(ROOT / "ci/chart/generate.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@every_scenario
def test_chart_is_linted(scenario: str | None, helm: str) -> None:
    """Helm finds nothing to say against the chart."""
    values = ["--values", str(CHART / "ci" / f"{scenario}.yaml")] if scenario else []
    result = subprocess.run(
        [helm, "lint", "--strict", str(CHART), *values], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@every_scenario
def test_every_pod_is_restricted(scenario: str | None, render: Render) -> None:
    """Every pod meets the restricted Pod Security Standard, and more: read-only, without token and service links."""
    found = list(pods(render(scenario)))
    assert len(found) > 5
    for name, pod in found:
        spec = pod["spec"]
        several_cdc = component(pod) == "cdc" and scenario == "production"
        assert spec["automountServiceAccountToken"] is several_cdc, name
        assert spec["enableServiceLinks"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["requests"], name
            assert container["resources"]["limits"]["memory"], name


@every_scenario
def test_environment_is_what_the_service_reads(scenario: str | None, render: Render) -> None:
    """Each service's own settings accept exactly the environment that the chart gives it."""
    checked = set()
    for name, pod in pods(render(scenario)):
        kind = SETTINGS.get(component(pod))
        if kind is None:
            continue
        (container,) = containers(pod)
        given = environment(container)
        known = set(variable_names(kind))
        assert {variable.removesuffix("_FILE") for variable in given} <= known, name
        mounted = {mount["mountPath"] for mount in container["volumeMounts"]} if "volumeMounts" in container else set()
        files = {path for variable, path in given.items() if variable.endswith(("_FILE", "_CA"))}
        assert all(path.rpartition("/")[0] in mounted for path in files), name
        assert files <= set(secret_files(pod)), name
        load(kind, {variable.removesuffix("_FILE"): value for variable, value in given.items()})
        checked.add(component(pod))
    assert {"migrate", "mongo-init", "fetcher", "cdc", "web"} <= checked


def variable_names(kind: Any) -> list[str]:
    """Return the names of a settings class's variables."""
    return [variable.name for variable, _ in variables(kind)]


def secret_files(pod: dict[str, Any]) -> list[str]:
    """Return the paths of the files that a pod's secrets make in its first container."""
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["spec"]["containers"][0].get("volumeMounts", [])}
    return [
        f"{mounts[volume['name']]}/{item['path']}"
        for volume in pod["spec"].get("volumes", [])
        if "secret" in volume
        for item in volume["secret"]["items"]
    ]


@every_scenario
def test_secret_has_every_key_that_is_mounted(scenario: str | None, render: Render) -> None:
    """No pod waits for a key that the generated Secret does not have."""
    objects = render(scenario)
    secrets = {item["metadata"]["name"]: set(item["data"]) for item in kinds(objects, "Secret")}
    for name, pod in pods(objects):
        for volume in pod["spec"].get("volumes", []):
            secret = volume.get("secret", {})
            if secret.get("secretName") in secrets:
                assert {item["key"] for item in secret["items"]} <= secrets[secret["secretName"]], name


@every_scenario
def test_services_and_policies_select_pods(scenario: str | None, render: Render) -> None:
    """Every selector matches the pods of one component at least, and every pod has a policy of its own."""
    objects = render(scenario)
    labels = [pod["metadata"]["labels"] for _, pod in pods(objects)]

    def matched(selector: dict[str, str]) -> list[dict[str, str]]:
        return [have for have in labels if selector.items() <= have.items()]

    for service in kinds(objects, "Service"):
        assert len(matched(service["spec"]["selector"])) == 1, service["metadata"]["name"]
    policies = kinds(objects, "NetworkPolicy")
    for policy in policies:
        assert matched(policy["spec"]["podSelector"]["matchLabels"]), policy["metadata"]["name"]
    if policies:
        own = {policy["metadata"]["name"].removeprefix("isotherm-") for policy in policies}
        assert {have["app.kubernetes.io/component"] for have in labels} <= own


def test_unknown_setting_is_refused(render: Render) -> None:
    """A setting that a service does not know is a mistake at installation, not at run time."""
    with pytest.raises(HelmError, match="FETCHER_RGION"):
        render(None, "--set", "fetcher.settings.FETCHER_RGION=europe")


def test_setting_out_of_range_is_refused(render: Render) -> None:
    """The limits of a setting hold at installation too."""
    with pytest.raises(HelmError, match="CDC_HEARTBEAT_INTERVAL_MS"):
        render(None, "--set", "cdc.settings.CDC_HEARTBEAT_INTERVAL_MS=60000")


def test_large_numbers_have_no_exponent(render: Render) -> None:
    """A number of seven digits arrives as its digits."""
    objects = render(None, "--set", "cdc.settings.CDC_MAX_BATCH_BYTES=1048576")
    (container,) = containers(one(objects, "Deployment", "isotherm-cdc")["spec"]["template"])
    assert environment(container)["CDC_MAX_BATCH_BYTES"] == "1048576"


def test_external_databases_need_their_passwords(render: Render) -> None:
    """Without a Secret for an external database one sentence says what is missing."""
    with pytest.raises(HelmError, match=r"External databases need credentials\.existingSecret"):
        render(None, "--set", "mysql.enabled=false,mysql.external.host=mysql.example.org")


def test_external_mysql_needs_a_host(render: Render) -> None:
    """Without MySQL in the cluster it must be said where it is."""
    with pytest.raises(HelmError, match=r"say in mysql\.external\.host where MySQL is"):
        render(None, "--set", "mysql.enabled=false,credentials.existingSecret=mine")


def test_jobs_are_named_by_what_they_run(render: Render) -> None:
    """A Job's name changes with its image and settings and with nothing else, for a Job cannot be changed."""

    def names(*arguments: str) -> dict[str, str]:
        found = kinds(render(None, *arguments), "Job")
        return {job["metadata"]["name"][:-9]: job["metadata"]["name"] for job in found}

    first = names()
    assert set(first) == {"isotherm-migrate", "isotherm-mongo-init", "isotherm-first-fetch"}
    assert names("--set", "web.replicas=5") == first
    other_image = names("--set", "setup.image.tag=v2")
    assert other_image["isotherm-first-fetch"] == first["isotherm-first-fetch"]
    assert other_image["isotherm-migrate"] != first["isotherm-migrate"]
    members = names("--set", "mongodb.members=3")
    assert members["isotherm-mongo-init"] != first["isotherm-mongo-init"]
    assert members["isotherm-migrate"] == first["isotherm-migrate"]


def test_autoscaler_alone_decides_the_number_of_pods(render: Render) -> None:
    """Under an autoscaler the Deployment names no number, or every upgrade would scale it."""
    scaled = one(render("production"), "Deployment", "isotherm-web")
    assert "replicas" not in scaled["spec"]
    assert one(render(None), "Deployment", "isotherm-web")["spec"]["replicas"] == 2


def test_one_pod_has_no_disruption_budget(render: Render) -> None:
    """A budget for a single pod would only keep nodes from being drained."""
    assert not kinds(render("minimal"), "PodDisruptionBudget")
    assert kinds(render(None), "PodDisruptionBudget")


def test_one_cdc_never_runs_twice(render: Render) -> None:
    """The only reader of the binary log stops before a new one starts, and no pod may talk to the API server."""
    objects = render(None)
    spec = one(objects, "Deployment", "isotherm-cdc")["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {"type": "Recreate"}
    assert not kinds(objects, "Role")


def test_several_cdc_agree_by_a_lease(render: Render) -> None:
    """They may read and write that Lease and nothing else, and reach the API server to do so."""
    objects = render(None, "--set", "cdc.replicas=2")
    spec = one(objects, "Deployment", "isotherm-cdc")["spec"]
    assert spec["strategy"] == {"type": "Recreate"}
    (container,) = containers(spec["template"])
    lease = environment(container)["CDC_LEASE_NAME"]
    assert spec["template"]["spec"]["serviceAccountName"] == "isotherm-cdc"
    assert one(objects, "RoleBinding", "isotherm-cdc")["subjects"][0]["name"] == "isotherm-cdc"
    rules = one(objects, "Role", "isotherm-cdc")["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "update", "create"}
    assert [rule["resourceNames"] for rule in rules if "resourceNames" in rule] == [[lease]]
    assert {resource for rule in rules for resource in rule["resources"]} == {"leases"}
    ports = [rule["ports"] for rule in one(objects, "NetworkPolicy", "isotherm-cdc")["spec"]["egress"]]
    assert [{"port": 443}, {"port": 6443}] in ports
    with pytest.raises(HelmError, match="CDC_LEASE_NAME"):
        render(None, "--set", "cdc.settings.CDC_LEASE_NAME=other")


def environment_of(item: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a workload's only container."""
    ((_, pod),) = pods([item])
    (container,) = containers(pod)
    return environment(container)


def test_visitors_are_told_apart_and_frames_allowed(render: Render) -> None:
    """The web server believes proxies in private networks, and lets only the listed origins show it in a frame."""
    env = environment_of(one(render(None), "Deployment", "isotherm-web"))
    assert {"10.0.0.0/8", "192.168.0.0/16"} <= set(env["WEB_TRUSTED_PROXIES"].split(","))
    assert "WEB_FRAME_ORIGINS" not in env
    origins = "web.frameOrigins={https://a.example.org,https://b.example.org}"
    env = environment_of(one(render(None, "--set", origins), "Deployment", "isotherm-web"))
    assert env["WEB_FRAME_ORIGINS"] == "https://a.example.org,https://b.example.org"
    with pytest.raises(HelmError, match="frameOrigins"):
        render(None, "--set", "web.frameOrigins={a.example.org/}")


def test_runs_wait_for_one_another(render: Render) -> None:
    """A run that meets another one waits for its end, and still has half of its time then."""
    for objects in (render(None), render("simulator")):
        schedule = one(objects, "CronJob", "isotherm-fetcher")
        allowed = schedule["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"]
        assert int(environment_of(schedule)["FETCHER_RUNNER_WAIT_SECONDS"]) * 2 == allowed


def test_web_has_time_to_close_its_browsers(render: Render) -> None:
    """The grace period is longer than the pause before closing and the closing together."""
    pod = one(render(None, "--set", "web.drainSeconds=50"), "Deployment", "isotherm-web")["spec"]["template"]
    (container,) = containers(pod)
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = float(environment(container)["WEB_DRAIN_SECONDS"])
    assert pod["spec"]["terminationGracePeriodSeconds"] > pause + drain == 55


def test_pod_values_reach_every_pod(render: Render) -> None:
    """`pod` of the top is for all, a component's own is laid over it."""
    objects = render(
        None, "--set", "pod.nodeSelector.disk=ssd,web.pod.nodeSelector.disk=any,pod.priorityClassName=high"
    )
    for name, pod in pods(objects):
        expected = "any" if component(pod) == "web" else "ssd"
        assert pod["spec"]["nodeSelector"] == {"disk": expected}, name
        assert pod["spec"]["priorityClassName"] == "high", name


def test_digest_comes_before_tag(render: Render) -> None:
    """An image can be pinned by its digest, behind a registry of one's own."""
    objects = render(None, "--set", "image.registry=registry.example.org,web.image.digest=sha256:abc")
    (container,) = containers(one(objects, "Deployment", "isotherm-web")["spec"]["template"])
    assert container["image"] == "registry.example.org/isotherm/web@sha256:abc"
