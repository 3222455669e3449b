"""Weavers for programs: `AsyncClient`, and `Client`, the same without `await`.

from loom_weaver import Client

with Client() as client, client.weaver(image="python") as w:
    print(w.exec(["python3", "-c", "print(6 * 7)"]).stdout)
"""
