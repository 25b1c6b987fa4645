"""How much is tried.

In the environment ``TOLLBRIDGE_TRIALS`` is how many times more of what is drawn at random, and ``TOLLBRIDGE_HISTORIES``
how many histories of a whole company.
"""

import os

TRIALS = int(os.environ.get("TOLLBRIDGE_TRIALS", "1"))
HISTORIES = int(os.environ.get("TOLLBRIDGE_HISTORIES", "4"))
