"""oneM2M platforms, Release 3 and 4 over HTTP (TS-0001, TS-0004, TS-0009)."""

from .live import follow
from .notify import Notice, parse_notification
from .receiver import Receiver
from .source import OneM2MConfig, OneM2MSource
from .subscription import Subscriptions

__all__ = [
    "Notice",
    "OneM2MConfig",
    "OneM2MSource",
    "Receiver",
    "Subscriptions",
    "follow",
    "parse_notification",
]
