"""The lease as an object of Kubernetes (`coordination.k8s.io/v1`, Lease)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config import ConfigException

from isotherm_cdc.leader import Lease, LeaseUnavailable
from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from datetime import datetime

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_NOT_FOUND, _CONFLICT = 404, 409


class KubernetesLeases:
    """Reads and writes one Lease."""

    def __init__(self, name: str, namespace: str | None, timeout_seconds: float) -> None:
        """Find the API server: the pod's own, or that of the kubeconfig.

        Args:
            name: the Lease's name.
            namespace: its namespace; None: the pod's own.
            timeout_seconds: how long a request may take.

        Raises:
            ConfigurationError: there is neither, or no namespace.
        """
        configuration = client.Configuration()
        try:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        except ConfigException:
            try:
                config.load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
            except (ConfigException, OSError) as error:
                message = (
                    f"CDC_LEASE_NAME is set, but there is no Kubernetes here ({error}): unset it outside of a cluster."
                )
                raise ConfigurationError(message) from error
        configuration.retries = False
        if namespace is None:
            try:
                namespace = NAMESPACE_FILE.read_text(encoding="utf-8").strip()
            except OSError as error:
                message = "CDC_LEASE_NAMESPACE is not set, and the pod does not tell its own namespace: set it."
                raise ConfigurationError(message) from error
        self._name = name
        self._namespace = namespace
        self._timeout_seconds = timeout_seconds
        self._api = client.CoordinationV1Api(client.ApiClient(configuration))

    def read(self) -> Lease | None:
        """Return the Lease, None when there is none yet."""
        return self._call("get", self._api.read_namespaced_lease, self._name, self._namespace, absent=_NOT_FOUND)

    def write(self, lease: Lease) -> Lease | None:
        """Create or replace the Lease; None when somebody else was faster."""
        body = client.V1Lease(
            metadata=client.V1ObjectMeta(name=self._name, resource_version=lease.version),
            spec=client.V1LeaseSpec(
                holder_identity=lease.holder,
                lease_duration_seconds=lease.duration_seconds,
                acquire_time=_micro_time(lease.acquired_at),
                renew_time=_micro_time(lease.renewed_at),
                lease_transitions=lease.transitions,
            ),
        )
        if lease.version is None:
            return self._call("create", self._api.create_namespaced_lease, self._namespace, body, absent=_CONFLICT)
        return self._call(
            "update", self._api.replace_namespaced_lease, self._name, self._namespace, body, absent=_CONFLICT
        )

    def _call(self, verb: str, function: Any, *arguments: Any, absent: int) -> Lease | None:
        try:
            found = function(*arguments, _request_timeout=self._timeout_seconds)
        except ApiException as error:
            if error.status == absent:
                return None
            message = f"the API server answers {error.status} {error.reason}"
            if error.status in (401, 403):
                message += f": the service account needs get, create and update on leases in {self._namespace}"
            raise LeaseUnavailable(message) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            message = f"the API server does not answer the {verb} of Lease {self._namespace}/{self._name}: {error}"
            raise LeaseUnavailable(message) from error
        spec = found.spec
        return Lease(
            holder=spec.holder_identity or "",
            duration_seconds=spec.lease_duration_seconds or 1,
            acquired_at=spec.acquire_time,
            renewed_at=spec.renew_time,
            transitions=spec.lease_transitions or 0,
            version=found.metadata.resource_version,
        )


def _micro_time(moment: datetime | None) -> datetime | None:
    """Return a time whose text has the six fractional digits that the API server asks for (Python leaves out zeros)."""
    return moment if moment is None or moment.microsecond else moment.replace(microsecond=1)
