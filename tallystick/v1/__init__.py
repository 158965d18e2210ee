"""Generated from proto/tallystick/v1 by `make proto`; never edited."""
