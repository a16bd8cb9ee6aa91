import mlflow
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

mlflow.sklearn.autolog(log_models=False, max_tuning_runs=None)
grid = {"max_depth": [1, 2], "min_samples_leaf": [1, 20]}
rows, kinds = load_iris(return_X_y=True)
with mlflow.start_run():
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=3)
    search.fit(rows[::2], kinds[::2])
    mlflow.log_metric("test_accuracy", search.score(rows[1::2], kinds[1::2]))
