"""Certificates that a client does not accept: which errors say so, and what is to be done.

Such an error does not pass by itself: somebody has to name another authority or host, or renew the certificate. Drivers put
TLS's own error into the text of theirs, so it is looked for there.
"""

from __future__ import annotations

import re

from isotherm_common.process import ConfigurationError

_REFUSED = "CERTIFICATE_VERIFY_FAILED"
_REASON = re.compile(r"certificate verify failed: ([^()\n]*[^()\n .])")
_SERVER = "<ServerDescription"


class CertificateRefused(ConfigurationError):  # noqa: N818 - it names the state
    """A server's certificate is not accepted."""

    def __init__(self, server: str, error: BaseException, advice: str) -> None:
        """Say what is wrong and what to do.

        Args:
            server: whose certificate.
            error: the driver's error.
            advice: what to set, as the second half of a sentence.
        """
        found = _REASON.search(str(error))
        reason = f" ({found[1]})" if found else ""
        super().__init__(f"{server}'s certificate is not accepted{reason}: {advice}, or renew it.")


def is_refused(error: BaseException) -> bool:
    """Whether an error says that a certificate is not accepted; with several servers, that none is."""
    text = str(error)
    return _REFUSED in text and text.count(_SERVER) <= text.partition(_SERVER)[2].count(_REFUSED)


def of_mysql(error: BaseException) -> CertificateRefused:
    """Return what to end with when MySQL's certificate is not accepted."""
    advice = "set MYSQL_SSL_CA to the certificates of its authority and MYSQL_HOST to a name that it holds"
    return CertificateRefused("MySQL", error, advice)


def of_mongodb(error: BaseException) -> CertificateRefused:
    """Return what to end with when MongoDB's certificate is not accepted."""
    advice = "name its authority's file in MONGODB_URI (tlsCAFile) and a host that it holds"
    return CertificateRefused("MongoDB", error, advice)
