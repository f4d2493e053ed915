"""Sends the form of a recording. Arguments: client, URL, file, name of the file; then fields as name=value."""

import sys

client, url, path, name, *pairs = sys.argv[1:]
fields = dict(pair.split("=", 1) for pair in pairs)
with open(path, "rb") as file:
    content = file.read()

if client == "requests":
    import requests

    requests.post(url, data=fields, files={"fileAttachment": (name, content, "image/png")})
elif client == "urllib3":
    import urllib3

    file_field = {"fileAttachment": (name, content, "image/png")}
    urllib3.PoolManager().request("POST", url, fields={**fields, **file_field})
elif client == "httpx":
    import httpx

    httpx.post(url, data=fields, files={"fileAttachment": (name, content, "image/png")})
elif client == "aiohttp":
    import asyncio

    import aiohttp

    async def send():
        form = aiohttp.FormData(fields)
        form.add_field("fileAttachment", content, filename=name, content_type="image/png")
        async with aiohttp.ClientSession() as session:
            await session.post(url, data=form)

    asyncio.run(send())
else:
    sys.exit(f"no such client: {client}")
