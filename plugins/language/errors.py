"""The one error a user of the language host can cause."""


class LanguageError(Exception):
    """A mistake in the project or its environment: `where: rule (got value). What to do.`"""
