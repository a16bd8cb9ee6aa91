"""Stage compare: judges the reruns. Pure: no files, no clock, no randomness of its own."""

from reprocheck.compare.checks import check_margins
from reprocheck.compare.criteria import check_criteria
from reprocheck.compare.expressions import check_expressions, with_expressions
from reprocheck.compare.gates import choose_gates
from reprocheck.compare.judge import judge
from reprocheck.compare.names import is_hardware_bound
from reprocheck.compare.next_look import next_look
from reprocheck.compare.predictions import aligned, compare_predictions, flip_floor
from reprocheck.compare.preview import planned_reruns, preview
from reprocheck.compare.products import compare_products, product_findings, products_sentence
from reprocheck.compare.question import Question

__all__ = [
    "Question",
    "aligned",
    "check_criteria",
    "check_expressions",
    "check_margins",
    "choose_gates",
    "compare_predictions",
    "compare_products",
    "flip_floor",
    "is_hardware_bound",
    "judge",
    "next_look",
    "planned_reruns",
    "preview",
    "product_findings",
    "products_sentence",
    "with_expressions",
]
