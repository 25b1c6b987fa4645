"""Faults of actions."""

import attrs

from tollbridge.sandbox import Fault, Faults


class ActionFaults(Faults):
    """Faults whose ``path`` is an action's name in any case, or how the names of several begin.

    ``GetClients`` is that action alone, and not ``GetClientsDetails`` too.
    """

    def __init__(self, actions: tuple[str, ...]) -> None:
        super().__init__()
        self._actions = {action.casefold(): action for action in actions}

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        action = self._actions.get(fault.path.strip("/").casefold())
        super().add(fault if action is None else attrs.evolve(fault, path=self.call(action)))

    def list(self) -> list[Fault]:
        """What is still to come, under the names they were given."""
        return [attrs.evolve(fault, path=fault.path.removesuffix("/")) for fault in super().list()]

    def call(self, action: str) -> str:
        """What a call of this action is named: no name is the beginning of another."""
        return f"{self._actions.get(action.casefold(), action)}/"
