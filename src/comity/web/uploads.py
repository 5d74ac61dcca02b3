"""Files on their way in: a large one lies in a folder of our own until it was read, not where everybody looks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload, TemporaryFileUploadHandler


def uploads_folder() -> Path:
    """Return the folder in which large files lie while they come in, which only we may enter; it is made if missing."""
    folder: Path = settings.FOLDER / "uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def clear_uploads(older_than: float) -> None:
    """Remove what processes that were killed have left; `older_than` is an instant in seconds since 1970."""
    for left in uploads_folder().glob("*.upload*"):
        if left.stat().st_mtime < older_than:
            left.unlink(missing_ok=True)


class InOurFolder(TemporaryUploadedFile):
    """An uploaded file that lies in our folder, and vanishes when it is closed."""

    def __init__(self, name: Any, *more: Any) -> None:  # noqa: ANN401 - as Django gives them
        file = tempfile.NamedTemporaryFile(suffix=".upload", dir=uploads_folder())  # noqa: SIM115 - closed with the request
        UploadedFile.__init__(self, file, name, *more)  # not what stands between, which would choose another folder


class OurUploads(TemporaryFileUploadHandler):
    """Takes large files in, up to `LARGEST_UPLOAD`; of a larger one nothing is kept, and the request is `too_large`."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as Django gives them
        """Begin a file."""
        FileUploadHandler.new_file(self, *args, **kwargs)
        told = (self.file_name, self.content_type, 0, self.charset, self.content_type_extra)
        self.file = InOurFolder(*told)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a piece, unless the file has become too large."""
        if start + len(raw_data) > settings.LARGEST_UPLOAD:
            self.request.too_large = True  # type: ignore[union-attr]  # a mark of ours
            self.upload_interrupted()
            raise StopUpload
        super().receive_data_chunk(raw_data, start)
