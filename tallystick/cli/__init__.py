"""The command line. One module per group of commands; `codes` holds the exit codes."""


def main() -> None:
    """The entry point of the command `tallystick`."""
    from tallystick.cli.app import app

    app()
