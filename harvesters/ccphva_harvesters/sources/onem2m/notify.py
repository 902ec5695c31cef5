"""Notifications of oneM2M subscriptions (TS-0004 §7.5.1.2) as pure functions: bytes in, a notice out.

Notifications never move a watermark: they bring rows early, backfill alone says what is whole. What comes
twice or out of order falls together with backfill's rows under the table's key.

Imports only ``model`` and ``payload``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ccphva_harvesters.model import Row
from ccphva_harvesters.sources._described import listing, mapping

from .payload import Mapper, Thing

LONGEST = 1_048_576
"""Bytes of a notification; the receiver refuses longer ones unread."""
_NEW_CHILD = 3


class NotificationError(ValueError):
    """It is no notification, or not one for us; says why, without what was in it."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a notification means for us."""

    kind: Literal["verify", "rows", "wake", "ended"]
    """``verify``: a handshake to answer at once. ``rows``: observations. ``wake``: something new is at the
    source, read it by backfill. ``ended``: the subscription is gone, make it anew."""
    subscription: str
    rows: tuple[Row, ...] = ()
    thing: Thing | None = None


def parse_notification(
    body: bytes, things: Mapping[str, Thing], mapper: Mapper, originator: str
) -> list[Notice]:
    """Notices of one request; an aggregated one (``m2m:agn``) holds several.

    :param things: our sensors by resource identifier
    :param originator: who we are: a handshake for a subscription of somebody else is refused
    :raises NotificationError: no notification, or of a stranger
    """
    if len(body) > LONGEST:
        raise NotificationError("longer than a notification may be")
    try:
        value = mapping(json.loads(body.decode(), parse_constant=_refuse))
    except (ValueError, RecursionError):
        raise NotificationError("not JSON") from None
    signs = listing(mapping(value.get("m2m:agn")).get("m2m:sgn")) or [value.get("m2m:sgn")]
    if not all(isinstance(sign, dict) for sign in signs):
        raise NotificationError("no m2m:sgn in it")
    return [_notice(mapping(sign), things, mapper, originator) for sign in signs]


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _notice(sign: dict[str, Any], things: Mapping[str, Thing], mapper: Mapper, originator: str) -> Notice:
    subscription = str(sign.get("sur") or "")
    if sign.get("vrq"):
        if sign.get("cr") not in (None, originator):
            raise NotificationError("the handshake of a subscription that somebody else made")
        return Notice(kind="verify", subscription=subscription)
    if sign.get("sud"):
        return Notice(kind="ended", subscription=subscription)
    event = mapping(sign.get("nev"))
    representation = mapping(event.get("rep"))
    instance = mapping(next(iter(representation.values()), None))
    thing = things.get(str(instance.get("pi")))
    if event.get("net", _NEW_CHILD) == _NEW_CHILD and thing is not None and "con" in instance:
        return Notice(
            kind="rows", subscription=subscription, rows=tuple(mapper.rows(thing, instance)), thing=thing
        )
    thing = thing or things.get(str(instance.get("ri")))
    if thing is None:
        raise NotificationError("not about a sensor of ours")
    return Notice(kind="wake", subscription=subscription, thing=thing)
