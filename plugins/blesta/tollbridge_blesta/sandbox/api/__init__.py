"""The HTTP API of an install."""
