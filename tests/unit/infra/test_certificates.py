"""Certificates: who vouches for what, when they are renewed, and which are refused."""

import datetime

import pytest
from cryptography import x509

from infra.x509 import (
    CertificateError,
    Pair,
    check_pair,
    is_due,
    make_authority,
    make_certificate,
)

NAMES = ["portal.example.com", "127.0.0.1"]
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def authority() -> Pair:
    return make_authority("prod", NAMES)


@pytest.fixture(scope="module")
def pair(authority: Pair) -> Pair:
    return make_certificate(authority, NAMES)


def test_authority_vouches_for_the_stacks_names_alone(authority: Pair) -> None:
    made = x509.load_pem_x509_certificate(authority.certificate.encode())
    constraints = made.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [str(name.value) for name in constraints.value.permitted_subtrees or []] == [
        "portal.example.com",
        "127.0.0.1/32",
    ]


def test_certificate_is_by_the_authority_and_for_every_name(authority: Pair, pair: Pair) -> None:
    leaf = x509.load_pem_x509_certificate(pair.certificate.encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["portal.example.com"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= datetime.timedelta(days=366)


@pytest.mark.parametrize(("days", "due"), [(0, False), (300, False), (310, True), (400, True)])
def test_certificate_is_renewed_in_its_last_60_days(pair: Pair, days: int, due: bool) -> None:
    assert is_due(pair.certificate, NOW + datetime.timedelta(days=days)) is due


@pytest.mark.parametrize("name", ["portal.example.com", "Portal.Example.COM", "*.EXAMPLE.com"])
def test_pair_for_the_domain_is_taken_in_any_case(authority: Pair, name: str) -> None:
    pair = make_certificate(authority, [name])
    check_pair(pair.certificate, pair.key, "portal.example.com")


def test_certificate_for_another_host_is_refused(pair: Pair) -> None:
    with pytest.raises(CertificateError) as caught:
        check_pair(pair.certificate, pair.key, "other.example.com")
    assert str(caught.value) == (
        "should be for 'other.example.com' (got portal.example.com). "
        "Set another, or change devportal:domain."
    )


def test_key_of_another_certificate_is_refused(authority: Pair, pair: Pair) -> None:
    with pytest.raises(CertificateError) as caught:
        check_pair(pair.certificate, authority.key, "portal.example.com")
    assert str(caught.value) == (
        "should belong to secrets.tls_key (got another key). Set the pair."
    )


def test_what_is_no_certificate_is_refused(pair: Pair) -> None:
    with pytest.raises(CertificateError) as caught:
        check_pair("no certificate", pair.key, "portal.example.com")
    assert str(caught.value) == (
        "should be PEM, the server's certificate first (got something else). Set the file's text."
    )
