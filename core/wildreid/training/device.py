"""Where and in what precision the network computes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

import torch

from wildreid.errors import UserError, first_line

HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def pick_device(name: str) -> torch.device:
    """The device of this name; ``auto`` is an NVIDIA GPU where there is one.

    Of several processes on a machine, each takes the GPU of its own number.

    Raises:
        UserError: the device is not there.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"there is no device '{name}' here: {first_line(error)}",
            cure="`device=auto` takes what there is",
        ) from None
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype | None:
    """The type that autocast computes in, None for plain float32.

    ``auto`` is bfloat16 on an NVIDIA GPU that has it in hardware, else float32.

    Raises:
        UserError: fp16 off a GPU, where it only loses range and time.
    """
    if name == "auto":
        able = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if able else None
    if name == "fp16" and device.type == "cpu":
        raise UserError("fp16 needs a GPU", where="training.precision", cure="take bf16, fp32 or auto")
    return HALVES.get(name)


def keep_freed_memory(device: torch.device) -> None:
    """Let this process keep the memory that it frees, where it computes on the CPU, under Linux.

    glibc gives each large block back to the system, and gets it again a moment later, page by page and
    zeroed: for activations a fifth to a third of all time. The price is that the process stays as large as it
    once was. Where there is no glibc nothing happens.
    """
    if device.type == "cpu" and sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            libc = ctypes.CDLL("libc.so.6")
            no_mmap, no_trim = -4, -1  # M_MMAP_MAX, M_TRIM_THRESHOLD in malloc.h
            libc.mallopt(no_mmap, 0)
            libc.mallopt(no_trim, 2**31 - 1)
