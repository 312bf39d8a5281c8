"""Mistakes a user can make, told without a traceback."""

import pulumi


class SettingsError(pulumi.RunError):
    """One or more settings break a rule; the message lists all of them, a line each."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        count = "1 setting is" if len(mistakes) == 1 else f"{len(mistakes)} settings are"
        super().__init__("\n".join([f"{count} wrong; nothing was changed:", *mistakes]))
