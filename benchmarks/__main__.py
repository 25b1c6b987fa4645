"""``python -m benchmarks``: every ratio with its floor from the same run; ``--quick`` leaves out 100,000 clients."""

import sys

from benchmarks import endpoint, month_end, slow_systems, workers

if __name__ == "__main__":
    endpoint.main()
    slow_systems.main()
    workers.main()
    month_end.main(large="--quick" not in sys.argv)
