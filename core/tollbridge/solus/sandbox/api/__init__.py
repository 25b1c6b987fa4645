"""The HTTP API below ``/api/v1/``: who may call what, and what is answered."""
