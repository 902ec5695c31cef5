"""What can go wrong in a harvest, named by who goes on.

::

    HarvestError
    ├── FatalError              the run stops; nothing is withdrawn
    │   ├── ConfigError         a source file is wrong; says the path of the key
    │   └── SourceError         the source cannot be read; says its address
    │       ├── BlockedError    the address is one we never talk to
    │       ├── TooLargeError   more bytes, depth or pages than allowed
    │       ├── PageLoopError   a page leads back to one already read
    │       └── ParseError      the answer is not what it should be; says the line
    ├── RetriableError          the run stops; the same run may succeed later
    ├── RecordError             this record is left out; the run goes on
    └── NotModifiedError        the source says nothing changed; the run ends well

Imports nothing of the package.
"""

from __future__ import annotations


class HarvestError(Exception):
    """Root of everything this library raises on purpose."""


class FatalError(HarvestError):
    """Stop the run: going on cannot help."""


class ConfigError(FatalError):
    """A source file (or a part of it) is wrong at ``path``."""

    def __init__(self, path: str, cause: str) -> None:
        self.path = path
        self.cause = cause
        super().__init__(f"{path}: {cause}")


class SourceError(FatalError):
    """The source at ``url`` cannot be read."""

    def __init__(self, url: str, cause: str) -> None:
        self.url = url
        self.cause = cause
        super().__init__(f"{url}: {cause}")


class BlockedError(SourceError):
    """The address is not one a harvester may talk to."""


class TooLargeError(SourceError):
    """The answer is larger, deeper or longer than allowed."""


class PageLoopError(SourceError):
    """A page names a next page that was already read."""

    def __init__(self, url: str, next_url: str) -> None:
        self.next_url = next_url
        super().__init__(url, f"its next page {next_url} was already read")


class ParseError(SourceError):
    """The answer could not be understood; ``line`` counts from 1 where it is known."""

    def __init__(self, url: str, cause: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(url, cause if line is None else f"line {line}: {cause}")


class RetriableError(HarvestError):
    """Stop the run, but trying again later may succeed."""

    def __init__(self, url: str, cause: str, retry_after: float | None = None) -> None:
        self.url = url
        self.cause = cause
        self.retry_after = retry_after
        super().__init__(f"{url}: {cause}")


class RecordError(HarvestError):
    """Leave this record out and go on with the next one."""

    def __init__(self, record: str, cause: str) -> None:
        self.record = record
        self.cause = cause
        super().__init__(f"{record}: {cause}")


class NotModifiedError(HarvestError):
    """The source answered that nothing changed since the run whose validators we sent."""

    def __init__(self, url: str) -> None:
        self.url = url
        super().__init__(f"{url}: not modified")
