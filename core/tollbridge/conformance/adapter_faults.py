"""Faults of adapters."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.conformance.side import OtherSide


def with_the_fault_on_trial(adapter: Any, side: "OtherSide") -> Any:  # noqa: ARG001 - for the faults to come
    """The adapter."""
    return adapter
