"""User namespaces for an engine that the set-up installs: root inside is nobody outside."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolchain.setup.atomic import write_file
from toolchain.setup.errors import SetupError

OPTION = "--userns-remap"
_KEY = "userns-remap"
_LABEL = "docker engine"


@dataclass(frozen=True)
class UserNamespaces:
    """The engine's configuration file, and what the kernel allows."""

    configuration: Path = Path("/etc/docker/daemon.json")
    kernel_limit: Path = Path("/proc/sys/user/max_user_namespaces")

    def is_configured(self) -> bool:
        """Whether an engine that starts now maps users."""
        return bool(self._read().get(_KEY))

    def configure(self) -> None:
        """Have an engine map users from its first start on; other settings of the file stay.

        Raises
        ------
        SetupError
            Raised where the kernel makes no user namespace, or the file is none of the engine's.
        """
        limit = self.kernel_limit.read_text().strip() if self.kernel_limit.exists() else "no file"
        if limit in ("0", "no file"):
            raise SetupError(
                f"{_LABEL}: {self.kernel_limit} should be above 0 (got {limit}). Raise it with "
                f"`sysctl -w user.max_user_namespaces=10000`, or leave {OPTION} out."
            )
        settings = {**self._read(), _KEY: "default"}
        write_file(self.configuration, json.dumps(settings, indent=2) + "\n")

    def _read(self) -> dict[str, Any]:
        try:
            text = self.configuration.read_text()
        except FileNotFoundError:
            return {}
        try:
            settings = json.loads(text or "{}")
        except ValueError as error:
            raise SetupError(
                f"{_LABEL}: {self.configuration} should be JSON (got: {error}). Correct it."
            ) from None
        return settings if isinstance(settings, dict) else {}


def maps_users(info: dict[str, Any] | None) -> bool:
    """Whether an engine that tells this of itself maps users."""
    options = (info or {}).get("SecurityOptions") or ()
    return any(option.split(",")[0] == "name=userns" for option in options)


def refuse_engine(found: str) -> SetupError:
    """Why an engine that is not the set-up's own is left as it is."""
    return SetupError(
        f"{_LABEL}: {OPTION} should be given where no engine is installed yet (got {found}). Set "
        f'"{_KEY}": "default" in its daemon.json yourself and restart it; it will not see its '
        "images, volumes and containers of before."
    )
