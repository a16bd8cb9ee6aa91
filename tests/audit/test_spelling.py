import pytest

from reprocheck.audit.spelling import LONGEST, meaning


@pytest.mark.parametrize(
    "names",
    [
        ("acc", "accuracy", "Accuracy", "ACC", "accuracy_score"),
        ("val_acc", "valid_acc", "validation/accuracy", "valAcc", "acc_val", "val.accuracy"),
        ("lr", "learning_rate", "learning-rate", "LearningRate", "learningrate"),
        ("f1", "F1", "f1_score", "f1-score", "f1score", "F1Score"),
        ("batch_size", "batchSize", "batchsize", "bs", "BATCH SIZE"),
        ("n_estimators", "num_estimators", "number_of_estimators"),
        ("epochs", "num_epochs", "n_epochs"),
        ("train/loss", "train_loss", "training_loss", "loss_train"),
        ("roc_auc", "auroc", "ROC-AUC"),
        ("rmse", "RMSE", "root_mean_squared_error"),
        ("precision@5", "precision_5"),
    ],
)
def test_these_mean_the_same(names):
    assert len({meaning(name) for name in names}) == 1
    assert meaning(names[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("precision", "recall"),
        ("loss1", "loss2"),
        ("train_loss", "val_loss"),
        ("val_acc", "test_acc"),
        ("layer1", "layer2"),
        ("layer_1_2", "layer_12"),
        ("layer_1_2", "layer_2_1"),
        ("val_acc", "acc"),
        ("eval_loss", "val_loss"),
        ("a_to_b", "b_to_a"),
        ("mae", "mape"),
        ("mse", "rmse"),
        ("max_depth", "min_depth"),
        ("beta1", "beta2"),
        ("accuracy_mean", "accuracy_std"),
        ("lag+1", "lag1"),
        ("p0.1", "p01"),
        ("dropout", "dropout_attention"),
        ("train_val_gap", "val_train_gap"),
        ("num_layers", "layers"),
    ],
)
def test_these_do_not(one, other):
    assert meaning(one) != meaning(other)


@pytest.mark.parametrize("name", ["", " ", "C", "c", "α", "N", "___", "x" * (LONGEST + 1)])
def test_of_some_names_it_cannot_be_told(name):
    assert meaning(name) == ""
