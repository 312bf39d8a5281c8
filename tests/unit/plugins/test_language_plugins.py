"""How plugins written in Python are started and spoken to."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2

from plugins.language.dynamic import program_toolchain
from plugins.language.errors import LanguageError
from plugins.language.forwarder import Forwarder
from plugins.language.options import Project
from plugins.language.plugin import read_variables
from plugins.language.plugin_command import plugin_command
from plugins.language.plugin_output import stream_output
from plugins.language.policy_pack import stack_variables

ENGINE = "127.0.0.1:4711"


def command(folder: Path, kind: str = "resource") -> list[str]:
    """Return the command that runs the plugin in a folder."""
    return plugin_command(Project(root=folder, program=folder), kind, "/py", [ENGINE])


def test_a_folder_with_a_main_module_is_run_by_python(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").touch()
    assert command(tmp_path) == ["/py", "-u", str(tmp_path), ENGINE]


def test_a_policy_pack_is_run_by_the_sdk_with_its_folder_last(tmp_path: Path) -> None:
    expected = ["/py", "-u", "-m", "pulumi.policy", ENGINE, str(tmp_path)]
    assert command(tmp_path, "analyzer") == expected


def test_a_package_is_run_by_the_sdk_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "my-walls"\n[build-system]\n')
    expected = ["/py", "-u", "-m", "pulumi.run.plugin", "my-walls", ENGINE]
    assert command(tmp_path) == expected


def test_a_folder_with_nothing_to_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageError) as refused:
        command(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}: should have a __main__.py or a pyproject.toml to be run as a plugin "
        "(got neither). Add one."
    )


def test_a_project_file_that_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "walls"\n')
    with pytest.raises(LanguageError) as refused:
        command(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path}/pyproject.toml: should have project.name and [build-system] to be run as a "
        "plugin (got a file without). Add them, or a __main__.py beside it."
    )


def test_the_last_of_equal_variables_counts() -> None:
    assert read_variables(["A=1", "B=x=y", "A=2"]) == {"A": "2", "B": "x=y"}


def test_both_outputs_of_a_plugin_are_passed_on_line_by_line() -> None:
    script = "import sys; print('4711'); print('warned', file=sys.stderr)"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    found = list(stream_output(process))
    process.wait()
    assert [part.stdout for part in found if part.stdout] == [b"4711\n"]
    assert [part.stderr for part in found if part.stderr] == [b"warned\n"]


def test_a_policy_pack_learns_its_stack_from_the_environment() -> None:
    stack = analyzer_pb2.AnalyzerStackConfigureRequest(
        stack="dev", project="portal", dry_run=True, config={"portal:replicas": "2"}
    )
    assert stack_variables(stack.SerializeToString()) == {
        "PULUMI_PROJECT": "portal",
        "PULUMI_STACK": "dev",
        "PULUMI_DRY_RUN": "true",
        "PULUMI_CONFIG": json.dumps({"portal:replicas": "2"}),
    }
    assert stack_variables(b"") == {}


def test_dynamic_providers_run_in_the_programs_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Pulumi.yaml may have its program in a folder below, where the engine starts providers.
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.setenv("PULUMI_RUNTIME_VIRTUALENV", ".venv/")
    monkeypatch.delenv("PULUMI_RUNTIME_TOOLCHAIN", raising=False)
    assert program_toolchain(tmp_path / "program").virtualenv == tmp_path / ".venv"


class Echo(grpc.GenericRpcHandler):
    """A server that answers every call with its name, and refuses `/pack/Bad`."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Answer any method."""
        name = handler_call_details.method

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.calls.append(name)
            if name == "/pack/Bad":
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "bad")
            return name.encode()

        return grpc.unary_unary_rpc_method_handler(answer)


def serve(handler: grpc.GenericRpcHandler) -> tuple[grpc.Server, int]:
    """Serve a handler on a free port."""
    server = grpc.server(ThreadPoolExecutor(4), [handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def test_calls_wait_for_the_server_and_are_handed_on() -> None:
    asked = threading.Event()
    echo = Echo()
    forwarder = Forwarder({"/pack/Own": lambda request: request[::-1]}, asked.set)
    (behind, port), (front, front_port) = serve(echo), serve(forwarder)
    with grpc.insecure_channel(f"127.0.0.1:{front_port}") as channel:
        assert channel.unary_unary("/pack/Own")(b"abc") == b"cba"
        assert not asked.is_set()
        waiting = channel.unary_unary("/pack/Other").future(b"")
        asked.wait()
        forwarder.connect(port, {"/pack/First": b""})
        assert waiting.result() == b"/pack/Other"
        assert echo.calls == ["/pack/First", "/pack/Other"]
        refused = channel.unary_unary("/pack/Bad").future(b"").exception()
        assert isinstance(refused, grpc.Call)
        assert (refused.code(), refused.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "bad")
    front.stop(None)
    behind.stop(None)


def test_calls_are_refused_when_the_server_never_came() -> None:
    forwarder = Forwarder({}, lambda: None)
    server, port = serve(forwarder)
    forwarder.fail("pack: should serve")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        refused = channel.unary_unary("/pack/Any").future(b"").exception()
        assert isinstance(refused, grpc.Call)
        assert refused.details() == "pack: should serve"
    server.stop(None)
