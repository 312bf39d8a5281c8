"""Whose the files are that root makes in the home of another user."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolchain.setup.project import Places


@contextmanager
def for_owner_of_home(places: Places) -> Iterator[None]:
    """Give what root makes meanwhile in the cache and the data to the owner of HOME.

    That is how `sudo env HOME=$HOME make setup` leaves a machine on which that user goes on. What
    an earlier run, which was killed, has left to root is given as well.
    """
    home = places.home
    if os.geteuid() != 0 or not home.is_dir() or (owner := home.stat()).st_uid == 0:
        yield
        return
    trees = (places.cache, places.data)
    for tree in trees:
        # At once: pip, as root, keeps a cache of its own in a ~/.cache that is root's.
        for folder in reversed([one for one in (tree, *tree.parents) if not one.exists()]):
            folder.mkdir(exist_ok=True)
            os.chown(folder, owner.st_uid, owner.st_gid)
    try:
        yield
    finally:
        for tree in trees:
            _give(tree, owner)


def _give(tree: Path, owner: os.stat_result) -> None:
    for _, folders, files, opened in os.fwalk(tree):  # it follows no link
        for name in (".", *folders, *files):
            # What is gone by now, or on a file system that refuses root.
            with suppress(OSError):
                if os.stat(name, dir_fd=opened, follow_symlinks=False).st_uid == 0:
                    os.chown(name, owner.st_uid, owner.st_gid, dir_fd=opened, follow_symlinks=False)
