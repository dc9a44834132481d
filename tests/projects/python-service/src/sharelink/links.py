"""Links that are signed and expire."""

from pathlib import PurePosixPath

from itsdangerous import BadSignature, URLSafeTimedSerializer


class Links:
    def __init__(self, key: str, lifetime: int):
        self._signer = URLSafeTimedSerializer(key, salt="sharelink")
        self._lifetime = lifetime

    def make(self, path: str) -> str:
        """A token for a path; ValueError where the path leads out of the shared folder."""
        parts = PurePosixPath(path).parts
        if not parts or parts[0] == "/" or ".." in parts:
            raise ValueError(f"not a path within the shared folder: {path}")
        return self._signer.dumps("/".join(parts))

    def read(self, token: str) -> str | None:
        """The path of a token; none where it has expired or was never made here."""
        try:
            return self._signer.loads(token, max_age=self._lifetime)
        except BadSignature:
            return None
