"""One run of a program inside a stack."""

import asyncio
import json
import logging
import os
import runpy
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Union

from plugins.language.executor.exit_codes import ERROR_REPORTED, SDK_MISSING
from plugins.language.executor.tracebacks import describe

THREADS_PER_OPERATION = 4
"""A registration waits in a thread, and may cause others; Pulumi's own host has as many."""


def run(settings_json: str, executor_folder: str) -> int:
    """Run the program that the settings describe, and return the exit code of the process.

    Parameters
    ----------
    settings_json
        Arguments of `pulumi.runtime.Settings`, and `pwd`, `entry_point` and `arguments`.
    executor_folder
        Folder of the executor, whose frames no traceback shows.
    """
    settings: Dict[str, Any] = json.loads(settings_json)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.argv = [settings["entry_point"], *settings["arguments"]]
    os.chdir(settings["pwd"])
    try:
        import pulumi.runtime
    except ModuleNotFoundError as error:
        if error.name != "pulumi":
            raise
        return SDK_MISSING
    _configure(settings)
    try:
        return _run_reporting_errors(settings, executor_folder)
    except KeyboardInterrupt:
        _leave_at_once()
        raise
    finally:
        pulumi.runtime.reset_options()


def _configure(settings: Dict[str, Any]) -> None:
    import pulumi.runtime

    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings["runtime"]))


def _run_reporting_errors(settings: Dict[str, Any], executor_folder: str) -> int:
    import pulumi

    try:
        return _run_in_stack(settings["entry_point"], settings["runtime"]["parallel"])
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
    except Exception as error:  # whatever a program can raise
        pulumi.log.error(
            "Program failed with an unhandled exception:\n" + describe(error, executor_folder)
        )
    return ERROR_REPORTED


def _run_in_stack(entry_point: str, parallel: int) -> int:
    import pulumi.runtime

    exit_code = 0

    def program() -> None:
        nonlocal exit_code
        try:
            _run_entry_point(entry_point)
        except SystemExit as end:
            exit_code = _exit_code(end.code)
            if exit_code:
                raise

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    threads = ThreadPoolExecutor(max_workers=max(parallel, 1) * THREADS_PER_OPERATION)
    loop.set_default_executor(threads)
    # A failed run leaves unobserved futures behind. They are of no interest to the user: the
    # error that caused them has been reported.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    except SystemExit as end:
        exit_code = exit_code or _exit_code(end.code)
    threads.shutdown(wait=True)
    loop.close()
    return exit_code


def _run_entry_point(entry_point: str) -> None:
    import pulumi

    if os.path.isdir(entry_point):
        if not os.path.exists(os.path.join(entry_point, "__main__.py")):
            raise pulumi.RunError(
                f"{os.path.abspath(entry_point)}: should have the program's __main__.py "
                "(got none). Add it, or name the program in Pulumi.yaml:main."
            )
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(entry_point)))
    runpy.run_path(entry_point, run_name="__main__")


def _exit_code(code: Union[str, int, None]) -> int:
    import pulumi

    if isinstance(code, str):
        pulumi.log.error(code)
        return ERROR_REPORTED
    return code or 0


def _leave_at_once() -> None:
    # Threads still wait for the engine, which has stopped to answer; nothing waits for them.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + signal.SIGINT)
