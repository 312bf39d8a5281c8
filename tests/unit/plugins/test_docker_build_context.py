"""Context hash and tar stream: what counts as a change, and what the engine gets."""

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from plugins.docker.build.archive import stream_context
from plugins.docker.build.context import BuildContext, ContextError
from plugins.docker.build.digest import context_digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "app").mkdir(parents=True)
    (root / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n")
    (root / "app" / "main.py").write_text("print('hello')\n")
    (root / "app" / "run.sh").write_text("exec python main.py\n")
    (root / "app" / "run.sh").chmod(0o755)
    (root / "app" / "link").symlink_to("main.py")
    (root / "notes.txt").write_text("not for the builder\n")
    (root / ".dockerignore").write_text("notes.txt\n.dockerignore\n")
    for path in root.rglob("*.*"):
        path.chmod(0o755 if path.suffix == ".sh" else 0o644)
    return root


def digest_of(root: Path, dockerfile: str = "Dockerfile") -> str:
    return context_digest(BuildContext(root, root / dockerfile))


def test_same_tree_elsewhere_at_another_time_has_the_same_digest(
    tree: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "deeper" / "copy"
    copy.mkdir(parents=True)
    # Files are made in another order, and look a day older.
    for path in sorted(tree.rglob("*"), reverse=True):
        target = copy / path.relative_to(tree)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(os.readlink(path))
        elif path.is_file():
            shutil.copy(path, target)
            os.utime(target, (0, 86_400))
    assert digest_of(copy) == digest_of(tree)


def test_digest_is_the_official_providers(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "Dockerfile").chmod(0o640)
    content = hashlib.sha256(b"FROM scratch\n").digest()
    recipe = b"Dockerfile----------" + content + b"\0" + b"Dockerfile-rw-r-----" + content + b"\0"
    assert digest_of(tmp_path) == hashlib.sha256(recipe).hexdigest()


def change_content(root: Path) -> None:
    (root / "app" / "main.py").write_text("print('hello!')\n")


def change_mode(root: Path) -> None:
    (root / "app" / "main.py").chmod(0o755)


def change_name(root: Path) -> None:
    (root / "app" / "main.py").rename(root / "app" / "other.py")


def change_link(root: Path) -> None:
    (root / "app" / "link").unlink()
    (root / "app" / "link").symlink_to("run.sh")


def change_dockerfile(root: Path) -> None:
    (root / "Dockerfile").write_text("FROM scratch\n")


def add_file(root: Path) -> None:
    (root / "app" / "empty").write_text("")


def admit_file(root: Path) -> None:
    (root / ".dockerignore").write_text(".dockerignore\n")


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_mode,
        change_name,
        change_link,
        change_dockerfile,
        add_file,
        admit_file,
    ],
)
def test_change_of_what_is_sent_changes_the_digest(
    tree: Path, change: Callable[[Path], None]
) -> None:
    before = digest_of(tree)
    change(tree)
    assert digest_of(tree) != before


def test_change_of_an_ignored_file_changes_nothing(tree: Path) -> None:
    before = digest_of(tree)
    (tree / "notes.txt").write_text("changed\n")
    (tree / ".dockerignore").write_text("notes.txt\n.dockerignore\n# a comment\n")
    assert digest_of(tree) == before


def test_link_target_outside_of_the_context_is_not_followed(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("one")
    (tree / "app" / "out").symlink_to("../../outside")
    before = digest_of(tree)
    (tmp_path / "outside").write_text("two")
    assert digest_of(tree) == before


def test_missing_context_is_named(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    context = BuildContext(tmp_path / "nowhere", tmp_path / "Dockerfile")
    with pytest.raises(ContextError) as failure:
        context_digest(context)
    assert str(failure.value) == (
        f"build context {tmp_path / 'nowhere'}: should be a readable folder "
        "(got: no such file or directory). Correct the path, its permissions or .dockerignore."
    )


def sent(context: BuildContext) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(b"".join(stream_context(context))))


def test_stream_holds_modes_links_and_content_owned_by_root(tree: Path) -> None:
    archive = sent(BuildContext(tree, tree / "Dockerfile"))
    facts = {m.name: (m.type, oct(m.mode), m.linkname, m.uid, m.gid) for m in archive}
    assert facts == {
        ".": (tarfile.DIRTYPE, "0o755", "", 0, 0),
        "Dockerfile": (
            tarfile.REGTYPE,
            oct((tree / "Dockerfile").stat().st_mode & 0o777),
            "",
            0,
            0,
        ),
        "app": (tarfile.DIRTYPE, oct((tree / "app").stat().st_mode & 0o777), "", 0, 0),
        "app/link": (tarfile.SYMTYPE, "0o777", "main.py", 0, 0),
        "app/main.py": (tarfile.REGTYPE, "0o644", "", 0, 0),
        "app/run.sh": (tarfile.REGTYPE, "0o755", "", 0, 0),
    }
    main = archive.extractfile("app/main.py")
    assert main is not None
    assert main.read() == b"print('hello')\n"


def test_first_header_is_a_plain_one_whatever_the_first_name(tmp_path: Path) -> None:
    (tmp_path / ("A" * 200)).write_text("")
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    start = next(iter(stream_context(BuildContext(tmp_path, tmp_path / "Dockerfile"))))
    header = tarfile.TarInfo.frombuf(start[:512], "utf-8", "strict")
    assert (header.name, header.type) == (".", tarfile.DIRTYPE)


def test_long_and_odd_names_arrive(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    names = {"é" * 90, "line\nbreak", "x" * 250}
    for name in names:
        (tmp_path / name).write_text("")
    assert names <= set(sent(BuildContext(tmp_path, tmp_path / "Dockerfile")).getnames())


def test_ignored_dockerfile_is_sent_all_the_same(tree: Path) -> None:
    (tree / ".dockerignore").write_text("*\n!app\n")
    names = sent(BuildContext(tree, tree / "Dockerfile")).getnames()
    assert names == [".", "app", "app/link", "app/main.py", "app/run.sh", "Dockerfile"]


def test_dockerfile_outside_is_sent_under_a_name_of_its_content(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "Other").write_text("FROM scratch\n")
    context = BuildContext(tree / "app", tmp_path / "Other")
    name = f".dockerfile.{hashlib.sha256(b'FROM scratch' + bytes([10])).hexdigest()[:20]}"
    assert context.relative_dockerfile == "../../Other"
    assert context.sent_dockerfile == name
    assert sent(context).getnames() == [".", "link", "main.py", "run.sh", name]


def test_file_that_shrinks_while_it_is_sent_ends_the_build(tree: Path) -> None:
    big = tree / "app" / "big"
    big.write_bytes(b"x" * 1_000_000)
    context = BuildContext(tree, tree / "Dockerfile")
    blocks = stream_context(context)
    next(blocks)
    os.truncate(big, 10)
    with pytest.raises(ContextError) as failure:
        list(blocks)
    path = context.root / "app" / "big"
    assert str(failure.value).startswith(
        f"build context: {path} should not shrink during the build"
    )
