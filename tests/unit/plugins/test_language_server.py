"""The host as the engine meets it: its calls, its refusals and its end."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from plugins.language.children import Children
from plugins.language.host import LanguageHost
from plugins.language.protocol import SDK_VERSION
from plugins.language.run import config_variables, program_command, read_project

ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine() -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    """The engine's side of a connection to a host."""
    server = grpc.server(ThreadPoolExecutor(4))
    children = Children()
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(LanguageHost("", children), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)
    server.stop(None)
    children.stop()


def info(folder: Path, **options: str) -> language_pb2.ProgramInfo:
    """Return the engine's description of a program in a folder."""
    described = language_pb2.ProgramInfo(root_directory=str(folder), program_directory=str(folder))
    described.options.update(options)
    return described


def refusal(call: grpc.Future) -> tuple[grpc.StatusCode, str]:
    """Return how a call was refused."""
    error = call.exception()
    assert isinstance(error, grpc.Call)
    return error.code(), error.details() or ""


def test_the_host_has_the_version_of_the_sdk(engine: language_pb2_grpc.LanguageRuntimeStub) -> None:
    assert engine.GetPluginInfo(empty_pb2.Empty()).version == SDK_VERSION


@pytest.mark.parametrize(
    ("method", "request_type", "what"),
    [
        ("GetRequiredPlugins", "GetRequiredPluginsRequest", "GetRequiredPlugins"),
        ("Template", "TemplateRequest", "Template"),
        ("GenerateProject", "GenerateProjectRequest", "pulumi convert"),
        ("GeneratePackage", "GeneratePackageRequest", "pulumi package gen-sdk"),
        ("Pack", "PackRequest", "pulumi package pack-sdk"),
        ("Link", "LinkRequest", "pulumi package add"),
    ],
)
def test_what_the_host_cannot_do_is_refused_by_name(
    engine: language_pb2_grpc.LanguageRuntimeStub, method: str, request_type: str, what: str
) -> None:
    call = getattr(engine, method).future(getattr(language_pb2, request_type)())
    assert refusal(call) == (
        grpc.StatusCode.UNIMPLEMENTED,
        f"{what}: is not part of this language host. Use Pulumi's own pulumi-language-python.",
    )


def test_a_users_mistake_is_a_message(
    engine: language_pb2_grpc.LanguageRuntimeStub, tmp_path: Path
) -> None:
    request = language_pb2.GetRequiredPackagesRequest(info=info(tmp_path, virtualenv=".venv"))
    assert refusal(engine.GetRequiredPackages.future(request)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "Pulumi.yaml:runtime.options.virtualenv: should name a virtual environment "
        f"(got none at {tmp_path}/.venv). Run `pulumi install` to create it.",
    )


def test_the_packages_of_a_program_are_listed(
    engine: language_pb2_grpc.LanguageRuntimeStub, tmp_path: Path
) -> None:
    program = info(tmp_path, virtualenv=sys.prefix)
    request = language_pb2.GetProgramDependenciesRequest(info=program, transitiveDependencies=True)
    found = {package.name for package in engine.GetProgramDependencies(request).dependencies}
    assert {"pulumi", "grpcio"} <= found
    request.transitiveDependencies = False
    direct = {package.name for package in engine.GetProgramDependencies(request).dependencies}
    assert "grpcio" not in direct
    required = engine.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=program))
    assert "policy" not in {package.name for package in required.packages}


def test_about_names_the_programs_python(
    engine: language_pb2_grpc.LanguageRuntimeStub, tmp_path: Path
) -> None:
    request = language_pb2.AboutRequest(info=info(tmp_path, virtualenv=sys.prefix))
    about = engine.About(request)
    assert about.version == ".".join(map(str, sys.version_info[:3]))
    assert dict(about.metadata) == {"toolchain": "pip", "typechecker": "none"}


def test_a_new_project_is_asked_for_its_toolchain_then_for_its_environment(
    engine: language_pb2_grpc.LanguageRuntimeStub, tmp_path: Path
) -> None:
    def keys(**options: str) -> list[str]:
        request = language_pb2.RuntimeOptionsRequest(info=info(tmp_path, **options))
        return [prompt.key for prompt in engine.RuntimeOptionsPrompts(request).prompts]

    assert keys() == ["toolchain"]
    assert keys(toolchain="pip") == ["virtualenv"]
    assert keys(toolchain="pip", virtualenv="venv") == []


def test_an_installation_shows_its_output_and_its_failure(
    engine: language_pb2_grpc.LanguageRuntimeStub, tmp_path: Path
) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "called with $*"\nexit 4\n')
    python.chmod(0o755)
    (tmp_path / "requirements.txt").touch()
    request = language_pb2.InstallDependenciesRequest(info=info(tmp_path, virtualenv=".venv"))
    answers = engine.InstallDependencies(request)
    assert next(answers).stdout == b"Installing requirements.txt...\n"
    assert next(answers).stdout == b"called with -m pip install -r requirements.txt\n"
    with pytest.raises(grpc.RpcError):
        next(answers)
    assert answers.details() == (
        f"{tmp_path}: `{python} -m pip install -r requirements.txt` should succeed "
        "(got exit code 4). Its output above says why."
    )


def test_a_program_gets_its_configuration_and_its_arguments(tmp_path: Path) -> None:
    request = language_pb2.RunRequest(
        stack="dev",
        parallel=4,
        dryRun=True,
        args=["x"],
        config={"p:a": "1"},
        configSecretKeys=["p:a"],
        info=info(tmp_path),
    )
    assert config_variables(request) == {
        "PULUMI_CONFIG": '{"p:a": "1"}',
        "PULUMI_CONFIG_SECRET_KEYS": '["p:a"]',
    }
    python, executor, settings = program_command(
        request, read_project(request.info), "/py", "127.0.0.1:1"
    )
    assert (python, executor) == ("/py", str(ROOT / "plugins" / "language" / "executor"))
    assert '"arguments": ["x"]' in settings
    assert '"stack": "dev", "parallel": 4, "dry_run": true' in settings


def start_host(standard_input: int) -> subprocess.Popen[bytes]:
    """Start a host and wait for its port."""
    host = subprocess.Popen(
        [sys.executable, "-m", "plugins.language", "--logtostderr", "-v=9", "127.0.0.1:1"],
        cwd=ROOT,
        stdin=standard_input,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert host.stdout is not None
    assert 0 < int(host.stdout.readline()) < 65536
    return host


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_host_ends_quietly_when_asked(number: signal.Signals) -> None:
    host = start_host(subprocess.DEVNULL)
    host.send_signal(number)
    assert host.communicate() == (b"", b"")
    assert host.returncode == 0


def test_the_host_ends_when_the_engine_has_gone() -> None:
    host = start_host(subprocess.PIPE)
    assert host.poll() is None
    assert host.stdin is not None
    host.stdin.close()
    assert host.wait() == 0
    for stream in (host.stdout, host.stderr):
        assert stream is not None
        assert stream.read() == b""
        stream.close()


def test_a_program_is_interrupted_once_and_killed_if_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plugins.language.children.GRACE_SECONDS", 0.01)
    children = Children()
    stubborn = "import signal; signal.signal(2, signal.SIG_IGN); print(flush=True); signal.pause()"
    process = children.start(
        [sys.executable, "-c", stubborn],
        folder=tmp_path,
        environment={},
        output=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    children.cancel()
    children.stop()
    assert children.wait(process) == -signal.SIGKILL
    process.stdout.close()
