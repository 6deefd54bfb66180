"""What a browser does to sign in, and to show that a form is of this site."""

import re

from starlette.testclient import TestClient


def sign_in(client: TestClient, key: str, **more: object):
    return client.post("/sign-in", data={"key": key, "next": "/"}, **more)


def token(client: TestClient, path: str = "/") -> str:
    return re.search(r'name="csrf-token" content="(\w+)"', client.get(path).text)[1]
