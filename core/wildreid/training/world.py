"""The processes that train one model together, each on a device of its own; and how they talk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from wildreid.errors import Interrupted, UserError, first_line

if TYPE_CHECKING:
    from wildreid.artefacts import Floats

T = TypeVar("T")
PATIENCE = timedelta(days=7)
"""How long the others wait for the first, which may read a large data set; one that dies is noticed at once."""


class World:
    """The processes of one run; a single one unless ``torchrun`` started several.

    Every process goes through the same steps on its share of each batch, and all see the same gathered
    embeddings, so they agree on every figure and every decision. The first alone writes.

    Attributes:
        rank: which of them this one is, from 0.
        size: how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and speaks."""
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's consecutive share of `items`; the shares differ by one in length, at most."""
        short, longer = divmod(len(items), self.size)
        begin = self.rank * short + min(self.rank, longer)
        return items[begin : begin + short + (self.rank < longer)]

    def gather(self, embeddings: Tensor, count: int) -> Tensor:
        """The embeddings of a whole batch from each process's share of it, in the batch's order.

        Only this process's own rows carry a gradient. It comes back multiplied by the number of processes:
        each computes the loss of the whole batch, and `wrap` then takes the mean of their gradients where the
        gradient of that loss is the sum. So the loss itself, and what it owns, stay unscaled.

        Args:
            embeddings: (share, width) of this process.
            count: images in the whole batch.

        Returns:
            (count, width).
        """
        if self.size == 1:
            return embeddings
        own = embeddings.view_as(embeddings)
        if own.requires_grad:
            own.register_hook(lambda gradient: gradient * self.size)  # type: ignore[no-untyped-call]
        lengths = [len(World(rank, self.size).share(range(count))) for rank in range(self.size)]
        padded = embeddings.new_zeros(max(lengths), embeddings.shape[1])
        padded[: len(embeddings)] = embeddings.detach()
        parts = [torch.empty_like(padded) for _ in lengths]
        dist.all_gather(parts, padded)
        shares = [part[:length] for part, length in zip(parts, lengths, strict=True)]
        shares[self.rank] = own
        return torch.cat(shares)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network, which from now on takes the mean of all processes' gradients as it goes backward.

        Made again when other parameters begin to learn, as after thawing.
        """
        if self.size == 1 or not any(parameter.requires_grad for parameter in network.parameters()):
            return network
        place = next(network.parameters()).device
        devices = [place] if place.type == "cuda" else None
        # of buffers within the network some may change, as a batch norm's do; the embedder's own two never do
        kept_equal: dict[str, Any] = {_BUFFERS: any("." in name for name, _ in network.named_buffers())}
        return DistributedDataParallel(
            network, device_ids=devices, gradient_as_bucket_view=True, **kept_equal
        )

    def apart(self, network: nn.Module, *, wanted: bool) -> AbstractContextManager[Any]:
        """While the gradients of several batches are added up, all but the last stay with their process."""
        alone = wanted and isinstance(network, DistributedDataParallel)
        return network.no_sync() if alone else nullcontext()  # type: ignore[operator]

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Take the mean of all processes' gradients of what the loss owns; a miner may have drawn others."""
        if self.size > 1:
            for parameter in parameters:
                if parameter.grad is not None:
                    dist.all_reduce(parameter.grad)
                    parameter.grad /= self.size

    def add_up(self, rows: Floats) -> None:
        """Sum an array over all processes, in place; where each filled rows of its own, all have all."""
        if self.size > 1:
            dist.all_reduce(torch.from_numpy(rows))

    def tell(self, make: Callable[[], T]) -> T:
        """What the first process makes, told to all; the others wait for it."""
        if self.size == 1:
            return make()
        told: list[Any] = [make() if self.first else None]
        dist.broadcast_object_list(told)
        return told[0]  # type: ignore[no-any-return]

    def ask(self, value: T) -> list[T]:
        """Everybody's value, by rank."""
        if self.size == 1:
            return [value]
        answers: list[Any] = [None] * self.size
        dist.all_gather_object(answers, value)
        return answers

    def any(self, flag: bool) -> bool:
        """Whether anyone says yes."""
        if self.size == 1:
            return flag
        votes = torch.tensor([int(flag)])
        dist.all_reduce(votes)
        return bool(votes.item())

    def vote(self, flag: Callable[[], bool]) -> Callable[[], bool]:
        """As `any`, in two parts: what comes back says it later, and until then there is time for other work."""
        if self.size == 1:
            return flag
        votes = torch.tensor([int(flag())])
        counting = dist.all_reduce(votes, async_op=True)

        def counted() -> bool:
            counting.wait()
            return bool(votes.item())

        return counted

    def wait(self) -> None:
        """Until all have come here."""
        self.any(False)


ALONE = World()
_BUFFERS = (
    "forward_sync_buffers"  # as newer versions of torch call it
    if "forward_sync_buffers" in signature(DistributedDataParallel).parameters
    else "broadcast_buffers"
)


@contextmanager
def together(device: torch.device) -> Iterator[World]:
    """Join the other processes of this run, where ``torchrun`` started some.

    Tensors of GPUs go by NCCL, all else by gloo.

    Args:
        device: that this process computes on.

    Raises:
        UserError: another process is gone.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    if size == 1 or dist.is_initialized():
        yield World(rank, size) if dist.is_initialized() else ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    world = World(rank, size)
    try:
        yield world
        world.wait()  # nobody hangs up while another still listens
    except (UserError, Interrupted):
        raise
    except RuntimeError as error:
        if "gloo" not in str(error) and "NCCL" not in str(error) and "peer" not in str(error):
            raise
        raise UserError(
            f"process {rank} lost the others: {first_line(error)}",
            cure="look for the message of the one that stopped first; the last checkpoint is kept",
        ) from None
    finally:
        dist.destroy_process_group()
