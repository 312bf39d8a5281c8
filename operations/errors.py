"""A mistake of the user, told before anything is changed."""


class CommandError(Exception):
    """A rule that does not hold: `where: rule (got value). What to do.`"""
