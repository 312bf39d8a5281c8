"""What can go wrong with a resource, said to the user without a traceback."""

from plugins.docker.values import Values


class ResourceError(Exception):
    """An operation failed; the message is complete: `where: rule (got value). What to do.`"""


class PartlyCreatedError(ResourceError):
    """The resource exists, but is not as it should be; Pulumi keeps it and its reasons.

    Parameters
    ----------
    resource_id
        Id of what exists.
    outputs
        Its state.
    """

    def __init__(self, reason: str, resource_id: str, outputs: Values) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.outputs = outputs
