"""SASRec by RecTools, run by its own interpreter: peer_sasrec.py IN.npz OUT.npz.

It stands alone: that interpreter has no zhiyin. IN holds users, items and times and the settings; OUT the seconds of
each epoch and everybody's best items.
"""

import logging
import os
import sys
import time
import warnings


def main(given: str, found: str) -> None:
    """Train, noting when each epoch ends, then rank what each person has not seen."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    import numpy as np
    import pandas as pd
    import torch
    from pytorch_lightning import Callback, Trainer, seed_everything  # type: ignore[import-not-found]  # its own alone
    from rectools import Columns  # type: ignore[import-not-found]  # in its interpreter alone
    from rectools.dataset import Dataset  # type: ignore[import-not-found]  # in its interpreter alone
    from rectools.models import SASRecModel  # type: ignore[import-not-found]  # in its interpreter alone

    start = np.load(given)
    torch.set_num_threads(int(os.environ["ZHIYIN_THREADS"]))
    seed_everything(0)
    moments: list[float] = []

    class Clock(Callback):  # type: ignore[misc]  # its base class is not known here
        def on_train_epoch_start(self, *_: object) -> None:
            moments.append(time.perf_counter())

        def on_train_epoch_end(self, *_: object) -> None:
            moments.append(time.perf_counter())

    epochs = int(start["epochs"])
    model = SASRecModel(
        n_blocks=int(start["layers"]), n_heads=int(start["heads"]), n_factors=int(start["dimensions"]),
        dropout_rate=float(start["dropout"]), session_max_len=int(start["window"]), loss="softmax",
        lr=float(start["learning_rate"]), batch_size=int(start["batch"]), epochs=epochs, item_net_block_types=_ids(),
        get_trainer_func=lambda **_: Trainer(
            max_epochs=epochs, callbacks=[Clock()], logger=False, enable_checkpointing=False, accelerator="cpu",
            enable_progress_bar=False, enable_model_summary=False,
        ),
    )  # fmt: skip
    users, items = start["users"], start["items"]
    table = pd.DataFrame({
        Columns.User: users, Columns.Item: items, Columns.Weight: 1.0,
        Columns.Datetime: pd.to_datetime(start["times"], unit="us"),
    })  # fmt: skip
    dataset = Dataset.construct(table)
    model.fit(dataset)
    everybody = np.unique(users)
    best = model.recommend(everybody, dataset, k=10, filter_viewed=True)
    lists = np.full((int(users.max()) + 1, 10), -1, np.int32)
    lists[best[Columns.User].to_numpy(), best[Columns.Rank].to_numpy() - 1] = best[Columns.Item].to_numpy()
    np.savez(found, lists=lists, seconds=np.diff(moments)[::2])


def _ids() -> tuple[type, ...]:
    from rectools.models.nn.item_net import IdEmbeddingsItemNet  # type: ignore[import-not-found]  # its own alone

    return (IdEmbeddingsItemNet,)


if __name__ == "__main__":
    main(*sys.argv[1:])
