"""What stops a build, told without a traceback."""


class ImagesError(Exception):
    """A rule that does not hold: `where: rule (got value). What to do.`"""
