"""Becomes `__main__.py` of the toolchain's lib: `python lib <module> <arguments>`.

Run like this, the module path starts with lib and never holds the user's own folder, where a
package `docker` or `plugins` of the project would shadow ours.
"""

import runpy
import sys

runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)
