"""`tallystick demo`: Monday, nine o'clock."""

from tallystick.cli.demo.command import register

__all__ = ["register"]
