"""Compares an answer with what a case expects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

MAY_HOLD_MORE = "alerts"


def differences(expect: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """One line for each key under `expect` that the answer does not fulfil."""
    for key, wanted in expect.items():
        got = found.get(key)
        more = key == MAY_HOLD_MORE and wanted != []
        if not _list_matches(wanted, got, may_hold_more=more):
            yield f"{key}: expected {_text(wanted)}, got {_text(got)}"


def matches(wanted: Any, got: Any) -> bool:
    """Objects match on the fields they name, lists as sets, lists of objects one to one,
    amounts by value, all else by equality."""
    if isinstance(wanted, dict):
        return isinstance(got, dict) and all(
            k in got and matches(v, got[k]) for k, v in wanted.items()
        )
    if isinstance(wanted, list):
        return _list_matches(wanted, got)
    return _same(wanted, got)


def _list_matches(wanted: Any, got: Any, *, may_hold_more: bool = False) -> bool:
    if not isinstance(wanted, list) or not isinstance(got, list):
        return _same(wanted, got)
    if not any(isinstance(w, dict) for w in (*wanted, *got)):
        return {_scalar(w) for w in wanted} == {_scalar(g) for g in got}
    if len(got) < len(wanted) or (len(got) > len(wanted) and not may_hold_more):
        return False
    return _assigned([[i for i, g in enumerate(got) if matches(w, g)] for w in wanted])


def _assigned(choices: list[list[int]]) -> bool:
    """Whether each can have a choice of its own (augmenting paths)."""
    holder: dict[int, int] = {}

    def place(who: int, tried: set[int]) -> bool:
        for choice in choices[who]:
            if choice in tried:
                continue
            tried.add(choice)
            if choice not in holder or place(holder[choice], tried):
                holder[choice] = who
                return True
        return False

    return all(place(who, set()) for who in range(len(choices)))


def _same(wanted: Any, got: Any) -> bool:
    return type(wanted) is type(got) and wanted == got if _is_flag(wanted, got) else (
        _scalar(wanted) == _scalar(got)
    )  # fmt: skip


def _is_flag(*values: Any) -> bool:
    return any(isinstance(v, bool) or v is None for v in values)


def _scalar(value: Any) -> Any:
    """Numbers, and text that is an amount with a decimal point, by value."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) or (isinstance(value, str) and "." in value):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return value
    return value


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
