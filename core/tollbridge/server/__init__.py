"""The HTTP server: SolusIO's price look-ups, health, readiness and metrics."""
