"""``python -m release.build``: sdist and wheel, each with the bill of materials in it, and the bill, into ``dist/``."""

import shutil
import subprocess
import sys

from release import DIST, ROOT
from release.bill import bill_of_materials
from release.hatch_hook import BILL
from tollbridge import __version__


def main() -> None:
    """Build all three anew. The bill stands in the tree only meanwhile, so that no later build takes an old one."""
    shutil.rmtree(DIST, ignore_errors=True)
    bill = bill_of_materials()
    place = ROOT / BILL
    place.parent.mkdir(exist_ok=True)
    try:
        place.write_text(bill, encoding="utf-8")
        command = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", str(DIST)]
        subprocess.run([*command, str(ROOT)], check=True)
    finally:
        shutil.rmtree(place.parent)
    (DIST / f"tollbridge-{__version__}.cdx.json").write_text(bill, encoding="utf-8")


if __name__ == "__main__":
    main()
