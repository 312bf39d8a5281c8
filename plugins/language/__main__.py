"""Command line of `pulumi-language-python`, as the engine starts it."""

import argparse
import os
import sys

from plugins.language.errors import LanguageError


def _main() -> None:
    parser = argparse.ArgumentParser(prog="pulumi-language-python", description=__doc__)
    parser.add_argument("-version", "--version", action="store_true", help="print and exit")
    # The engine passes its own logging and tracing flags to every plugin.
    parser.add_argument("--tracing", help=argparse.SUPPRESS)
    parser.add_argument("--logtostderr", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--logflow", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("-v", help=argparse.SUPPRESS)
    parser.add_argument("engine", nargs="?", default="", help="address of the engine, host:port")
    arguments = parser.parse_args()
    if arguments.version:
        print(_sdk_version())
        return
    # Else gRPC reports the end of refused calls on standard error, which the engine shows.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        from plugins.language.server import serve

        serve(arguments.engine)
    except LanguageError as error:
        sys.exit(f"error: {error}")


def _sdk_version() -> str:
    from plugins.language.protocol import SDK_VERSION

    return SDK_VERSION


_main()
