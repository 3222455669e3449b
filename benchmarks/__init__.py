"""Weavers measured against Jupyter's own terminals, both served by one Jupyter server.

`python -m benchmarks [scenario …] [--quick]`; nothing of this is shipped with the product.
"""
