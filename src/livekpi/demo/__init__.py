"""The demo: a synthetic shop whose events go through the server's own door."""

from livekpi.demo.demo import run

__all__ = ["run"]
