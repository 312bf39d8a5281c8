"""Exit codes between the executor and the host, above those programs usually choose."""

ERROR_REPORTED = 32
"""The engine has been told the error, nothing is to be added; Pulumi's own host uses it too."""

SDK_MISSING = 33
"""The environment has no Pulumi SDK, so the engine could not be told."""
