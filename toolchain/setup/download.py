"""Official downloads, tried only as long as it takes to see that they answer.

`python3 -m toolchain.setup.download URL FOLDER` unpacks the files of the .tar.gz at URL; it runs as
a process of its own, which can be stopped, because Python's name look-up has no time limit.
"""

import io
import os
import platform
import shutil
import signal
import sys
import tarfile
import urllib.request
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.atomic import build_folder
from toolchain.setup.project import ROOT
from toolchain.setup.work import Work

_ANSWER_SECONDS = 5


def fetch_archive(url: str, folder: Path, work: Work, *, x86_64: str = "amd64") -> bool:
    """Unpack the .tar.gz at `url` as `folder`; False if nothing answers within seconds.

    `{system}` and `{machine}` in the address become this machine's; publishers differ in how they
    spell x86_64.
    """
    machine = platform.machine().lower()
    machine = {"x86_64": x86_64, "amd64": x86_64, "aarch64": "arm64"}.get(machine, machine)
    url = url.format(system=platform.system().lower(), machine=machine)
    work.show("looking for the official download")
    try:
        with build_folder(folder) as scratch:
            command = [sys.executable, "-m", "toolchain.setup.download", url, str(scratch)]
            work.run(command, cwd=ROOT, environ=os.environ)
    except UserError:
        work.say("the official download does not answer; building it from its Go module")
        return False
    return True


if __name__ == "__main__":
    signal.alarm(_ANSWER_SECONDS)
    with urllib.request.urlopen(sys.argv[1], timeout=_ANSWER_SECONDS) as answer:
        signal.alarm(0)
        with tarfile.open(fileobj=answer, mode="r|gz") as archive:
            for member in filter(tarfile.TarInfo.isfile, archive):
                # Pulumi's release has a folder `pulumi` around its files, a plugin has none.
                file = Path(sys.argv[2], os.path.basename(member.name))
                print(f"downloading {file.name}", flush=True)
                # Not `extract`: Debian 12's Python has no filter to make it safe.
                with archive.extractfile(member) or io.BytesIO() as content, file.open("wb") as out:
                    shutil.copyfileobj(content, out)
                file.chmod(member.mode & 0o755)
