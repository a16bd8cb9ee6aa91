"""What this machine offers to verifications, and what mends what is missing. Nothing is written."""

from __future__ import annotations

from reprocheck.doctor.base import Answer, Check, Request, Status
from reprocheck.doctor.examination import examine

__all__ = ["Answer", "Check", "Request", "Status", "examine"]
