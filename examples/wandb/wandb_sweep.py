"""Trains a small network on scikit-learn's digits and logs it with W&B's own client.

The same script runs under `wandb agent` and `tui-sweeps agent`. It takes torch when that is installed, else
scikit-learn.
"""

import importlib.util
import signal
import sys
from pathlib import Path

import numpy as np
import wandb
import yaml
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


def sklearn_epochs(config, train_x, train_y, val_x, val_y):
    """Yield loss and validation accuracy after each epoch."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier(
        hidden_layer_sizes=(config.hidden,),
        batch_size=config.batch_size,
        learning_rate_init=config.learning_rate,
        random_state=config.seed,
    )
    for _ in range(config.epochs):
        model.partial_fit(train_x, train_y, classes=np.arange(10))
        yield float(model.loss_), float(model.score(val_x, val_y))


def torch_epochs(config, train_x, train_y, val_x, val_y):
    """Yield loss and validation accuracy after each epoch."""
    import torch

    torch.manual_seed(config.seed)
    x, y = torch.tensor(train_x, dtype=torch.float32), torch.tensor(train_y)
    held_x, held_y = torch.tensor(val_x, dtype=torch.float32), torch.tensor(val_y)
    model = torch.nn.Sequential(
        torch.nn.Linear(64, config.hidden), torch.nn.ReLU(), torch.nn.Linear(config.hidden, 10)
    )
    optimiser = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for _ in range(config.epochs):
        losses = []
        for batch in torch.randperm(len(x)).split(config.batch_size):
            loss = torch.nn.functional.cross_entropy(model(x[batch]), y[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        with torch.no_grad():
            accuracy = (model(held_x).argmax(dim=1) == held_y).float().mean().item()
        yield sum(losses) / len(losses), accuracy


def main():
    # A stopped run flushes what it has instead of dying with the last seconds unsent.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    defaults = yaml.safe_load((Path(__file__).parent / "config.yaml").read_text())
    run = wandb.init(config=defaults)  # a sweep's values come before these
    images, labels = load_digits(return_X_y=True)
    parts = train_test_split(
        images / 16.0, labels, test_size=0.3, random_state=run.config.seed, stratify=labels
    )
    train_x, val_x, train_y, val_y = parts
    epochs = torch_epochs if importlib.util.find_spec("torch") else sklearn_epochs
    for epoch, (loss, accuracy) in enumerate(epochs(run.config, train_x, train_y, val_x, val_y)):
        run.log({"epoch": epoch, "loss": loss, "val_accuracy": accuracy})
        print(f"epoch {epoch + 1:2d}  loss {loss:.4f}  val_accuracy {accuracy:.4f}")
    run.finish()


if __name__ == "__main__":
    main()
