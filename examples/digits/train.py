"""Trains a small network on scikit-learn's digits, one epoch at a time.

By itself it takes its numbers from config.yaml; in a sweep the sweep's values come first.
"""

import argparse

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tui_sweeps


def main() -> None:
    # A sweep passes its values on the command line, too; they are the same as in run.config.
    argparse.ArgumentParser(description=__doc__).parse_known_args()
    run = tui_sweeps.init()
    config = run.config

    images, labels = load_digits(return_X_y=True)
    train_x, val_x, train_y, val_y = train_test_split(
        images / 16.0, labels, test_size=0.3, random_state=config.seed, stratify=labels
    )
    model = MLPClassifier(
        hidden_layer_sizes=(config.hidden,),
        solver=config.solver,
        alpha=config.alpha,
        batch_size=config.batch_size,
        learning_rate_init=config.learning_rate,
        random_state=config.seed,
    )
    classes = np.unique(labels)
    for epoch in range(config.epochs):
        model.partial_fit(train_x, train_y, classes=classes)
        probabilities = model.predict_proba(val_x)
        metrics = {
            "epoch": epoch,
            "loss": float(model.loss_),
            "val_loss": float(log_loss(val_y, probabilities, labels=classes)),
            "val_accuracy": float(model.score(val_x, val_y)),
        }
        tui_sweeps.log(metrics)
        print(
            f"epoch {epoch + 1:2d}/{config.epochs}"
            f"  loss {metrics['loss']:.4f}  val_accuracy {metrics['val_accuracy']:.4f}"
        )
    run.finish()


if __name__ == "__main__":
    main()
