"""Uploads one file: upload.py LIBRARY URL FILE FIELD=VALUE…. Prints the response as JSON."""

import json
import os
import sys


def with_requests(url, path, fields):
    import requests

    with open(path, "rb") as file:
        response = requests.post(url, data=fields, files={"fileAttachment": file}, timeout=60)
    return response.status_code, response.text


def with_urllib3(url, path, fields):
    import urllib3

    with open(path, "rb") as file:
        form = {**fields, "fileAttachment": (os.path.basename(path), file.read())}
    response = urllib3.PoolManager(retries=False, timeout=60).request("POST", url, fields=form)
    return response.status, response.data.decode()


library, url, path, *pairs = sys.argv[1:]
send = {"requests": with_requests, "urllib3": with_urllib3}[library]
status, text = send(url, path, dict(pair.split("=", 1) for pair in pairs))
print(json.dumps({"status": status, "text": text}))
