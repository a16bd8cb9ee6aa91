"""Stage compare: judges the reruns. Pure: no files, no clock, no randomness of its own."""

from reprocheck.compare.checks import check_margins
from reprocheck.compare.gates import choose_gates
from reprocheck.compare.judge import judge
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.preview import planned_reruns, preview
from reprocheck.compare.question import Question

__all__ = [
    "Question",
    "check_margins",
    "choose_gates",
    "is_hardware_bound",
    "judge",
    "planned_reruns",
    "preview",
]
