"""Updates of a production stack that go wrong, and what an update leaves."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.portal_stack import PortalStack, PulumiFailed
from benchmarks.harness.probe_image import build_with
from benchmarks.harness.project_copy import copy_project

_REFUSED = '''
"""A migration that the database refuses."""

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    from alembic import op

    op.execute("select 1 / 0")


def downgrade() -> None:
    pass
'''


def names(stack: PortalStack) -> set[str]:
    return {str(container.name) for container in stack.containers("app")}


@contextmanager
def refused_update(stack: PortalStack, **settings: dict[str, Any]) -> Iterator[str]:
    """Update in vain, which leaves the old replicas; then update with the settings of before.

    Gives what `up` said when it failed.
    """
    before = names(stack)
    given = {name: stack.settings[name] for name in settings}
    stack.configure(**{name: {**given[name], **more} for name, more in settings.items()})
    with pytest.raises(PulumiFailed) as caught:
        stack.up()
    assert before <= names(stack)
    yield " ".join(str(caught.value).split())
    stack.configure(**given)
    stack.up()
    assert len(names(stack)) == 2
    assert set(stack.preview()) == {"same"}


def write_refused_migration(project: Path, head: str) -> Path:
    """A file that follows the revision `head` and fails when it is run."""
    path = project / "migrations" / "versions" / "9999_refused.py"
    path.write_text(_REFUSED.format(head=head))
    return path


def build_refused(stack: PortalStack, head: str) -> str:
    """An image of the portal with such a file; its name."""
    line = "COPY refused.py /srv/portal/migrations/versions/9999_refused.py"
    return build_with(stack, "refused", line, refused=_REFUSED.format(head=head))


def is_drained(stack: PortalStack, old_peers: set[str]) -> bool:
    """Whether nginx has been told to send nothing more to the old replicas."""
    configured = stack.run_in("nginx", "cat", "/etc/nginx/portal/live/peers.conf")
    return not any(name in configured for name in old_peers)


def copy_restricted(stack: PortalStack, clone: Path) -> Path:
    """The project as a colleague has it, whose umask is 077 and whose editor is at work."""
    copy_project(clone)
    shutil.copy(stack.project / f"Pulumi.{stack.name}.yaml", clone)
    for name in ("app/.main.py.swp", "app/static/portal.css~", "docker/nginx/.#site.conf"):
        (clone / name).write_text("left behind")
    for path in clone.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
    return clone
