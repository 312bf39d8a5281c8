"""Where Pulumi's backend keeps states, if it is a folder; standard library only."""

import os
import pwd
from pathlib import Path
from urllib.parse import unquote, urlsplit


def states_folder(url: str, root: Path) -> Path | None:
    """The `.pulumi` in the folder that a backend's URL names; None for a backend elsewhere.

    As Pulumi takes it (massageBlobPath of its pkg/backend/diy): `~` is the home that passwd has, a
    relative path begins in `root`, where Pulumi runs, and what is percent-encoded is decoded.
    """
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    path = parts.netloc + parts.path
    if path.startswith("~"):
        path = os.path.join(_home(), path[2:])
    return Path(os.path.abspath(root / unquote(path)), ".pulumi")


def _home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a user whom the machine does not know, as in some containers
        return os.path.expanduser("~")
