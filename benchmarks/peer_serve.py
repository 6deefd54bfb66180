"""implicit behind a bare server, for the interpreter of `.venv-peers`: `peer_serve.py FACTORS.npz`.

Its ALS folds a history in and ranks all items; nothing else happens: no rules, no store, no reasons.
"""

import json
import os
import sys
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import uvicorn
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix


def main() -> None:
    """Serve POST / {"history": [indexes], "k": 10} until the end of standard input."""
    model, n = _model(sys.argv[1])

    async def app(_: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = json.loads(body)
        past = np.unique(asked["history"])
        history = csr_matrix((np.ones(len(past), np.float32), (np.zeros(len(past), int), past)), shape=(1, n))
        items, scores = model.recommend(0, history, N=asked["k"], recalculate_user=True)
        content = json.dumps({"items": items.tolist(), "scores": scores.tolist()}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    config = uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, lifespan="off")
    listener = uvicorn.Config(app, port=0, log_config=None).bind_socket()
    listener.listen(2_048)  # a client may come before the server runs
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(config).run([listener])


def _model(path: str) -> tuple[AlternatingLeastSquares, int]:
    arrays = np.load(path)
    model = AlternatingLeastSquares(factors=arrays["items"].shape[1], num_threads=1)
    model.item_factors, model.user_factors = arrays["items"], arrays["users"]
    return model, len(arrays["items"])


if __name__ == "__main__":
    main()
