"""Tests of the adapters that come along, and of their simulators."""

import httpx

# One for all clients: reading the world's authorities takes longer than a test.
TLS = httpx.create_ssl_context()
