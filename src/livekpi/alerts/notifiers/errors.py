"""What goes wrong before anything is sent."""


class NotifierError(Exception):
    """A notifier can't be opened; says which and why."""
