"""The Go modules of the toolchain: what identifies their text, and how they are built."""

from dataclasses import dataclass
from itertools import count
from pathlib import Path

from infra.errors import UserError
from toolchain.setup.processes import ask
from toolchain.setup.project import Project, digest
from toolchain.setup.versions import GO_MINIMUM, PULUMI_CLI, parse_version
from toolchain.setup.work import Work

_CLI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# The same for all, so that packages which several modules use are compiled once. They leave out
# gRPC to Google's storage, gRPC's debugging pages, and Docker Compose.
_TAGS = "disable_grpc_modules,grpcnotrace,no_compose"
# The linker drops debugging data anyway; without it, compiling takes a sixth less.
_COMPILING = ("-gcflags=all=-dwarf=false",)


@dataclass(frozen=True)
class GoModule:
    """A module below `toolchain/`."""

    project: Project
    name: str
    linker_flags: str = "-s -w"

    @property
    def folder(self) -> Path:
        """Holds `go.mod`."""
        return self.project.root / "toolchain" / self.name

    def digest(self, *patterns: str) -> str:
        """A name for what the module depends on, and for its files of these patterns."""
        files = [file for pattern in patterns for file in sorted(self.folder.glob(pattern))]
        sources = [self.folder / "go.mod", self.folder / "go.sum", *files]
        parts = [part for file in sources for part in (file.name.encode(), file.read_bytes())]
        return digest(_TAGS.encode(), self.linker_flags.encode(), *parts)

    def build(self, package: str, target: Path, work: Work) -> None:
        """Build a package's program; an interrupted build goes on. Raises UserError."""
        _check_go(self.project, work.label)
        modules, packages = count(1), count(1)

        def show(line: str) -> None:
            if line.startswith("go: downloading"):
                work.show(f"{next(modules)} modules downloaded")
            elif not line.startswith("go: "):
                work.show(f"{next(packages)} packages built")

        command = ["go", "build", "-v", *_COMPILING, "-ldflags", self.linker_flags]
        environ = {**self.project.environ, **self.variables}
        work.run(
            [*command, "-o", str(target), package], cwd=self.folder, environ=environ, on_line=show
        )

    @property
    def vetting(self) -> list[str]:
        """The command that checks the module's own packages, in seconds after a build."""
        variables = [f"{name}={value}" for name, value in self.variables.items()]
        return ["env", *variables, "go", "-C", str(self.folder), "vet", *_COMPILING, "./..."]

    @property
    def variables(self) -> dict[str, str]:
        """Environment of Go: the same for all commands, or each would compile everything anew."""
        return {
            "CGO_ENABLED": "0",
            "GOWORK": "off",
            # Debian's Go, and golang's image, fetch no newer one unless asked.
            "GOTOOLCHAIN": "auto",
            # The compiler collects its garbage less often: a sixth less of CPU, for more memory.
            "GOGC": self.project.environ.get("GOGC", "400"),
            "GOFLAGS": f"-mod=readonly -modcacherw -buildvcs=false -trimpath -tags={_TAGS}",
            "GOCACHE": str(self.project.places.go / "build"),
            "GOMODCACHE": str(self.project.places.go / "modules"),
        }


def pulumi_module(project: Project) -> GoModule:
    """The module of the CLI and of the Python language host."""
    return GoModule(project, "pulumi", f"-s -w -X {_CLI_VERSION}=v{PULUMI_CLI}")


def provider_module(project: Project) -> GoModule:
    """The module of the docker provider."""
    return GoModule(project, "provider")


def _check_go(project: Project, label: str) -> None:
    found = ask("go", "version", environ=project.environ)
    if parse_version(found) < GO_MINIMUM:
        wanted = ".".join(str(part) for part in GO_MINIMUM)
        raise UserError(
            f"{label}: Go should be {wanted} or newer to build it (got {found or 'none'}). "
            "Install Go, or the official Pulumi (https://www.pulumi.com/docs/install/)."
        )
