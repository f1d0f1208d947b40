"""Writes docs/reference/ from the code: `make docs`; with --check it only says what is out of date, and exits 1."""
