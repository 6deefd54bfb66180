"""The whole loop: read, clean, compare, fit on everything, publish, and promote only with evidence."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zhiyin import fields
from zhiyin.compute.ranks import rank
from zhiyin.data.dataset import Dataset
from zhiyin.errors import ArtifactError
from zhiyin.evaluation.answers import Recommends
from zhiyin.evaluation.gate import Verdict, gate
from zhiyin.evaluation.report import Report
from zhiyin.models.popularity import Popularity
from zhiyin.models.watch import watched
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.agreement import agreed
from zhiyin.registry.checkpoints import DIRECTORY, Checkpoints
from zhiyin.registry.compare import BASELINE, Compared, Rival, compare, contenders, fitted, pipelines
from zhiyin.registry.config import Config
from zhiyin.registry.exporting import exported
from zhiyin.registry.lock import exclusive
from zhiyin.registry.prepare import Prepared, Progress, prepare, silent
from zhiyin.registry.progress_file import told
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.registry.warm import Fit, Warm, cold

SERVING = "serving"
PROGRESS = "training.json"
"""In the registry, while somebody trains."""


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training did."""

    report: Report
    chosen: str
    number: int
    verdict: Verdict
    prepared: Prepared
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain values."""
        return {
            "release": self.number, "chosen": self.chosen, **asdict(self.verdict), "note": self.note,
            "report": json.loads(self.report.as_json()),
        }  # fmt: skip


def train(
    config: Config,
    root: Path,
    *,
    now: int,
    environment: Mapping[str, str],
    ceiling: Recommends | None = None,
    progress: Progress = silent,
) -> Trained:
    """Everything from the files of zhiyin.toml, which lies in `root`, to a numbered release.

    Of several processes that `torchrun` has started, each trains and the first one publishes; for the others the
    number is 0. A training that was killed goes on where its networks were, if nothing else has changed.

    Parameters
    ----------
    now
        µs UTC, for the manifest and for what is in the future.
    ceiling
        Somebody who knows the truth, as for the sample shop: the last row of the report.

    Raises
    ------
    RegistryBusyError
        If another training is writing to the same registry.
    """
    registry = root / config.registry.directory
    with ExitStack() as stack:
        if rank() == 0:
            stack.enter_context(exclusive(registry))
            progress = stack.enter_context(told(registry / PROGRESS, progress))
        prepared = prepare(config, root, now=now, environment=environment, progress=progress)
        data = prepared.dataset(config.weights)
        store = Store(registry)
        checkpoints = Checkpoints(registry / DIRECTORY)
        serving, warning = _serving(store)
        rival = serving and Rival(serving.pipeline, max(0, int(data.interactions.times[-1]) - serving.last_event))
        fit = Warm(serving, data) if serving and config.train.warm_start else cold
        with watched(keeps=checkpoints):
            found = compare(
                config,
                data,
                root,
                rivals={SERVING: rival} if rival else None,
                ceiling=ceiling,
                progress=progress,
                fit=fit,
            )
            chosen, verdict = _verdict(found, rival is not None)
            chosen = agreed(chosen, sorted(row.name for row in found.report.rows))
            pipeline, stays = _final(config, data, found, chosen, progress, fit)
        if rank() > 0:
            return Trained(found.report, chosen, 0, verdict, prepared)
        release = Release.of(pipeline, data, _details(config, prepared, chosen, now))
        number = _publish(store, release, _manifest(config, prepared, release, found.report, verdict), found.report)
        if verdict.promote:
            store.promote(number, now, verdict.sentence)
        store.prune(config.registry.keep)
        checkpoints.clear()
    note = " ".join(filter(None, [found.note, warning, stays]))
    return Trained(found.report, chosen, number, verdict, prepared, note)


def _serving(store: Store) -> tuple[Release | None, str]:
    """What serves, or a note why that cannot be read."""
    number = store.serving()
    if number is None:
        return None, ""
    try:
        return Release.read(store.verified(number), number), ""
    except ArtifactError as error:
        return None, f"the serving release {number} was not compared: {error}"


def _verdict(found: Compared, serving: bool) -> tuple[str, Verdict]:
    """What goes into the release, and whether it may serve."""
    rivals = [SERVING] if serving else []
    if found.chosen == BASELINE:
        if serving:
            return BASELINE, gate(found.report, BASELINE, rivals)
        return BASELINE, Verdict(True, "promoted: nothing served before, and no model is better than popularity")
    verdict = gate(found.report, found.chosen, [BASELINE, *rivals])
    if not verdict.promote and not serving:
        sentence = f"promoted: nothing served before, and popularity is safe; {found.chosen} was {verdict.sentence}"
        return BASELINE, Verdict(True, sentence)
    return found.chosen, verdict


def _final(
    config: Config, data: Dataset, found: Compared, chosen: str, progress: Progress, fit: Fit
) -> tuple[Pipeline, str]:
    """The chosen row again, fitted on everything there is, in the form that is released; and what to say of that."""
    models, names = contenders(config, data)
    combined = chosen == config.recipe.combine
    wanted = names if combined else (chosen,)
    members, _ = fitted({name: models[name] for name in wanted}, data, "fitting on everything", progress, fit)
    members, note = exported(members) if rank() == 0 else (members, "")
    if combined:
        return pipelines(config, members, data, names, found.combine)[chosen], note
    return Pipeline(members, data.catalog, Popularity().fit(data), config.rules), note


def _details(config: Config, prepared: Prepared, chosen: str, now: int) -> dict[str, Any]:
    return {
        "chosen": chosen,
        "k": config.recipe.k,
        "store_sequence": prepared.store_sequence,
        "store_change": prepared.store_change,
        "trained": now,
        "weights": config.weights,
        "pseudonymised": config.privacy.pseudonymise,
        "key_env": config.privacy.key_env,
    }


def _manifest(config: Config, prepared: Prepared, release: Release, report: Report, verdict: Verdict) -> dict[str, Any]:
    row = report.row(release.details["chosen"])
    sections = ("clean", "weights", "split", "models", "recipe", "rules")  # not [data]: an address may hold a secret
    table = fields.to_table(config)
    return {
        "created": release.details["trained"],
        "chosen": release.details["chosen"],
        "metrics": {f"{name}@{report.k}": value.mean for name, value in row.metrics.items()},
        "data": prepared.reading.fingerprint,
        "recipe": {name: table[name] for name in sections},
        "events": int(release.histories.offsets[-1]),
        "users": len(release.users),
        "items": len(release.items),
        "verdict": asdict(verdict),
    }


def _publish(store: Store, release: Release, details: dict[str, Any], report: Report) -> int:
    def write(directory: Path) -> None:
        release.write(directory)
        (directory / "report.json").write_text(report.as_json(), encoding="utf-8")

    return store.publish(write, details)
