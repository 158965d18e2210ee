"""The command line. One module per group of commands; `codes` holds the exit codes."""

import os


def main() -> None:
    """The entry point of the command `tallystick`."""
    # Processes are started by fork and exec; gRPC has nothing to prepare for, and would tell so on the terminal.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    from tallystick.cli.app import app

    app()
