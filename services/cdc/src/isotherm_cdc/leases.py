"""The lease as an object of Kubernetes (`coordination.k8s.io/v1`, Lease), by three requests to its API server.

Why not by Kubernetes' own client: docs/decisions/0006-own-lease-requests.md.
"""

from __future__ import annotations

import http.client
import json
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from isotherm_cdc.leader import Lease, LeaseUnavailable
from isotherm_common.process import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from isotherm_cdc.settings import LeaseSettings

_API = "/apis/coordination.k8s.io/v1/namespaces"
_OK, _CREATED, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _CONFLICT = 200, 201, 401, 403, 404, 409


class KubernetesLeases:
    """Reads and writes one Lease, as the pod's service account."""

    def __init__(self, settings: LeaseSettings) -> None:
        """Find the API server.

        Args:
            settings: which Lease, where the API server is, and where the service account's files are.

        Raises:
            ConfigurationError: this is no pod, or one without the service account's token.
        """
        if settings.api_server_host is None or settings.name is None:
            message = (
                "CDC_LEASE_NAME is set, but there is no Kubernetes here (no KUBERNETES_SERVICE_HOST): unset it outside "
                "of a cluster."
            )
            raise ConfigurationError(message)
        account = settings.service_account
        try:
            self._namespace = settings.namespace or (account / "namespace").read_text(encoding="utf-8").strip()
            _Account.read(account)
        except (OSError, ValueError) as error:
            message = (
                f"CDC_LEASE_NAME is set, but the pod's service account cannot be used ({error}): mount its token, "
                "or set CDC_SERVICE_ACCOUNT_DIR."
            )
            raise ConfigurationError(message) from error
        self._name = settings.name
        self._host = settings.api_server_host
        self._port = settings.api_server_port
        self._account = account
        self._timeout_seconds = settings.renew_deadline_seconds / 2

    def read(self) -> Lease | None:
        """Return the Lease, None when there is none yet."""
        return self._ask("GET", f"/{self._name}", None, absent=_NOT_FOUND)

    def write(self, lease: Lease) -> Lease | None:
        """Create or replace the Lease; None when somebody else was faster."""
        metadata = {"name": self._name}
        if lease.version is not None:
            metadata["resourceVersion"] = lease.version
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": lease.holder,
                "leaseDurationSeconds": lease.duration_seconds,
                "acquireTime": _micro_time(lease.acquired_at),
                "renewTime": _micro_time(lease.renewed_at),
                "leaseTransitions": lease.transitions,
            },
        }
        if lease.version is None:
            return self._ask("POST", "", body, absent=_CONFLICT)
        return self._ask("PUT", f"/{self._name}", body, absent=_CONFLICT)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None, *, absent: int) -> Lease | None:
        """Send one request on a connection of its own; None when the answer's status is `absent`."""
        try:
            # Token and certificates change in the life of a pod: they are read for each request.
            account = _Account.read(self._account)
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_seconds, context=account.trust
            )
            try:
                connection.request(
                    method,
                    f"{_API}/{self._namespace}/leases{path}",
                    None if body is None else json.dumps(body),
                    {
                        "Accept": "application/json",
                        "Authorization": f"Bearer {account.token}",
                        "Content-Type": "application/json",
                        "User-Agent": "isotherm-cdc",
                    },
                )
                answer = connection.getresponse()
                text = answer.read()
            finally:
                connection.close()
            if answer.status == absent:
                return None
            if answer.status in (_OK, _CREATED):
                return _lease(json.loads(text))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
            message = f"the API server does not answer {method} of Lease {self._namespace}/{self._name}: {error!r}"
            raise LeaseUnavailable(message) from error
        message = f"the API server answers {answer.status} {answer.reason}"
        if answer.status in (_UNAUTHORIZED, _FORBIDDEN):
            message += f": the service account needs get, create and update on leases in {self._namespace}"
        raise LeaseUnavailable(message)


class _Account:
    """What a pod's service account has at the moment: its token, and whom it trusts to be the API server."""

    def __init__(self, token: str, trust: ssl.SSLContext) -> None:
        self.token = token
        self.trust = trust

    @classmethod
    def read(cls, folder: Path) -> _Account:
        """Read it.

        Raises:
            OSError: a file is missing, or the certificates are none.
        """
        trust = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        # Authorities of older clusters lack extensions that Python 3.13 asks for by default.
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return cls((folder / "token").read_text(encoding="ascii").strip(), trust)


def _lease(found: dict[str, Any]) -> Lease:
    spec = found.get("spec") or {}
    return Lease(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=spec.get("leaseDurationSeconds") or 1,
        acquired_at=_moment(spec.get("acquireTime")),
        renewed_at=_moment(spec.get("renewTime")),
        transitions=spec.get("leaseTransitions") or 0,
        version=found["metadata"]["resourceVersion"],
    )


def _micro_time(moment: datetime | None) -> str | None:
    """Return a MicroTime, which has exactly six fractional digits."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
