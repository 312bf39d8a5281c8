"""The clone and the user's data: where states are kept, what opens them, what git ignores."""

import secrets
from dataclasses import dataclass

from toolchain.setup import git_salt
from toolchain.setup.atomic import write_file
from toolchain.setup.project import Project
from toolchain.setup.work import Work


@dataclass(frozen=True)
class Workspace:
    """State folder, passphrase of development stacks, and a git filter for their salts."""

    project: Project
    name = "workspace"
    purpose = "make the state folder, the machine's passphrase and the git filter"
    after = ()

    def find(self) -> str | None:
        root, places = self.project.root, self.project.places
        if not (places.state.is_dir() and places.passphrase.exists()):
            return None
        if git_salt.is_clone(root) and not git_salt.has_filter(root):
            return None
        return str(places.data)

    def run(self, work: Work) -> None:
        root, places = self.project.root, self.project.places
        places.state.mkdir(parents=True, exist_ok=True)
        places.data.chmod(0o700)
        if not places.passphrase.exists():
            write_file(places.passphrase, secrets.token_urlsafe(32), mode=0o600)
        if git_salt.is_clone(root):
            git_salt.set_filter(root)
