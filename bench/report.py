"""What the bench shows: progress while it runs, one table, and one line of JSON at the end."""

from rich.console import Console

#: Progress and table go to standard error's terminal; the last line of standard output is JSON.
console = Console(stderr=True)


class Progress:
    """One line for each step."""

    def step(self, what: str) -> None:
        """Begin a step."""
        console.print(f"[dim]· {what}[/]")
