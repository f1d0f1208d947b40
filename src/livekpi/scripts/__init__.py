"""Test scripts: events in with their times, expected points out. docs/test-scripts.md is the language."""

from livekpi.scripts.runner import run

__all__ = ["run"]
