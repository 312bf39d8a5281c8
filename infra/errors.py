"""Errors that are reported to users without a traceback."""

import sys


class UserError(Exception):
    """A mistake that its user can correct; `__main__` shows the message alone."""


class SettingsError(UserError):
    """One or more settings break a rule; the message lists all of them, one a line."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = "1 setting is" if len(mistakes) == 1 else f"{len(mistakes)} settings are"
        super().__init__("\n".join([f"{count} wrong; nothing was changed:", *mistakes]))


class ProviderError(Exception):
    """What a dynamic provider could not do; the message is for the user."""

    def __init_subclass__(cls) -> None:
        # Else the module's path stands before the message, see below.
        cls.__module__ = "builtins"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        # `pulumi.dynamic` sends `traceback.format_exc()`, our frames included.
        sys.tracebacklimit = 0
