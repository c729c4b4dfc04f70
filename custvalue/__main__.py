"""``python -m custvalue``: the same program as the console script."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; say which extra to install where its parts are missing."""
    try:
        import click  # noqa: F401
    except ModuleNotFoundError:
        sys.stderr.write(
            "custvalue: the command line needs the 'report' extra: "
            'python -m pip install "custvalue[report]"\n'
        )
        return 2
    from custvalue.cli import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
