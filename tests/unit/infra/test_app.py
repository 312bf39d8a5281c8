"""The portal's containers: what they need of the clone."""

from pathlib import Path

from infra.services.app import let_everybody_read


def test_code_is_readable_for_the_container_whatever_the_umask_of_the_clone(
    tmp_path: Path,
) -> None:
    module = tmp_path / "http" / "routes.py"
    module.parent.mkdir()
    module.write_text("")
    module.chmod(0o600)
    module.parent.chmod(0o700)
    let_everybody_read(tmp_path)
    modes = [path.stat().st_mode & 0o777 for path in (module.parent, module)]
    assert modes == [0o755, 0o644]
