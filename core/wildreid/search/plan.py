"""What a search's file may say, the space itself aside."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Halving(_Settings):
    """Successive halving: at each rung only the best share of the trials goes on.

    Source: Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning" (ASHA).
    """

    first: int = Field(1, ge=1, description="epochs before the first rung")
    factor: int = Field(3, ge=2, description="one in so many goes on, to so many times the epochs")


class Final(_Settings):
    """What `final=True` does with the best."""

    seeds: int = Field(5, ge=2, le=100, description="how often it is trained, each time from another seed")
    default: bool = Field(True, description="also train the base recipe as it is, to compare with")


class Plan(_Settings):
    """A search as its file describes it."""

    recipe: str = Field("recipe.yaml", description="the base recipe, beside this file or by its name")
    settings: dict[str, Any] = Field({}, description="a part of a recipe, laid over the base recipe")
    name: str | None = Field(
        None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="of the study; null: after the recipe"
    )
    about: str = Field("", description="what is searched, and what to expect of it")
    trials: int = Field(20, ge=0, description="trials in all, whatever the number of workers")
    sampler: Literal["random", "tpe"] = Field("random", description="how values are drawn")
    halving: Halving | None = Field(None, description="stop poor trials early; null: train each to its end")
    seed: int = Field(0, ge=0, description="of the draws")
    keep_weights: bool = Field(False, description="keep the weights of every trial, not its history alone")
    final: Final = Final()
    space: dict[str, Any] = Field(..., description="a part of a recipe in which some values are drawn")
