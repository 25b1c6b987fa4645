"""Adapters: the hooks they implement, how they are found and loaded, and calling the active one."""
