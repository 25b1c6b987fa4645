"""``python -m tollbridge``."""

import sys

from tollbridge.cli import main

sys.exit(main())
