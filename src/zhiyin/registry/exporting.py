"""The form in which a release answers: without what trained it, and perhaps with fewer bits."""

from collections.abc import Mapping

from zhiyin.errors import MissingExtraError
from zhiyin.models.recommender import Exports, Recommender


def rounded(members: Mapping[str, Recommender]) -> tuple[dict[str, Recommender], dict[str, Recommender]]:
    """The fitted models as they are to be measured, and, by name, what those that lose digits were before.

    A model whose release has all its digits is measured as it was fitted: both answer alike.
    """
    fewer = {name: one for name, one in members.items() if isinstance(one, Exports) and one.precision != "float32"}
    exact: dict[str, Recommender] = {f"{name} (float32)": one.exported("float32") for name, one in fewer.items()}
    return {**members, **{name: one.exported(one.precision) for name, one in fewer.items()}}, exact


def exported(members: Mapping[str, Recommender]) -> tuple[dict[str, Recommender], str]:
    """The models of a release in the form that answers without PyTorch, and a note where one has to stay as it is."""
    found, notes = dict(members), []
    for name, model in members.items():
        if isinstance(model, Exports):
            try:
                found[name] = model.exported(model.precision)
            except MissingExtraError as error:
                notes.append(f"{name} needs PyTorch where it is served: {error}")
    return found, "; ".join(notes)
