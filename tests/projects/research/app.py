from pathlib import Path

import hydra
import mlflow
from hydra.core.hydra_config import HydraConfig
from numbers_of import loss


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config):
    with mlflow.start_run():
        mlflow.log_params({"lr": config.lr, "width": config.model.width, "seed": config.seed})
        mlflow.log_metric("loss", loss(config.lr, config.model.width))
        mlflow.log_artifacts(Path(HydraConfig.get().runtime.output_dir) / ".hydra", ".hydra")


main()
