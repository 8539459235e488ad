"""Every limit of the service, with its unit and the reason for its default."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from agegender.errors import SettingError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Limits and waits.

    Attributes:
        body_bytes: Of one request; counted as it arrives, whatever it says of itself. Sixteen phone photographs.
        images: In one request.
        pixels: Of one picture, read from its header before it is decoded. A phone's 24 megapixels fit.
        faces: Answered in one picture: of more, the likeliest.
        waiting_images: That may wait for the model; of more the request is turned away. At 30 pictures a second, what
            is at the end of the queue waits two seconds.
        requests: In work at once, those still being sent included.
        held_bytes: Of all requests' bodies at once.
        idle_seconds: Without one byte of a request's body, or until its whole head has come.
        upload_seconds: For a whole body.
        answer_seconds: From a whole body to its answer.
        grace_seconds: On SIGTERM, for accepted requests to be finished.
        requests_a_minute: Of one client; None: any number.
        batch_images: Looked at together. More would make the first of them wait for the last and gain little.
        batch_wait_seconds: How long a picture waits for others to come along.
    """

    body_bytes: int = 32 * MIB
    images: int = 16
    pixels: int = 25_000_000
    faces: int = 50
    waiting_images: int = 64
    requests: int = 256
    held_bytes: int = 256 * MIB
    idle_seconds: float = 10.0
    upload_seconds: float = 30.0
    answer_seconds: float = 30.0
    grace_seconds: int = 60
    requests_a_minute: int | None = None
    batch_images: int = 8
    batch_wait_seconds: float = 0.003

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            smallest = 0 if field.name == "batch_wait_seconds" else 1e-3 if "seconds" in field.name else 1
            if value is not None and not value >= smallest:
                raise SettingError(f"{field.name} must be {smallest:g} or more. Received: {value}")
        if self.images > self.waiting_images:
            raise SettingError(
                f"A request of {self.images} images would never fit into a queue of {self.waiting_images}. "
                "Let more images wait, or allow fewer a request."
            )
        if self.body_bytes > self.held_bytes:
            raise SettingError(
                f"A body of {self.body_bytes:,} bytes would never fit into the {self.held_bytes:,} that are held at "
                "once. Allow smaller bodies, or hold more."
            )
