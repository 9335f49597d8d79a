"""Give a new Metabase its first user, as its own set-up page does; one that has a user is left as it is.

    python docs/metabase/first_user.py http://localhost:3000

The user and the password are those of GNOMON_METABASE_USER and GNOMON_METABASE_PASSWORD.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

LONGEST_WAIT = 600.0


def ask(url: str, body: Any = None) -> Any:
    """Return what is answered; a body makes it a POST."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def wait(url: str, pause: float = 2.0) -> None:
    """Wait until Metabase answers; it takes a minute or two to start."""
    end = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            if ask(f"{url}/api/health")["status"] == "ok":
                return
        except (OSError, ValueError):
            pass
        if time.monotonic() > end:
            sys.exit(f"{url}: Metabase does not answer after {LONGEST_WAIT:g} s.")
        time.sleep(pause)


def main() -> None:
    """Wait for Metabase, and make its first user if there is none."""
    url = sys.argv[1].rstrip("/")
    wait(url)
    told = ask(f"{url}/api/session/properties")
    if told.get("has-user-setup") or not told.get("setup-token"):
        print(f"{url}: has a user already", file=sys.stderr)
        return
    user = {
        "email": os.environ["GNOMON_METABASE_USER"],
        "password": os.environ["GNOMON_METABASE_PASSWORD"],
        "first_name": "Gnomon",
        "last_name": "Admin",
    }
    prefs = {"site_name": "Gnomon", "site_locale": "en", "allow_tracking": False}
    ask(f"{url}/api/setup", {"token": told["setup-token"], "user": user, "prefs": prefs})
    print(f"{url}: its first user is {user['email']}", file=sys.stderr)


if __name__ == "__main__":
    main()
