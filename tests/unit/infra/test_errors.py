"""infra.errors: what a user reads when a resource could not be made."""

import traceback

from infra.errors import ProviderError


class VolumeError(ProviderError):
    """As each kind of resource has its own."""


def fail(error: Exception) -> str:
    try:
        raise error
    except Exception:
        # As `pulumi.dynamic` does.
        return traceback.format_exc()


def test_error_for_the_user_has_no_frames_and_no_module() -> None:
    assert fail(VolumeError("volume 'v': should be there (got none). Make it.")) == (
        "VolumeError: volume 'v': should be there (got none). Make it.\n"
    )


def test_any_other_error_has_its_frames() -> None:
    assert __file__ in fail(ValueError("unforeseen"))
