"""Results to the JSON that is answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from agegender.inference.predictor import Predictor
from agegender.inference.results import ImageFailure, ImageResult
from agegender.service.problems import Problem
from agegender.service.uploads import Upload


def faces_response(
    model: Predictor,
    uploads: Sequence[Upload],
    results: Sequence[ImageResult],
    *,
    distribution: bool,
    most_faces: int,
) -> Response:
    """The answer for a request's pictures, in their order.

    Args:
        model: That answered.
        uploads: What was sent.
        results: One each.
        distribution: Give every age's probability too.
        most_faces: That are answered in a picture.

    Raises:
        Problem: 422, none of the pictures could be used. Its `images` say why, as they would in the answer.
    """
    images = [
        _image(upload.name, result, distribution=distribution, most_faces=most_faces)
        for upload, result in zip(uploads, results, strict=True)
    ]
    if all(isinstance(result, ImageFailure) for result in results):
        first = images[0]
        which = "The image" if len(images) == 1 else f"None of the {len(images)} images"
        can = "cannot" if len(images) == 1 else "can"
        detail = f"{which} {can} be used. {first['status']}: {first['detail']}"
        raise Problem(422, "no_usable_image", detail, images=images)
    content = {"model": {"name": model.name, "precision": model.precision, "sha256": model.sha256}, "images": images}
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), media_type="application/json")


def _image(name: str | None, result: ImageResult, *, distribution: bool, most_faces: int) -> dict[str, Any]:
    failed = isinstance(result, ImageFailure)
    faces = [] if failed else [face.as_json() for face in result.faces]
    if not distribution:
        for face in faces:
            del face["age_distribution"]
    return {
        "name": name,
        "status": result.status,
        "detail": result.detail if failed else None,
        "width": None if failed else result.width,
        "height": None if failed else result.height,
        "faces": faces,
        "more_faces": len(faces) >= most_faces and not failed and result.faces[0].box is not None,
    }
