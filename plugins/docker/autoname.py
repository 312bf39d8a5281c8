"""Names for resources whose program gives none."""

import enum
import hashlib
import secrets
from dataclasses import dataclass

from plugins.docker.check import Failure
from plugins.docker.diff import DEFAULTS_KEY
from plugins.docker.values import Values

_RANDOM_DIGITS = 7
_LONGEST_NAME = 255


class AutoNamingMode(enum.Enum):
    """What Pulumi's own setting `pulumi:autonaming` asks for."""

    DEFAULT = "default"
    PROPOSE = "propose"
    ENFORCE = "enforce"
    DISABLE = "disable"


@dataclass(frozen=True)
class AutoNaming:
    """How a name is made.

    Attributes
    ----------
    proposed_name
        The name that Pulumi's setting makes, in modes PROPOSE and ENFORCE.
    seed
        Source of randomness from Pulumi, so that a saved plan keeps its names.
    """

    mode: AutoNamingMode = AutoNamingMode.DEFAULT
    proposed_name: str = ""
    seed: bytes = b""

    def fill(
        self, logical_name: str, old_inputs: Values | None, inputs: Values
    ) -> tuple[Values, list[Failure]]:
        """Inputs with a name; an automatic one stays the same until the replacement."""
        if inputs.get("name") is not None:
            return inputs | {DEFAULTS_KEY: []}, []
        old = old_inputs or {}
        if "name" in old.get(DEFAULTS_KEY, ()) and old.get("name"):
            return inputs | {"name": old["name"], DEFAULTS_KEY: ["name"]}, []
        if self.mode is AutoNamingMode.DISABLE:
            reason = "should be given, because pulumi:autonaming is disabled"
            return inputs, [Failure("name", reason)]
        return inputs | {"name": self._make(logical_name), DEFAULTS_KEY: ["name"]}, []

    def _make(self, logical_name: str) -> str:
        if self.proposed_name:
            return self.proposed_name
        start = logical_name[: _LONGEST_NAME - _RANDOM_DIGITS - 1]
        return f"{start}-{self._digits(logical_name)}"

    def _digits(self, logical_name: str) -> str:
        if not self.seed:
            return secrets.token_hex(_RANDOM_DIGITS)[:_RANDOM_DIGITS]
        return hashlib.sha256(self.seed + logical_name.encode()).hexdigest()[:_RANDOM_DIGITS]
