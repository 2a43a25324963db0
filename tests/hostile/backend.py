"""A WSGI backend that remembers every whole request. `GET /seen` tells them as JSON, bodies as hexadecimal digits."""

import json

SEEN = []


def app(environ, start_response):
    target = environ["RAW_URI"]
    if target == "/seen":
        text = json.dumps(SEEN).encode()
    else:
        # Raises when the body breaks off: then it was no request.
        body = environ["wsgi.input"].read()
        SEEN.append({"method": environ["REQUEST_METHOD"], "target": target, "body": body.hex()})
        text = b"ok"
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text]
