"""TLS for an engine on TCP, from a folder of PEM files or from PEM texts."""

import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docker.tls import TLSConfig
from requests.adapters import HTTPAdapter


@dataclass(frozen=True)
class TlsMaterial:
    """PEM texts of the authority, the client's certificate and its key; the key is never shown."""

    ca: str
    cert: str
    key: str = field(repr=False)

    @staticmethod
    def from_folder(folder: Path) -> "TlsMaterial":
        """Read `ca.pem`, `cert.pem` and `key.pem`.

        Raises
        ------
        OSError
            Raised when one of them cannot be read.
        """
        return TlsMaterial(
            *((folder / f"{part}.pem").read_text() for part in ("ca", "cert", "key"))
        )

    def ssl_context(self) -> ssl.SSLContext:
        """Context that shows the client's certificate and trusts the authority alone.

        Raises
        ------
        ssl.SSLError
            Raised when a text is not what its name says.
        """
        context = ssl.create_default_context(cadata=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The ssl module reads a client certificate from a file only; it is gone right after.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:
            pem.write(f"{self.cert}\n{self.key}\n")
            pem.flush()
            context.load_cert_chain(pem.name)
        return context


class SslContextConfig(TLSConfig):
    """Docker SDK TLS configuration around a ready context, so that no key stays on disk."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(verify=True)
        self._context = context

    def configure_client(self, client: Any) -> None:
        """Mount the context on an SDK client; called by the SDK."""
        client.mount("https://", _SslContextAdapter(self._context))


class _SslContextAdapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave verification to the context: requests would put its own authorities beside it."""
        conn.cert_reqs = "CERT_REQUIRED"
