"""Signature Version 4 for calls from here, by AWS's description of it: a signer that shares no code
with the engine, nor with the SDK that the gate verifies with."""

import hashlib
import hmac
import time


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def sign(headers, body, *, keys, region, service, method="POST", path="/"):
    """The headers, which have Host, and those that sign them all."""
    now = time.gmtime()
    date, day = time.strftime("%Y%m%dT%H%M%SZ", now), time.strftime("%Y%m%d", now)
    headers = headers | {"X-Amz-Date": date}
    if keys.get("token"):
        headers["X-Amz-Security-Token"] = keys["token"]
    lower = {name.lower(): value for name, value in headers.items()}
    names = ";".join(sorted(lower))
    lines = [f"{name}:{lower[name]}" for name in sorted(lower)]
    request = "\n".join([method, path, "", *lines, "", names,
                         hashlib.sha256(body.encode()).hexdigest()])
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope,
                      hashlib.sha256(request.encode()).hexdigest()])
    key = ("AWS4" + keys["secret"]).encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    signature = _hmac(key, text).hex()
    return headers | {"Authorization": f"AWS4-HMAC-SHA256 Credential={keys['id']}/{scope}, "
                                       f"SignedHeaders={names}, Signature={signature}"}
