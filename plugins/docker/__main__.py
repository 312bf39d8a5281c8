"""Starts the provider; Pulumi passes the address of its engine."""

import sys

from plugins.docker.light_sdk import skip_package_start

if __name__ == "__main__":
    skip_package_start()
    from plugins.docker.server import serve

    sys.exit(serve(sys.argv[1:]))
