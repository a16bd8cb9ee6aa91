"""What a metric's name tells: the split it is of, and whether it measures the model at all."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from reprocheck.model import Direction


def _one_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


MEASURES = _one_of(
    """
    accuracy acc f1 f2 fbeta auc auroc auprc rocauc prauc ap map map50 precision recall
    sensitivity specificity r2 rmse mse mae mape smape rmsle msle medae loss logloss nll bce ce
    crossentropy entropy perplexity ppl bpc bpb bleu rouge rouge1 rouge2 rougel rougelsum meteor
    chrf ter wer cer iou miou dice jaccard kappa mcc brier ece ndcg mrr elbo fid psnr ssim lpips
    reward rewards return returns score error err gini ks silhouette deviance likelihood
    divergence correlation pearson pearsonr spearman spearmanr variance match em
    """
)
"""Words for how good a model is."""

_LOWER_IS_BETTER = _one_of(
    """
    loss logloss nll bce ce crossentropy entropy perplexity ppl bpc bpb rmse mse mae mape smape
    rmsle msle medae wer cer ter brier ece fid lpips error err deviance divergence
    """
)
_UNCLEAR = _one_of("gini ks variance score likelihood match em elbo")
_SHARES = _one_of(
    """
    accuracy acc f1 f2 fbeta auc auroc auprc rocauc prauc ap map map50 precision recall
    sensitivity specificity iou miou dice jaccard
    """
)

_QUALIFIERS = _one_of(
    "top top1 top3 top5 top10 at k macro micro weighted samples mean avg average median best "
    "last final step epoch rate percent pct"
)
_EVALUATION = _one_of(
    "val valid validation test testing eval evaluation dev holdout heldout oos oof"
)
_TRAINING = _one_of("train training")
_SETTINGS = _one_of(
    "lr momentum decay beta beta1 beta2 epoch epochs step steps iteration iterations iter batch "
    "batches seed schedule params parameters flos flops num n count counts size length samples "
    "examples rows version"
)
# These never speak of the model, whatever else the name says.
_MACHINE = _one_of(
    "gpu gpus cpu cpus tpu cuda vram ram rss latency throughput runtime timestamp walltime fps "
    "qps watts joules"
)
# These do, unless the name ends in a measure: travel_time_mae, energy_rmse.
_QUANTITIES = _one_of(
    "memory mem energy duration time times elapsed seconds secs sec ms millis milliseconds "
    "minutes hours speed power utilization utilisation disk"
)
# mlflow.evaluate logs a versioned metric as toxicity/v1/mean.
_OF_EVALUATE = re.compile(r"/v[0-9]+(/(mean|variance|ratio|p[0-9]+))?$")
_CAMEL = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: `eval/topK_valLoss` is eval, top, k, val, loss."""
    found: list[str] = []
    for part in re.split(r"[\W_]+", name):
        if part.lower() in MEASURES:
            found.append(part.lower())  # mAP and rougeL are one word each
        else:
            found.extend(word.lower() for word in _CAMEL.findall(part))
    return tuple(found)


def is_hardware_bound(name: str) -> bool:
    """Whether the value is the machine's doing: times, memory, energy, `system/*`, `gpu.*`."""
    parts = words(name)
    devices = {part.rstrip("0123456789") for part in parts}  # gpu0 is a gpu
    if re.match(r"system[/.]", name) or devices & _MACHINE or _is_a_rate(parts):
        return True
    return bool(_QUANTITIES.intersection(parts)) and not ends_in_measure(name)


def ends_in_measure(name: str) -> bool:
    """Whether the last word, qualifiers as in `recall@10` or `loss_epoch` aside, is a measure."""
    return bool(_measure(name))


def usual_direction(name: str) -> Direction:
    """Which way a metric of such a name is better as a rule; only for what is said to be inferred.

    Accuracies are better when higher, losses and errors when lower.
    """
    measure = _measure(name)
    if not measure or measure in _UNCLEAR:
        return Direction.UNKNOWN
    return Direction.LOWER if measure in _LOWER_IS_BETTER else Direction.HIGHER


def is_share(name: str) -> bool:
    """Whether metrics of such a name lie between 0 and 1 where they are not in percent."""
    return _measure(name) in _SHARES


def _measure(name: str) -> str:
    """The measure that the name ends in, "" where it ends in none."""
    parts = list(words(name))
    while parts and (parts[-1] in _QUALIFIERS or parts[-1].isdigit()):
        parts.pop()
    return parts[-1] if parts and parts[-1] in MEASURES else ""


def is_setting(name: str) -> bool:
    """Whether it counts or repeats what was asked for, as a learning rate or an epoch does."""
    parts = words(name)
    if MEASURES.intersection(parts):
        return False
    return bool(_SETTINGS.intersection(parts)) or parts[-2:] == ("learning", "rate")


def is_of_evaluation(name: str) -> bool:
    """Whether it is of data the model was not trained on, or of `mlflow.evaluate`."""
    parts = words(name)
    if _OF_EVALUATE.search(name):
        return True
    return bool(_EVALUATION.intersection(parts)) or ("on", "data") in pairwise(parts)


def is_of_training(name: str) -> bool:
    """Whether it is of the training split."""
    return bool(_TRAINING.intersection(words(name)))


def _is_a_rate(parts: tuple[str, ...]) -> bool:
    units = ("s", "sec", "second", "minute", "hour")
    return any(a == "per" and b in units for a, b in pairwise(parts))
