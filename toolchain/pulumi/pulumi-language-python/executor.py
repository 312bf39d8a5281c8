"""Runs one Pulumi program, in the program's own Python: `python -c <this text> <settings>`.

The settings are JSON: `pwd`, `entry_point` and `arguments` of the program, and `runtime`, the
arguments of `pulumi.runtime.Settings`. Every Python that the Pulumi SDK supports can run it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
import sysconfig
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

ERROR_REPORTED = 32
"""Exit code that tells the language host that the user has seen the error."""


def main() -> int:
    """Run the program and return the exit code of the process."""
    # Until the program itself runs there is nothing to clean up, and no traceback to show.
    signal.signal(signal.SIGINT, lambda number, _: os._exit(128 + number))
    settings: dict[str, Any] = json.loads(sys.argv[1])
    sys.path[:] = filter(None, sys.path)  # the program adds its own folder
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv = [settings["entry_point"], *settings["arguments"]]
    os.chdir(settings["pwd"])
    try:
        import pulumi.runtime
    except ModuleNotFoundError as error:
        if error.name != "pulumi":
            raise
        print(
            f"{sys.executable}: should have the Python package pulumi (got none). "
            "Run `pulumi install`, or add pulumi to the project's requirements.",
            file=sys.stderr,
        )
        return ERROR_REPORTED
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings["runtime"]))
    return _run_reporting_errors(settings["entry_point"], settings["runtime"]["parallel"])


def _run_reporting_errors(entry_point: str, parallel: int) -> int:
    import pulumi

    try:
        _run_in_stack(entry_point, parallel)
    except KeyboardInterrupt:
        # An orderly end would wait for threads that wait for an engine which has stopped to answer.
        _leave_at_once()
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except SystemExit as end:
        if not isinstance(end.code, str):
            return end.code or 0
        pulumi.log.error(end.code)
    except Exception as error:
        pulumi.log.error("Program failed with an unhandled exception:\n" + _describe(error))
    else:
        return 0
    return ERROR_REPORTED


def _run_in_stack(entry_point: str, parallel: int) -> None:
    import pulumi.runtime

    # A failed run leaves unobserved futures behind. They are of no interest to the user: the
    # error that caused them has been reported.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A registration waits in a thread, and may cause others.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4 * max(parallel, 1)))
    signal.signal(signal.SIGINT, _interrupt_once)
    loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run_entry_point(entry_point)))


def _run_entry_point(entry_point: str) -> None:
    import pulumi

    if not os.path.isdir(entry_point):
        sys.path.insert(0, os.path.dirname(os.path.abspath(entry_point)))
    elif not os.path.exists(os.path.join(entry_point, "__main__.py")):
        raise pulumi.RunError(
            f"{os.path.abspath(entry_point)}: should have the program's __main__.py "
            "(got none). Add it, or name the program in Pulumi.yaml:main."
        )
    try:
        runpy.run_path(entry_point, run_name="__main__")
    except KeyboardInterrupt:
        # The program has cleaned up. The SDK would now wait for an engine that has gone.
        _leave_at_once()
    except SystemExit as end:
        # A program that ends itself well is complete: what it declared is still to be done.
        if end.code:
            raise


def _interrupt_once(_number: int, _frame: Any) -> None:
    # The engine interrupts a second time; the program's own cleaning up goes on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave_at_once() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT)


def _describe(error: BaseException) -> str:
    """Return a traceback with the program's own frames alone, or all if it has none."""
    report = traceback.TracebackException.from_exception(error, compact=True)
    parts = [report]
    for part in parts:
        led_to_it = (part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or []))
        parts += [other for other in led_to_it if other is not None]
        own = [frame for frame in part.stack if not _is_library(frame.filename)]
        # A syntax error shows its place itself.
        if own or isinstance(getattr(part, "text", None), str):
            part.stack = traceback.StackSummary.from_list(own)
        for frame in part.stack:
            # The program runs as ".", so that its modules are called /project/./module.py.
            frame.filename = os.path.normpath(frame.filename)
    return "".join(report.format()).rstrip("\n")


def _is_library(filename: str) -> bool:
    folders = ("site-packages", "dist-packages")
    standard = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
    return filename.startswith(("<", *standard)) or any(
        f"{os.sep}{folder}{os.sep}" in filename for folder in folders
    )


if __name__ == "__main__":
    sys.exit(main())
