"""How a release is built, and proved before it is published; nothing of it is installed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
DRIVERS = "postgresql,mysql,distributed"  # the extras of run time, which the bill of materials lists, too
