"""Entry of the program's process: `python <this folder> <settings as JSON>`."""

import os
import signal
import sys
from typing import Any


def _end_quietly(number: int, _frame: Any) -> None:
    os._exit(128 + number)


def _main() -> None:
    # Until the program itself runs there is nothing to clean up, and no traceback to show.
    signal.signal(signal.SIGINT, _end_quietly)
    own = os.path.dirname(os.path.abspath(__file__))
    # The program may have modules of any name: ours leave no trace in its module path.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(own)))
    from plugins.language.executor import session

    del sys.path[0]
    for name in [name for name in sys.modules if name.partition(".")[0] == "plugins"]:
        del sys.modules[name]
    sys.exit(session.run(sys.argv[1], own))


_main()
