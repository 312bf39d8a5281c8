"""X.509: an authority of the stack's own, certificates by it, and checks of those given."""

import datetime
import ipaddress
from dataclasses import dataclass
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_AUTHORITY_DAYS = 3650
# Browsers take no certificate that is longer valid than 398 days; Mozilla asks for 366.
_LEAF_DAYS = 365
_RENEW_DAYS = 60
# Clocks of clients may be late.
_BACKDATE = datetime.timedelta(hours=1)
Name = x509.DNSName | x509.IPAddress


class CertificateError(Exception):
    """A certificate that cannot be used; the text is `should ... (got ...). What to do.`"""


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: str
    key: str


def make_authority(stack: str, names: list[str]) -> Pair:
    """A new authority that can vouch for `names` and nothing else.

    Whoever trusts it on their machine trusts it with no other site: its name constraints are
    critical (RFC 5280, 4.2.1.10).
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"devportal {stack} authority")
    permitted = [_name(name, is_subtree=True) for name in names]
    builder = (
        _builder(subject, subject, key.public_key(), _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
    )
    return Pair(_pem(builder.sign(key, hashes.SHA256())), _key_pem(key))


def make_certificate(authority: Pair, names: list[str], days: int = _LEAF_DAYS) -> Pair:
    """A server certificate for `names`, host names and IP addresses, valid for `days`."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    issuer_key = _load_key(authority.key)
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    builder = (
        _builder(_subject(names[0]), issuer.subject, public, days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(n) for n in names]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(_authority_identifier(issuer), critical=False)
    )
    return Pair(_pem(builder.sign(issuer_key, hashes.SHA256())), _key_pem(key))


def is_due(certificate: str, now: datetime.datetime | None = None) -> bool:
    """Whether it is time to renew: fewer than 60 days are left."""
    now = now or datetime.datetime.now(datetime.UTC)
    return expires_at(certificate) - now < datetime.timedelta(days=_RENEW_DAYS)


def expires_at(chain: str) -> datetime.datetime:
    """When the first certificate of a PEM chain ends; CertificateError if it cannot be read."""
    return _load_leaf(chain).not_valid_after_utc


def are_certificates(text: str) -> bool:
    """Whether it is PEM of certificates, with no key among them."""
    try:
        return bool(x509.load_pem_x509_certificates(text.encode())) and "PRIVATE KEY" not in text
    except ValueError:
        return False


def check_pair(certificate: str, key: str, domain: str) -> None:
    """Check a certificate chain and its key before anything is changed.

    Raises
    ------
    CertificateError
        Raised when they cannot be read, do not belong together, have expired or name another host.
    """
    leaf = _load_leaf(certificate)
    if _load_given_key(key).public_key() != leaf.public_key():
        raise CertificateError("should belong to secrets.tls_key (got another key). Set the pair.")
    expires = leaf.not_valid_after_utc
    if expires < datetime.datetime.now(datetime.UTC):
        raise CertificateError(f"should be valid (got: it expired on {expires:%Y-%m-%d}). Renew.")
    if not _covers(leaf, domain):
        raise CertificateError(
            f"should be for '{domain}' (got {', '.join(_host_names(leaf)) or 'no host name'}). "
            "Set another, or change devportal:domain."
        )


def _load_leaf(certificate: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(certificate.encode())[0]
    except ValueError:
        raise CertificateError(
            "should be PEM, the server's certificate first (got something else). Set the file's "
            "text."
        ) from None


def _load_given_key(key: str) -> ec.EllipticCurvePrivateKey:
    try:
        return _load_key(key)
    except (ValueError, TypeError):
        raise CertificateError(
            "should have its key in secrets.tls_key, PEM without a passphrase (got something "
            "else). Set the file's text."
        ) from None


def _covers(leaf: x509.Certificate, domain: str) -> bool:
    parent = domain.partition(".")[2]
    return any(name in (domain, f"*.{parent}") for name in _host_names(leaf))


def _host_names(leaf: x509.Certificate) -> list[str]:
    """In lower case, as names are compared (RFC 4343)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [name.lower() for name in names.get_values_for_type(x509.DNSName)]


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + datetime.timedelta(days=days) - _BACKDATE)
    )


def _subject(name: str) -> x509.Name:
    # RFC 5280 bounds a common name at 64 characters.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_identifier(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier.value)


def _name(name: str, *, is_subtree: bool = False) -> Name:
    try:
        return x509.IPAddress((ipaddress.ip_network if is_subtree else ipaddress.ip_address)(name))
    except ValueError:
        return x509.DNSName(name)


def _load_key(key: str) -> ec.EllipticCurvePrivateKey:
    # A given key may be of another kind; only what all kinds have is used of it.
    return cast("ec.EllipticCurvePrivateKey", load_pem_private_key(key.encode(), password=None))


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
