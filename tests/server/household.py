"""A program that uses a private server: it does what it reads, one JSON object a line, and answers in the same way."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from comity.server.binaries import Programs
from comity.server.postgres import PrivatePostgres


def main() -> None:
    postgres: PrivatePostgres | None = None
    for line in sys.stdin:
        words = json.loads(line)
        if postgres is None:
            postgres = PrivatePostgres(Path(words["folder"]), programs=programs(words), durable=words["durable"])
        print(json.dumps(answer(postgres, words["do"])), flush=True)  # noqa: T201 - this is how it answers


def programs(words: dict[str, list[str]]) -> Programs | None:
    if not words["programs"]:
        return None
    folder, version, site = words["programs"]
    return Programs(folder=Path(folder), version=(int(version[0]), int(version[1])), site=Path(site) if site else None)


def answer(postgres: PrivatePostgres, word: str) -> dict[str, str]:
    began = time.perf_counter()
    try:
        if word.startswith("limit "):
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(word.split()[1]), resource.RLIM_INFINITY))
        else:
            getattr(postgres, word)()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test is told
        return {"refused": type(error).__name__, "says": str(error)}
    took = {"took": f"{time.perf_counter() - began:.3f}"}
    if word != "start":
        return took
    return took | {
        "app": postgres.url_for_app,
        "owner": postgres.url_for_owner,
        "superuser": postgres.url_for_superuser,
    }


if __name__ == "__main__":
    main()
