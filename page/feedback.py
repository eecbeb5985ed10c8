"""What readers said of answers, as JSON Lines on this machine, for ``gazette-eval`` to turn into questions."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from qa.records import Answer

VERDICTS = frozenset({"right", "wrong", "wrong_citation"})
NOTE_LIMIT = 500


@dataclass
class Feedback:
    """Appends to one file; nothing is written, and no folder made, before the first verdict."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def keep(self, answer: Answer, verdict: str, note: str = "") -> None:
        """Append the answer record with the verdict, the note and the time (UTC).

        Raises:
            ValueError: on an unknown verdict.
        """
        if verdict not in VERDICTS:
            raise ValueError(f"unknown verdict {verdict!r}: use one of {', '.join(sorted(VERDICTS))}")
        record = answer.to_json()
        del record["passages"]  # found again from the question; they would make up nine tenths of the file
        line = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "verdict": verdict,
            "note": note[:NOTE_LIMIT],
            **record,
        }
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
