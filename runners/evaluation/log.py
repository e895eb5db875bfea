"""evaluations.jsonl: the counts of every evaluation of a run."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from runners.evaluation.summary import EvaluationRow, Phase
from runners.files import read_lines, write_lines


class EvaluationLog:
    """evaluations.jsonl: every (phase, step) once, whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[EvaluationRow]:
        return [EvaluationRow.from_json(row) for row in read_lines(self.path)]

    def has(self, phase: Phase, uids: Iterable[str]) -> bool:
        """Whether every problem was evaluated in this phase."""
        return {*uids} <= {row.uid for row in self.rows() if row.phase == phase}

    def write(self, rows: Sequence[EvaluationRow]) -> None:
        """Add rows; those of the same phase and step that stand there are replaced."""
        new = {(row.phase, row.step) for row in rows}
        kept = [row for row in self.rows() if (row.phase, row.step) not in new]
        write_lines(self.path, (row.to_json() for row in [*kept, *rows]))
