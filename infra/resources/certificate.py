"""TLS material of a stack: generated once and renewed in time, or given as secrets."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

from infra.x509 import Pair, is_due, make_authority, make_certificate


@dataclass(frozen=True, kw_only=True)
class TlsMaterial:
    """What a server needs.

    Parameters
    ----------
    certificate
        PEM chain, the server's own certificate first.
    authority
        PEM certificate of the stack's own authority; None where the certificate was given.
    """

    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    authority: pulumi.Output[str] | None


def tls_material(
    provided: Pair | None, stack: str, domain: str, parent: pulumi.Resource
) -> TlsMaterial:
    """The provided pair, or one for `domain` by an authority of the stack's own."""
    if provided is not None:
        return TlsMaterial(
            certificate=pulumi.Output.from_input(provided.certificate),
            key=pulumi.Output.secret(provided.key),
            authority=None,
        )
    # The address is for clients that have no name for the host yet.
    made = GeneratedCertificate("certificate", stack, [domain, "127.0.0.1"], parent)
    return TlsMaterial(
        certificate=made.certificate,
        key=pulumi.Output.secret(made.key),
        authority=made.authority,
    )


# Stored in the state by module and class, see infra/engine/resource.py.
class _CertificateProvider(ResourceProvider):
    def create(self, props: dict[str, Any]) -> CreateResult:
        authority = make_authority(props["stack"], list(props["names"]))
        known = {"authority": authority.certificate, "authority_key": authority.key}
        return CreateResult(props["stack"], _issue({**props, **known}))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # The authority vouches for these names alone.
        renamed = list(_olds["names"]) != list(_news["names"])
        return DiffResult(
            changes=renamed or is_due(_olds["certificate"]), replaces=["names"] if renamed else []
        )

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        kept = {name: _olds[name] for name in ("authority", "authority_key")}
        return UpdateResult(_issue({**_news, **kept}))


def _issue(props: dict[str, Any]) -> dict[str, Any]:
    authority = Pair(props["authority"], props["authority_key"])
    made = make_certificate(authority, list(props["names"]))
    return {**props, "certificate": made.certificate, "key": made.key}


class GeneratedCertificate(Resource, module="devportal", name="GeneratedCertificate"):
    """A certificate by an authority of the stack's own, renewed by any `up` in its last 60 days.

    Parameters
    ----------
    names
        Host names and IP addresses it is for.
    """

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(self, name: str, stack: str, names: list[str], parent: pulumi.Resource) -> None:
        made: dict[str, Any] = dict.fromkeys(("authority", "authority_key", "certificate", "key"))
        super().__init__(
            _CertificateProvider(),
            name,
            {"stack": stack, "names": names, **made},
            pulumi.ResourceOptions(
                parent=parent, additional_secret_outputs=["authority_key", "key"]
            ),
        )
