"""How deep JSON is nested, looked at before anything decodes it."""

import numpy as np

DEEP = 32
"""Levels that are taken where [access] does not say."""
SCOPE = "zhiyin.depth"
"""Where the gate leaves the limit in the ASGI scope."""
STRUCTURE = b'"[]{}'
REST = bytes(set(range(256)) - set(STRUCTURE))
STEPS = np.zeros(256, np.int8)
STEPS[[ord("["), ord("{")]] = 1
STEPS[[ord("]"), ord("}")]] = -1


def is_deeper(content: bytes, limit: int) -> bool:
    """Whether lists and objects are nested deeper than `limit`.

    Of what is not JSON, the part before the fault is measured at least: a decoder never gets deeper than this says.
    """
    if content.count(b"[") + content.count(b"{") <= limit:  # nearly every request ends here
        return False
    if b"\\" in content:  # pairs of backslashes first, so that what is left before a quote escapes it
        content = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    kept = np.frombuffer(content.translate(None, REST), np.uint8)
    inside = np.cumsum(kept == ord('"'), dtype=np.int32) & 1  # [structure] 1: within a text
    depths = np.cumsum(np.where(inside == 1, 0, STEPS[kept]), dtype=np.int32)
    return bool(depths.max(initial=0) > limit)
