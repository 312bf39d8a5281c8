"""The language host: which part of the package answers which call of the engine."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
from google.protobuf import empty_pb2

from plugins.language.children import Children
from plugins.language.errors import LanguageError
from plugins.language.protocol import (
    SDK_VERSION,
    language_pb2,
    language_pb2_grpc,
    plugin_pb2,
)

if TYPE_CHECKING:
    from pulumi.runtime.proto import language_pb2 as messages

Answer = TypeVar("Answer")


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine's calls; each part is loaded by the first call that needs it."""

    def __init__(self, engine_address: str, children: Children) -> None:
        self._engine_address = engine_address
        self._children = children

    def Handshake(
        self, request: "messages.LanguageHandshakeRequest", context: grpc.ServicerContext
    ) -> "messages.LanguageHandshakeResponse":
        """Learn the engine's address, where it was not an argument."""
        self._engine_address = request.engine_address or self._engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> Any:
        """Report the version of the SDK whose protocol is spoken."""
        return plugin_pb2.PluginInfo(version=SDK_VERSION)

    def About(
        self, request: "messages.AboutRequest", context: grpc.ServicerContext
    ) -> "messages.AboutResponse":
        """Name the Python that programs run in."""
        from plugins.language.about import describe_runtime

        return _answer(context, lambda: describe_runtime(request))

    def RuntimeOptionsPrompts(
        self, request: "messages.RuntimeOptionsRequest", context: grpc.ServicerContext
    ) -> "messages.RuntimeOptionsResponse":
        """Ask what `pulumi new` has to know."""
        from plugins.language.about import runtime_prompts

        return _answer(context, lambda: runtime_prompts(request))

    def InstallDependencies(
        self, request: "messages.InstallDependenciesRequest", context: grpc.ServicerContext
    ) -> Iterator["messages.InstallDependenciesResponse"]:
        """Fill the project's environment."""
        from plugins.language.install import install_dependencies

        return _answers(context, install_dependencies(request, self._children))

    def GetProgramDependencies(
        self, request: "messages.GetProgramDependenciesRequest", context: grpc.ServicerContext
    ) -> "messages.GetProgramDependenciesResponse":
        """List the Python packages of a program."""
        from plugins.language.packages.calls import program_dependencies

        return _answer(context, lambda: program_dependencies(request))

    def GetRequiredPackages(
        self, request: "messages.GetRequiredPackagesRequest", context: grpc.ServicerContext
    ) -> "messages.GetRequiredPackagesResponse":
        """List the Pulumi packages of a program."""
        from plugins.language.packages.calls import required_by_program

        return _answer(context, lambda: required_by_program(request))

    def Run(
        self, request: "messages.RunRequest", context: grpc.ServicerContext
    ) -> "messages.RunResponse":
        """Run a program to its end."""
        from plugins.language.run import run_program

        return _answer(
            context,
            lambda: run_program(
                request, self._engine_address, self._children, context.add_callback
            ),
        )

    def RunPlugin(
        self, request: "messages.RunPluginRequest", context: grpc.ServicerContext
    ) -> Iterator["messages.RunPluginResponse"]:
        """Run a plugin written in Python, until the engine ends it."""
        from plugins.language.plugin import run_plugin

        return _answers(context, run_plugin(request, self._children, context.add_callback))

    def GenerateProgram(
        self, request: "messages.GenerateProgramRequest", context: grpc.ServicerContext
    ) -> "messages.GenerateProgramResponse":
        """Write Python for the resources of `pulumi import`."""
        from plugins.language.generate.program import generate_program

        return _answer(context, lambda: generate_program(request))

    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Interrupt programs and installations."""
        self._children.cancel()
        return empty_pb2.Empty()

    def GetRequiredPlugins(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Superseded by GetRequiredPackages, which the engine asks first."""
        _refuse(context, "GetRequiredPlugins")

    def Template(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A template is complete as it is; the engine takes the refusal for that."""
        _refuse(context, "Template")

    def GenerateProject(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Part of `pulumi convert`."""
        _refuse(context, "pulumi convert")

    def GeneratePackage(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Part of `pulumi package add` and `pulumi package gen-sdk`."""
        _refuse(context, "pulumi package gen-sdk")

    def Pack(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Part of `pulumi package pack-sdk`."""
        _refuse(context, "pulumi package pack-sdk")

    def Link(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Part of `pulumi package add`."""
        _refuse(context, "pulumi package add")


def _answer(context: grpc.ServicerContext, work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except LanguageError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _answers(context: grpc.ServicerContext, work: Iterator[Answer]) -> Iterator[Answer]:
    try:
        yield from work
    except LanguageError as error:
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))


def _refuse(context: grpc.ServicerContext, what: str) -> NoReturn:
    context.abort(
        grpc.StatusCode.UNIMPLEMENTED,
        f"{what}: is not part of this language host. Use Pulumi's own pulumi-language-python.",
    )
