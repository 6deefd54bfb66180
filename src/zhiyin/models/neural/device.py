"""Where networks are trained, and with how many digits."""

from contextlib import AbstractContextManager, nullcontext

import torch

from zhiyin.compute.ranks import local_rank


def device() -> torch.device:
    """The first CUDA device if there is one, or that of this process among several; or else the CPU."""
    return torch.device("cuda", local_rank()) if torch.cuda.is_available() else torch.device("cpu")


def mixed_precision(where: torch.device) -> AbstractContextManager[object]:
    """Multiplies matrices in bfloat16 where the hardware does so faster; elsewhere nothing changes.

    Weights and sums stay float32. On a CPU with AMX a product of matrices took a fourteenth of the time.
    """
    return torch.autocast(where.type, dtype=torch.bfloat16) if multiplies_bfloat16(where) else nullcontext()


def multiplies_bfloat16(where: torch.device) -> bool:
    """Whether the hardware has units for products of bfloat16 matrices."""
    if where.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))
