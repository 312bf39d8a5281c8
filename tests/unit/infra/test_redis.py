"""Redis' access list."""

from infra.services.redis import _render_access_list


def test_default_user_is_off_and_the_application_has_no_administrative_command() -> None:
    assert _render_access_list({"app": "s3cret"}).splitlines() == [
        "user default off resetpass ~* &* +@all",
        "user devportal on >s3cret ~* &* +@all -@admin -@dangerous",
        "user health on nopass resetkeys resetchannels -@all +ping",
    ]


def test_devtools_user_exists_only_with_a_password() -> None:
    lines = _render_access_list({"app": "a", "devtools": "b"}).splitlines()
    assert lines[-1] == "user devtools on >b ~* &* +@all"
