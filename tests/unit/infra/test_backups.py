"""How the backups service logs in."""

import pytest

from infra.services.postgres import escape_password


@pytest.mark.parametrize(
    ("password", "escaped"),
    [("plain", "plain"), ("a:b", r"a\:b"), (r"a\b", r"a\\b"), (r"a\:b", r"a\\\:b"), ("a b", "a b")],
)
def test_password_is_escaped_as_libpq_reads_its_password_file(password: str, escaped: str) -> None:
    assert escape_password(password) == escaped
