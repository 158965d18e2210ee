"""What the bench shows: progress while it runs, one table, and one line of JSON at the end."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

#: Progress and table are for people; the one line of standard output is JSON.
console = Console(stderr=True)


class Progress:
    """One line for each step."""

    def step(self, what: str) -> None:
        """Begin a step."""
        console.print(f"[dim]· {what}[/]", highlight=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured against what is wanted."""

    name: str
    key: str
    value: float
    target: float
    #: Whether the target is a ceiling.
    at_most: bool
    said: str

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value <= self.target if self.at_most else self.value >= self.target


def table(figures: list[Figure], title: str) -> Table:
    """The figures for people."""
    shown = Table(title=title, title_justify="left")
    for column in ("", "measured", "target", ""):
        shown.add_column(column, justify="right" if column in ("measured", "target") else "left")
    for one in figures:
        bound = f"{'≤' if one.at_most else '≥'} {one.target:g}"
        mark = "[green]met[/]" if one.met else "[red]not met[/]"
        shown.add_row(one.name, f"{one.value:.3g}", bound, f"{mark}  {one.said}")
    return shown
