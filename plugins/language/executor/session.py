"""One run of a program inside a stack."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from plugins.language.executor.exit_codes import ERROR_REPORTED, SDK_MISSING
from plugins.language.executor.tracebacks import describe

THREADS_PER_OPERATION = 4
"""A registration waits in a thread, and may cause others; Pulumi's own host has as many."""


def run(settings_json: str, executor_folder: str) -> int:
    """Run the program that the settings describe, and return the exit code of the process.

    Parameters
    ----------
    settings_json
        `runtime`, the arguments of `pulumi.runtime.Settings`, and `pwd`, `entry_point` and
        `arguments` of the program.
    executor_folder
        Folder of the executor, whose frames no traceback shows.
    """
    settings: dict[str, Any] = json.loads(settings_json)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv = [settings["entry_point"], *settings["arguments"]]
    os.chdir(settings["pwd"])
    try:
        import pulumi.runtime
    except ModuleNotFoundError as error:
        if error.name != "pulumi":
            raise
        return SDK_MISSING
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings["runtime"]))
    try:
        return _run_reporting_errors(settings, executor_folder)
    except KeyboardInterrupt:
        return _leave_at_once()


def _run_reporting_errors(settings: dict[str, Any], executor_folder: str) -> int:
    import pulumi

    try:
        _run_in_stack(settings["entry_point"], settings["runtime"]["parallel"])
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except SystemExit as end:
        return _exit_code(end)
    except Exception as error:  # whatever a program can raise
        pulumi.log.error(
            "Program failed with an unhandled exception:\n" + describe(error, executor_folder)
        )
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
    with ThreadPoolExecutor(max_workers=max(parallel, 1) * THREADS_PER_OPERATION) as threads:
        loop.set_default_executor(threads)
        signal.signal(signal.SIGINT, _interrupt_once)
        try:
            loop.run_until_complete(
                pulumi.runtime.run_in_stack(lambda: _run_entry_point(entry_point))
            )
        except KeyboardInterrupt:
            # Leaving the block would wait for threads that wait for an engine which has stopped
            # to answer.
            _leave_at_once()


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
        if _exit_code(end):
            raise


def _exit_code(end: SystemExit) -> int:
    import pulumi

    if isinstance(end.code, str):
        pulumi.log.error(end.code)
        end.code = ERROR_REPORTED
    return end.code or 0


def _interrupt_once(_number: int, _frame: Any) -> None:
    # The engine interrupts a second time; the program's own cleaning up goes on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _leave_at_once() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT)
