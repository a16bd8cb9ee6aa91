"""When two names of metrics or parameters mean the same."""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 250
"""Characters of a name that are looked at."""

# Words, numbers, and signs that carry a meaning; what only separates is left out.
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\sA-Za-z0-9_\-./@:]+")
_WORDS = {
    "acc": "accuracy",
    "avg": "mean",
    "average": "mean",
    "bs": "batch size",
    "batchsize": "batch size",
    "auroc": "roc auc",
    "cfg": "config",
    "img": "image",
    "iter": "iterations",
    "iters": "iterations",
    "iteration": "iterations",
    "lr": "learning rate",
    "maximum": "max",
    "minimum": "min",
    "n": "num",
    "nb": "num",
    "opt": "optimizer",
    "optim": "optimizer",
    "percent": "pct",
    "ppl": "perplexity",
    "prec": "precision",
    "rec": "recall",
    "temp": "temperature",
    "testing": "test",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "wd": "weight decay",
}
_PHRASES = {
    ("accuracy", "score"): ("accuracy",),
    ("dropout", "rate"): ("dropout",),
    ("f", "1", "score"): ("f", "1"),
    ("r", "2", "score"): ("r", "2"),
    ("hidden", "dim"): ("hidden", "size"),
    ("num", "epochs"): ("epochs",),
    ("num", "of"): ("num",),
    ("number", "of"): ("num",),
    ("random", "seed"): ("seed",),
    ("mean", "absolute", "error"): ("mae",),
    ("mean", "squared", "error"): ("mse",),
    ("root", "mean", "squared", "error"): ("rmse",),
}
_LONGEST_PHRASE = max(map(len, _PHRASES))
_SPLITS = {"train", "validation", "test"}


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words and numbers of a name, in lower case: `valAcc_1` is val, acc, 1."""
    return tuple(part.casefold() for part in _PARTS.findall(name[:LONGEST]))


@lru_cache(maxsize=4096)
def meaning(name: str) -> str:
    """What a name means: the same text for names that differ in case, separators, known short
    forms, or the place of the data split; "" for a name of which that cannot be told.

    Never by likeness of letters: `precision` is not `recall`, and `loss1` is not `loss2`.
    """
    full = [word for part in words(name) for word in _WORDS.get(part, part).split()]
    joined = _joined(_in_order(_without_phrases(full)))
    # `C` and `c`, `N` and `n` are often two things.
    return joined if len(joined) > 1 and len(name) <= LONGEST and len(name.strip()) > 1 else ""


def _without_phrases(parts: list[str]) -> list[str]:
    told: list[str] = []
    while parts:
        size = next(
            (n for n in range(_LONGEST_PHRASE, 1, -1) if tuple(parts[:n]) in _PHRASES),
            1,
        )
        told += _PHRASES.get(tuple(parts[:size]), parts[:size])
        parts = parts[size:]
    return told


def _in_order(parts: list[str]) -> list[str]:
    """The one word for the data split first: `loss_val` is `val_loss`."""
    splits = [word for word in parts if word in _SPLITS]
    if len(splits) != 1 or parts[-1] not in _SPLITS:
        return parts
    return [parts[-1], *parts[:-1]]


def _joined(parts: list[str]) -> str:
    """The words without separators, save between numbers: `layer_1_2` is not `layer_12`."""
    text = ""
    for word in parts:
        text += "_" if text[-1:].isdigit() and word[0].isdigit() else ""
        text += word
    return text
