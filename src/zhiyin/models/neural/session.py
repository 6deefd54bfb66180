"""How a sequence model answers without PyTorch: its graph, run by ONNX Runtime."""

import weakref
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from zhiyin.compute.threads import thread_count
from zhiyin.data.histories import Histories
from zhiyin.errors import ArtifactError
from zhiyin.models.neural.sequences import ANSWERED, Padded, Sequences
from zhiyin.types import Indexes, Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from zhiyin.models.next_item import NextItem

REFUSED = (
    refusals.Fail, refusals.InvalidArgument, refusals.InvalidGraph, refusals.InvalidProtobuf, refusals.NoSuchFile,
    refusals.NotImplemented, refusals.RuntimeException,
)  # fmt: skip
"""What ONNX Runtime raises for a graph that is none."""

_ERRORS = 3  # of the log; a warning would be one for each request


class Session:
    """A graph that is ready to run, and where each place's vector is."""

    def __init__(self, graph: "NDArray[np.uint8]", places: Indexes) -> None:
        content = graph.tobytes()
        if b"location" in content:  # the key of every reference to a file beside the graph; ours has none
            raise ArtifactError("the graph of the model names another file, which is not read: train again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = thread_count()
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads are left to others
        try:
            self.runs = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except REFUSED as error:
            raise ArtifactError(f"the graph of the model cannot be used ({_first_line(error)}): train again") from error
        self.inputs = {one.name: one.shape for one in self.runs.get_inputs()}
        self.items = np.flatnonzero(places >= 0)  # by place

    def last(
        self, events: Padded, vectors: Vectors, lengths: "NDArray[np.int64]", people: Vectors | None = None
    ) -> Vectors:
        """float32[b, d]: what comes after each history."""
        events = self._filled(events)
        x = vectors[self.items[np.maximum(events.items - 1, 0)]]  # [b, t, d]
        x[events.items == 0] = 0.0
        if people is not None:
            x += people[:, None]
        given = {"vectors": x, "kinds": events.kinds, "gaps": events.gaps}
        (expected,) = self.runs.run(None, {name: given[name] for name in self.inputs})
        return expected[np.arange(len(x)), lengths - 1]

    def _filled(self, events: Padded) -> Padded:
        """As long as the graph wants them, where it wants one length alone: what is past the end changes nothing."""
        wanted = next(iter(self.inputs.values()))[1]
        if not isinstance(wanted, int):
            return events
        more = ((0, 0), (0, wanted - events.items.shape[1]))
        return Padded(*(np.pad(part, more) for part in events))


def encoded(
    model: "NextItem", graph: "NDArray[np.uint8]", histories: Histories, known: Vectors | None = None
) -> Vectors:
    """float32[b, d]: what each history leads to; NaN for one without a known item.

    Parameters
    ----------
    known
        float32[b, d]: what is known of each person, where the network reads that.
    """
    session = _remembered(graph, model.places_)
    sequences = Sequences.of(histories, model.places_, model.window)
    vectors = np.full((len(sequences), model.dimensions), np.nan, np.float32)
    able = np.flatnonzero(sequences.lengths)
    for rows in sequences.rows(able).batches(ANSWERED) if len(able) else ():  # a batch of none ends the process in GRU
        chosen = able[rows]
        events = sequences.padded(chosen)
        people = None if known is None else known[chosen]
        vectors[chosen] = session.last(events, model.item_vectors_, sequences.lengths[chosen], people)
    return vectors


_SESSIONS: dict[int, Session] = {}  # by the identity of the graph, for as long as it lives


def _remembered(graph: "NDArray[np.uint8]", places: Indexes) -> Session:
    """The session of a graph; begun once."""
    if id(graph) not in _SESSIONS:
        session = Session(graph, places)
        weakref.finalize(graph, _SESSIONS.pop, id(graph), None)
        _SESSIONS[id(graph)] = session
    return _SESSIONS[id(graph)]


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]
