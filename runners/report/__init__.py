"""Reports: one self-contained HTML page for a run, and one for a transfer search."""

from runners.report.page import write_run_report, write_transfer_report

__all__ = ["write_run_report", "write_transfer_report"]
