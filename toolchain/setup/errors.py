"""What stops a set-up, reported without a traceback."""


class SetupError(Exception):
    """A rule that does not hold: `where: rule (got value). What to do.`"""


class StoppedError(Exception):
    """The step was stopped because another one failed, or the user wants to leave."""
