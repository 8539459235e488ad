"""The query's and the answers' shapes for the OpenAPI description; a test holds real answers against them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FacesQuery(_Schema):
    """What may be asked for in the query. A parameter that is misspelt is refused, not passed over."""

    crops: bool = Field(
        default=False, description="Each image is one face, cropped as UTKFace crops: none is looked for."
    )
    distribution: bool = Field(default=False, description="Answer the probability of every age from 0 to 116.")


class AgeIntervalAnswer(_Schema):
    """Ages that hold the true one with the share `level` of calibration, both ends included."""

    low: float
    high: float
    level: float = Field(description="Share, 0..1.")


class FaceAnswer(_Schema):
    """One face: a guess from looks, not a fact about a person."""

    box: list[float] | None = Field(
        description="Left, top, right, bottom in pixels of the upright picture; may reach beyond it. Null with crops."
    )
    landmarks: dict[str, list[float]] | None = Field(
        description="x and y of left_eye, right_eye, nose, left_mouth and right_mouth, as seen. Null with crops."
    )
    detection_score: float | None = Field(description="Probability that this is a face, 0..1. Null with crops.")
    age: float = Field(description="Years.")
    age_interval: AgeIntervalAnswer | None = Field(description="Null where the model was not calibrated.")
    gender: Literal["male", "female"] = Field(description="The likelier of the data set's two labels.")
    gender_probability: float = Field(description="Of that label, 0.5..1.")
    female_probability: float = Field(description="0..1.")
    unsure: bool = Field(description="The answer should not be relied on.")
    notes: list[str] = Field(description="What makes the picture poor, such as small, tilted, cut_off.")
    age_distribution: list[float] = Field(
        default=[], description="Probabilities of the ages 0 to 116; only with distribution=true."
    )


class ImageAnswer(_Schema):
    """One picture of the request, in the order in which it was sent."""

    name: str | None = Field(description="The file's name, where one was given.")
    status: str = Field(
        description="ok, no_face, or why it cannot be used: empty, unreadable, truncated, too_large, too_small, "
        "unsupported."
    )
    detail: str | None = Field(description="Of a picture that cannot be used: what was found, and what to do.")
    width: int | None = Field(description="Of the upright picture, in pixels.")
    height: int | None
    faces: list[FaceAnswer] = Field(description="From left to right.")
    more_faces: bool = Field(description="As many faces as the service answers were found, so there may be more.")


class ModelAnswer(_Schema):
    """Who answered."""

    name: str
    precision: str
    sha256: str = Field(description="Of the model's file; empty where it has no manifest.")


class FacesAnswer(_Schema):
    """The answer to a request, at least one picture of which could be used."""

    model: ModelAnswer
    images: list[ImageAnswer]


class StateAnswer(_Schema):
    """Whether the service is well."""

    status: str


class FaultAnswer(_Schema):
    """One fault of a request."""

    pointer: str | None = Field(default=None, description="Where in the JSON, as RFC 6901 has it.")
    parameter: str | None = Field(default=None, description="Which part of the query.")
    detail: str


class ProblemAnswer(BaseModel):
    """Problem details, RFC 9457."""

    type: str = Field(description="about:blank")
    title: str = Field(description="The status in words.")
    status: int
    code: str = Field(description="A short stable word for programs.")
    detail: str = Field(description="What was received, what was expected, what to do.")
    errors: list[FaultAnswer] = Field(default=[], description="Of a query or JSON that cannot be used.")
    images: list[ImageAnswer] = Field(default=[], description="Where no image could be used: why, for each of them.")
