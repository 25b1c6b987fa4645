"""How much is tried: ``TOLLBRIDGE_TRIALS`` in the environment is how many times more of what is drawn at random."""

import os

TRIALS = int(os.environ.get("TOLLBRIDGE_TRIALS", "1"))
