"""A new ledger is opened by as many as come at once."""

import threading
from pathlib import Path

from tollbridge import DatabaseUrl
from tollbridge.ledger import Ledger


def test_several_may_open_a_new_ledger_at_the_same_moment(tmp_path: Path) -> None:
    errors: list[Exception] = []
    for round_number in range(15):
        url = DatabaseUrl(f"sqlite:///{tmp_path}/{round_number}.db")
        gate = threading.Barrier(4)

        def open_it(url: DatabaseUrl = url, gate: threading.Barrier = gate) -> None:
            gate.wait()
            try:
                Ledger.open(url).close()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
                errors.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
