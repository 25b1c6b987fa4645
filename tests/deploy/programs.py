"""Programs of Debian's packages that try what is in deploy/."""

import os
import shutil

import pytest


def needed(program: str, package: str) -> str:
    """Where it is; without it a skip that says why, or a failure in CI, where `.ci/run` installs it."""
    path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if path is None:
        reason = f"{program} is not installed: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def wished(program: str, package: str) -> str:
    """The same, also skipped in CI: the package brings too much along."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed: apt-get install {package}")
    return path
