"""Redis' access list."""

import hashlib

from infra.services.redis import render_access_list


def digest(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def test_default_user_is_off_and_the_application_has_no_administrative_command() -> None:
    assert render_access_list({"devportal": "s3cret"}).splitlines() == [
        "user default off resetpass ~* &* +@all",
        f"user devportal on #{digest('s3cret')} ~* &* +@all -@admin -@dangerous",
        "user health on nopass resetkeys resetchannels -@all +ping",
    ]


def test_devtools_user_exists_only_with_a_password() -> None:
    lines = render_access_list({"devportal": "a", "devtools": "b"}).splitlines()
    assert lines[-1] == f"user devtools on #{digest('b')} ~* &* +@all"
